//! The project built and held against its site in a browser, where this machine can: in a cell, in a copy of its own, so
//! that nothing of it is left in the project.

use super::make::{self, Made};
use crate::{cache, crawl::show::Show};
use clap::ValueEnum;
use service_kit::exit::chain;
use site_check::{
    Bounds, Check, Comparer, Comparison, Problem, Toolchain, Workshop,
    compare::{Compared, Options},
};
use site_read::FolderArchive;
use std::path::Path;

// Without a comment for each: clap would then write a screen for every option.
/// Whether projects are built and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// What builds and what compares.
pub(super) struct Tools {
    workshop: Workshop,
    comparer: Comparer,
}

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
    /// Looks for them; why there are none, otherwise.
    pub(super) async fn find(pages: usize) -> Result<Self, String> {
        let comparer = Comparer::open(Options { pages, ..Options::default() });
        let comparer = comparer.map_err(|error| chain(&error))?;
        let toolchain = Toolchain::prepare(&cache::toolchain()).await.map_err(|error| chain(&error))?;
        let workshop = Workshop::open(toolchain, Bounds::default()).map_err(|error| chain(&error))?;
        Ok(Self { workshop, comparer })
    }

    /// Builds and compares; a build that fails is a check that fails.
    pub(super) async fn measure(
        &self,
        made: &mut Made,
        archive: &FolderArchive,
        show: &Show,
    ) -> Result<Measured, make::Error> {
        let failed = |source| make::Error::Io { doing: "making a scratch folder", source };
        let scratch = tempfile::Builder::new().prefix("resettle-build-").tempdir().map_err(failed)?;
        made.put(scratch.path(), archive).await?;
        show.step("building the project");
        let built = self.workshop.build(scratch.path()).await.map_err(make::Error::Measuring)?;
        let problem = || Problem { file: "package.json".to_owned(), message: built.said.clone() };
        let problems = if built.succeeded { Vec::new() } else { vec![problem()] };
        made.checks.checks.push(Check { name: "build".to_owned(), problems });
        if !built.succeeded {
            let missing = vec!["browser: the project does not build".to_owned()];
            return Ok(Measured { comparison: None, missing });
        }
        let comparison = self.compare(made, archive, scratch.path(), show).await;
        let comparison = comparison.map_err(make::Error::Measuring)?;
        Ok(Measured { comparison: Some(comparison), missing: Vec::new() })
    }

    async fn compare(
        &self,
        made: &Made,
        archive: &FolderArchive,
        built: &Path,
        show: &Show,
    ) -> site_check::Result<Comparison> {
        let server = self.workshop.serve(built).await?;
        let snapshot = &made.sources.snapshot;
        let it = Compared { plan: &made.plan, snapshot, archive, server: &server };
        let tell = |done: u64, known: u64, url: &str| {
            show.step(&format!("comparing page {} of {known}: {url}", done + 1));
        };
        let compared = self.comparer.compare(&it, &tell).await;
        server.end().await;
        compared
    }
}
