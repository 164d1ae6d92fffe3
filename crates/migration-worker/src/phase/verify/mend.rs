//! Where the worker writes, builds and shows a project that is to be mended: what `site_check::repair` asks for, of this
//! attempt's materials. The rounds and what is worth keeping are decided there.

use super::{Bench, scratch, write_files};
use crate::{
    compare::Tools,
    failure,
    materials::Files,
    phase::{tool, transform},
    progress::Teller,
};
use domain::{Failure, phase::Phase};
use serde_json::json;
use site_check::{Comparison, compare, project, repair};
use site_read::Snapshot;
use site_write::{Keeps, Plan, Project};
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// One attempt's bench for it.
pub(super) struct Table<'a> {
    pub(super) bench: &'a Bench,
    pub(super) tools: &'a Tools,
    pub(super) teller: &'a Teller,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Table<'_> {
    /// Stores a project's files, those that are not stored yet.
    pub(super) async fn keep(&self, project: Project) -> Result<Files, Failure> {
        transform::keep(self.bench, project, &|_, _, _| {}).await
    }

    /// Builds the project and shows these pages, or those that the options let be shown; what the build said if it failed.
    pub(super) async fn look(
        &self,
        plan: &Plan,
        files: &Files,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Result<Comparison, String>, Failure> {
        let within = self.bench.shop.config.scratch.as_deref();
        let folder = scratch(within).map_err(|error| failure::of_scratch(&error))?;
        write_files(self.bench, files, folder.path(), |_| true).await?;
        self.teller.tell(2, super::STEPS, tool(Phase::Verify), "Building the project");
        let build = self.tools.workshop.build(folder.path()).await.map_err(|error| broken(&error))?;
        if !build.succeeded {
            return Ok(Err(build.said));
        }
        self.beside(plan, folder.path(), only).await.map(Ok)
    }

    async fn beside(
        &self,
        plan: &Plan,
        built: &Path,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Comparison, Failure> {
        let server = self.tools.workshop.serve(built).await.map_err(|error| broken(&error))?;
        let (snapshot, archive) = (&*self.snapshot, &self.bench.materials.bodies);
        let it = compare::Compared { plan, snapshot, archive, server: &server, only };
        let tell = |done: u64, known: u64, url: &str| {
            let figures = json!({ "pagesCompared": done, "pagesToCompare": known });
            let notes = format!("Comparing {url}");
            self.teller.tell_more(2, super::STEPS, tool(Phase::Verify), &notes, figures);
        };
        let compared = self.tools.comparer.compare(&it, &tell).await;
        server.end().await;
        compared.map_err(|error| broken(&error))
    }
}

impl repair::Bench for Table<'_> {
    type Error = Failure;

    async fn write(&self, plan: &Plan, keeps: &Keeps) -> Result<Option<(Plan, Project)>, Failure> {
        let materials = &self.bench.materials;
        let notes = "Writing pages that differ with more of their own";
        self.teller.tell(2, super::STEPS, tool(Phase::Verify), notes);
        let texts = materials.texts(&self.snapshot).await?;
        let (plan, keeps, snapshot) = (plan.clone(), keeps.clone(), Arc::clone(&self.snapshot));
        let writing = move || -> site_write::Result<Option<(Plan, Project)>> {
            let plan = site_write::keeping(&plan, &keeps, &snapshot, &*texts)?;
            let project = project::write(&plan, &snapshot, &*texts)?;
            let sound = site_check::verify(&plan, &snapshot, &*texts, &project).passed();
            Ok(sound.then_some((plan, project)))
        };
        materials.cpu.run(writing).await?.map_err(|error| failure::of_writing(&error))
    }

    async fn measure(
        &self,
        plan: &Plan,
        project: &Project,
        pages: &BTreeSet<String>,
    ) -> Result<Option<Comparison>, Failure> {
        let files = self.keep(project.clone()).await?;
        Ok(self.look(plan, &files, Some(pages)).await?.ok())
    }
}

fn broken(error: &site_check::Error) -> Failure {
    failure::of_checking(error, "compared with the site")
}
