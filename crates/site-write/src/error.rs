//! What can keep a plan or a project from being written.

/// Why no plan or project came out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A body that the snapshot names is not held.
    #[error("the stored body of {url} is missing")]
    MissingBody {
        /// What the body belongs to.
        url: String,
    },
    /// The snapshot has no page that could become a route.
    #[error("the snapshot holds no page that answered with HTML")]
    NoPages,
    /// The start address of the snapshot is no URL.
    #[error("the snapshot's home address is not a URL")]
    Home(#[source] url::ParseError),
    /// The plan was made by another version of this program.
    #[error("the plan has version {found}, this program reads those from {oldest} to {newest}")]
    PlanVersion {
        /// In the plan.
        found: u32,
        /// The first that this program reads.
        oldest: u32,
        /// The one that it writes.
        newest: u32,
    },
    /// The text is no plan.
    #[error("the plan cannot be read")]
    PlanText(#[source] serde_json::Error),
    /// The plan and the snapshot do not belong together.
    #[error("the plan names {what}, which the snapshot does not hold")]
    PlanMismatch {
        /// The thing that is missing.
        what: String,
    },
}
