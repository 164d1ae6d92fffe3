//! What builds projects and shows them in a browser on this machine, both shut in cells. That it is missing is for the
//! command to judge.

use crate::cache;
use clap::ValueEnum;
use service_kit::exit::chain;
use site_check::{Bounds, Comparer, Toolchain, Workshop, compare::Options};
use site_write::Next;

// Without a comment for each: clap would then write a screen for every option.
/// Whether projects are built and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// What builds and what shows.
pub(crate) struct Tools {
    pub(crate) workshop: Workshop,
    pub(crate) comparer: Comparer,
}

impl Tools {
    /// Looks for them; why there are none, otherwise.
    pub(crate) async fn find(options: Options, next: Next) -> Result<Self, String> {
        let comparer = Comparer::open(options).map_err(|error| chain(&error))?;
        let toolchain =
            Toolchain::prepare_for(&cache::toolchain(), next).await.map_err(|error| chain(&error))?;
        let workshop = Workshop::open(toolchain, Bounds::default()).map_err(|error| chain(&error))?;
        Ok(Self { workshop, comparer })
    }
}
