//! Why a check could not be made. That a check found problems is no error.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is not on this machine.
    #[error("{program} cannot be run: Node.js 20.9 or newer with npm is needed")]
    Missing {
        /// `node` or `npm`.
        program: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Node is there and too old.
    #[error("the Node.js here is {found}, and 20.9 or newer is needed")]
    TooOld {
        /// What `node --version` said.
        found: String,
    },
    /// A program did not come to an end.
    #[error("{command} was not done after {} s", bound.as_secs())]
    Endless {
        /// What was run.
        command: String,
        /// How long it had.
        bound: Duration,
    },
    /// A program failed in a way that says nothing about the project.
    #[error("{command} failed ({status}): {said}")]
    Failed {
        /// What was run.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        said: String,
    },
    /// `next start` did not come so far that it could be reached.
    #[error("next start does not listen: {said}")]
    Unserved {
        /// The end of what it said.
        said: String,
    },
    /// The served project could not be asked.
    #[error("the served project does not answer")]
    Asking(#[source] io::Error),
    /// No browser could be started.
    #[error("the browser could not be started")]
    Browser(#[source] site_read::render::Error),
    /// A picture could not be kept in the archive.
    #[error("a picture of the comparison could not be kept")]
    Keeping(#[source] io::Error),
    /// A file or folder could not be used.
    #[error("{} could not be used", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Did something take longer than it may, rather than fail?
    pub fn is_overdue(&self) -> bool {
        match self {
            Self::Endless { .. } | Self::Browser(site_read::render::Error::TimedOut { .. }) => true,
            Self::Asking(source) => source.kind() == io::ErrorKind::TimedOut,
            Self::Missing { .. }
            | Self::TooOld { .. }
            | Self::Failed { .. }
            | Self::Unserved { .. }
            | Self::Browser(_)
            | Self::Keeping(_)
            | Self::File { .. } => false,
        }
    }
}

#[test]
fn what_took_too_long_is_told_apart_from_what_failed() {
    let limit = Duration::from_secs(7);
    let endless = Error::Endless { command: "next build".into(), bound: limit };
    assert!(endless.is_overdue());
    assert!(Error::Browser(site_read::render::Error::TimedOut { limit }).is_overdue());
    assert!(Error::Asking(io::ErrorKind::TimedOut.into()).is_overdue());
    assert!(!Error::Asking(io::ErrorKind::ConnectionRefused.into()).is_overdue());
    assert!(!Error::Unserved { said: String::new() }.is_overdue());
    assert!(!Error::Keeping(io::ErrorKind::StorageFull.into()).is_overdue());
}
