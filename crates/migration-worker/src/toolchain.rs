//! The compiler that looks at written projects, where the machine has one. That it is missing is said aloud,
//! once in the log and in each result that it could not check.

use serde::Deserialize;
use site_check::{Problem, Toolchain};
use std::path::{Path, PathBuf};
use tokio::sync::OnceCell;

/// Where the toolchain is. Node itself is looked for on the path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the compiler's packages are installed, once per version. Without it nothing is type-checked.
    pub dir: Option<PathBuf>,
}

/// What the compiler said of a project.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// These problems, or none.
    Checked(Vec<Problem>),
    /// There is none here; why, for the log.
    Missing(String),
    /// It is there and gave no answer, or not in time.
    Broken(site_check::Error),
}

/// Prepares the toolchain when it is first needed.
pub(crate) struct Checker {
    options: Options,
    toolchain: OnceCell<Toolchain>,
}

impl Checker {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, toolchain: OnceCell::new() }
    }

    pub(crate) async fn check(&self, project: &Path) -> Verdict {
        let toolchain = match self.toolchain().await {
            Ok(toolchain) => toolchain,
            Err(why) => return Verdict::Missing(why),
        };
        match site_check::type_check(project, toolchain).await {
            Ok(problems) => Verdict::Checked(problems),
            Err(error) => Verdict::Broken(error),
        }
    }

    /// The packages; why there are none is for the log.
    pub(crate) async fn toolchain(&self) -> Result<&Toolchain, String> {
        self.toolchain.get_or_try_init(|| self.prepare()).await
    }

    async fn prepare(&self) -> Result<Toolchain, String> {
        let Some(dir) = &self.options.dir else {
            return Err("no folder for the toolchain is configured".into());
        };
        Toolchain::prepare(dir).await.map_err(|error| {
            let error = service_kit::exit::chain(&error);
            tracing::warn!(error, "projects are not type-checked here");
            error
        })
    }
}
