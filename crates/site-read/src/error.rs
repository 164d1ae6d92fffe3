//! What ends a crawl. Only the start page's failure and a failing archive do.

use std::io;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The site could not be reached.
    #[error("the site cannot be reached at {url}")]
    Unreachable {
        /// The address asked.
        url: String,
        /// What the fetcher said.
        #[source]
        source: site_fetch::Error,
    },
    /// The site answers with an error.
    #[error("the site answers {status} for {url}")]
    Status {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The start page is something else than HTML.
    #[error("the start page is {content_type}, not HTML")]
    NotHtml {
        /// What it is.
        content_type: String,
    },
    /// The start page shows nothing.
    #[error("the start page has no visible content")]
    Empty,
    /// The start page nests so deep that it cannot be read safely.
    #[error("the start page nests too deep to be read")]
    TooDeep,
    /// The site's robots.txt forbids the start page.
    #[error("the site's robots.txt forbids reading the start page")]
    RobotsForbid,
    /// The guard refused the start address or a redirect of it.
    #[error("the address may not be fetched")]
    Refused(#[source] site_fetch::Error),
    /// A body could not be stored.
    #[error("a body could not be stored")]
    Archive(#[source] io::Error),
    /// What was read could not be recorded, or what was recorded could not be read.
    #[error("the crawl's journal could not be used")]
    Journal(#[source] io::Error),
    /// A temporary file could not be written or read.
    #[error("the crawl's temporary files could not be used")]
    Scratch(#[from] io::Error),
}

impl Error {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "SITE_UNREACHABLE",
            Self::Status { .. } => "SITE_STATUS",
            Self::NotHtml { .. } => "SITE_NOT_HTML",
            Self::Empty => "SITE_EMPTY",
            Self::TooDeep => "SITE_TOO_DEEP",
            Self::RobotsForbid => "SITE_ROBOTS_FORBID",
            Self::Refused(_) => "SITE_REFUSED",
            Self::Archive(_) => "ARCHIVE_UNAVAILABLE",
            Self::Journal(_) => "JOURNAL_UNAVAILABLE",
            Self::Scratch(_) => "SCRATCH_UNAVAILABLE",
        }
    }

    /// Whether a later try may succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.is_transient(),
            Self::Status { status, .. } => may_pass(*status),
            Self::Archive(_) | Self::Journal(_) | Self::Scratch(_) => true,
            Self::NotHtml { .. } | Self::Empty | Self::TooDeep | Self::RobotsForbid | Self::Refused(_) => {
                false
            }
        }
    }
}

/// Whether a server that answers so may answer otherwise later: it has too much to do, or a fault.
pub(crate) const fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}
