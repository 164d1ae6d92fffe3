//! The schema's steps, embedded, and which of them a binary can live with.

use crate::{Options, Result};

/// The highest embedded step.
pub const VERSION: i32 = match i32::from_str_radix(env!("RESETTLE_SCHEMA_VERSION"), 10) {
    Ok(version) => version,
    Err(_) => panic!("the build script writes a number"),
};

/// What [`migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The steps that were applied now, in order, like `V3__tenancy`.
    pub steps: Vec<String>,
    /// The database's step afterwards.
    pub version: i32,
}

/// Applies the steps that are missing, as the owner. Safe to run from many processes at once.
pub async fn migrate(options: &Options) -> Result<Applied> {
    let _ = options;
    todo!()
}
