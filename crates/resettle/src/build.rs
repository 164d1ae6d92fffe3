//! Builds a project as its owner would, with `next build`. The packages are those of the project's own lock file,
//! installed once for all projects and then linked in, so the project can be started at once.

use crate::{cache, terminal::note};
use site_check::Toolchain;
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
    let built = site_check::build(project).await.map_err(Error::Run)?;
    if !built.succeeded {
        return Err(Error::Failed { said: built.said });
    }
    note(built.said);
    Ok(())
}
