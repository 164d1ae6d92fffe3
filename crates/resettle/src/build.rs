//! Builds a project as its owner would, with `next build`, shut in a cell where this machine has one. The packages are those
//! of the project's own lock file, installed once for all projects and then linked in, so the project can be started at once.

use crate::{cache, terminal::note};
use site_check::{Bounds, Build, Toolchain, Workshop};
use std::path::Path;

/// Why there is no build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the packages that it needs are not there")]
    Packages(#[source] site_check::Error),
    #[error("`next build` cannot be run")]
    Run(#[source] site_check::Error),
    #[error("`next build` failed; the end of what it said:\n{said}")]
    Failed { said: String },
}

/// Builds it, and leaves the packages beside it.
pub(crate) async fn build(project: &Path) -> Result<(), Error> {
    note("building the project: next build");
    let toolchain = Toolchain::prepare(&cache::toolchain()).await.map_err(Error::Packages)?;
    toolchain.install_into(project).await.map_err(Error::Packages)?;
    let built = run(project, toolchain).await.map_err(Error::Run)?;
    if !built.succeeded {
        return Err(Error::Failed { said: built.said });
    }
    note(built.said);
    Ok(())
}

/// On the user's own machine a build without a cell is what `npm run build` does anyway; it is said all the same.
async fn run(project: &Path, toolchain: Toolchain) -> site_check::Result<Build> {
    match Workshop::open(toolchain, Bounds::default()) {
        Ok(workshop) => workshop.build(project).await,
        Err(why) => {
            note(format_args!("it is built without confinement: {why}"));
            site_check::build(project).await
        }
    }
}
