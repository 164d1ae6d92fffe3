//! The handle that everything hangs on: a pool of connections, all with one role.

use crate::{Options, Result};

/// The database, as one role sees it. Cheap to clone.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Makes the pool and proves that the database answers.
    pub async fn connect(options: &Options) -> Result<Self> {
        let _ = options;
        todo!()
    }

    /// Does the database answer?
    pub async fn ping(&self) -> Result<()> {
        todo!()
    }

    /// Is the database's schema one that this binary can run on?
    pub async fn check_schema(&self) -> Result<()> {
        todo!()
    }
}
