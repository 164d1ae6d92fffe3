//! The project built and held against its site in a browser, where this machine can: in a cell, in a copy of its own, so
//! that nothing of it is left in the project.

use super::make::{self, Made};
use crate::{crawl::show::Show, tools::Tools};
use site_check::{
    Check, Comparison, Problem,
    compare::Compared,
    repair::{self, Tried},
};
use site_read::FolderArchive;
use site_write::{Keeps, Plan, Project};
use std::{collections::BTreeSet, path::Path};

/// The name of the check that is the build.
const BUILD: &str = "build";
/// So many of the pages that differ are named while they are written anew.
const NAMED: usize = 5;

/// What came of it.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) comparison: Option<Comparison>,
    /// What was not measured, and why.
    pub(super) missing: Vec<String>,
}

impl Measured {
    /// Neither built nor compared.
    pub(super) fn missing(why: &str) -> Self {
        Self { comparison: None, missing: vec![format!("build and browser: {why}")] }
    }
}

impl Tools {
    /// Builds and compares, and mends what can be mended; a build that fails is a check that fails.
    pub(super) async fn measure(
        &self,
        made: Made,
        archive: &FolderArchive,
        show: &Show,
    ) -> Result<(Made, Measured), make::Error> {
        let (plan, project) = (made.plan.clone(), made.project.clone());
        let bench = Bench { tools: self, made: &made, archive, show };
        match bench.look(&plan, &project, None).await? {
            Ok(comparison) => {
                let first = Tried { plan, project, comparison };
                let Tried { plan, comparison, .. } = repair::repair(&bench, first).await?;
                let mut made = made.by(plan).await?;
                comparison.tell(&mut made.project);
                made.checks.checks.push(Check { name: BUILD.to_owned(), problems: Vec::new() });
                Ok((made, Measured { comparison: Some(comparison), missing: Vec::new() }))
            }
            Err(said) => {
                let problems = vec![Problem { file: "package.json".to_owned(), message: said }];
                let mut made = made;
                made.checks.checks.push(Check { name: BUILD.to_owned(), problems });
                let missing = vec!["browser: the project does not build".to_owned()];
                Ok((made, Measured { comparison: None, missing }))
            }
        }
    }
}

/// Where one site's projects are written, built and shown.
struct Bench<'a> {
    tools: &'a Tools,
    made: &'a Made,
    archive: &'a FolderArchive,
    show: &'a Show,
}

impl Bench<'_> {
    /// Builds the project in a folder of its own and shows these pages, or those that the options let be shown; what the
    /// build said if it failed.
    async fn look(
        &self,
        plan: &Plan,
        project: &Project,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Result<Comparison, String>, make::Error> {
        let failed = |source| make::Error::Io { doing: "making a scratch folder", source };
        let scratch = tempfile::Builder::new().prefix("resettle-build-").tempdir().map_err(failed)?;
        make::put(project, scratch.path(), self.archive).await?;
        self.show.step("building the project");
        let built = self.tools.workshop.build(scratch.path()).await.map_err(make::Error::Measuring)?;
        if !built.succeeded {
            return Ok(Err(built.said));
        }
        let compared = self.compare(plan, scratch.path(), only).await;
        compared.map(Ok).map_err(make::Error::Measuring)
    }

    async fn compare(
        &self,
        plan: &Plan,
        built: &Path,
        only: Option<&BTreeSet<String>>,
    ) -> site_check::Result<Comparison> {
        let server = self.tools.workshop.serve(built).await?;
        let snapshot = &self.made.sources.snapshot;
        let it = Compared { plan, snapshot, archive: self.archive, server: &server, only };
        let tell = |done: u64, known: u64, url: &str| {
            self.show.step(&format!("comparing page {} of {known}: {url}", done + 1));
        };
        let compared = self.tools.comparer.compare(&it, &tell).await;
        server.end().await;
        compared
    }
}

impl repair::Bench for Bench<'_> {
    type Error = make::Error;

    async fn write(&self, plan: &Plan, keeps: &Keeps) -> Result<Option<(Plan, Project)>, make::Error> {
        let differ: Vec<&str> = keeps.pages.keys().map(String::as_str).take(NAMED).collect();
        let more = if keeps.pages.len() > NAMED { " and others" } else { "" };
        let differ = format!("writing pages that differ with more of their own: {}{more}", differ.join(", "));
        self.show.step(&differ);
        let made = self.made.keeping(plan, keeps).await?;
        Ok(made.is_sound().then_some((made.plan, made.project)))
    }

    async fn measure(
        &self,
        plan: &Plan,
        project: &Project,
        pages: &BTreeSet<String>,
    ) -> Result<Option<Comparison>, make::Error> {
        Ok(self.look(plan, project, Some(pages)).await?.ok())
    }
}
