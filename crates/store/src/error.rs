//! What can go wrong between us and the database, and what sort of "no" each is. Never holds row contents.

use domain::{IllegalMove, Kind};
use std::error::Error as StdError;
use tokio_postgres::error::SqlState;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// Why a call of the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options cannot be used.
    #[error("the database options cannot be used: {reason}")]
    BadOptions {
        /// What is wrong with them, without the URL.
        reason: String,
    },
    /// The database cannot be reached, is shutting down, or did not answer in time. Later may work.
    #[error("the database is not available ({doing})")]
    Unavailable {
        /// The statement or step that was tried.
        doing: &'static str,
        /// What the driver or the pool said.
        #[source]
        source: Source,
    },
    /// The role that a service logs in with could see every tenant's rows.
    #[error(
        "the role {role} is {how}, so nothing would keep tenants apart: log in with the service's own role \
         (resettle_gateway, resettle_worker or resettle_broadcaster) in store.url"
    )]
    UnboundRole {
        /// The role.
        role: String,
        /// What it is.
        how: &'static str,
    },
    /// Services are connected where none may be.
    #[error("{connections} connections of services are open: stop every service first")]
    InUse {
        /// How many.
        connections: i64,
    },
    /// The database lacks steps that this binary needs.
    #[error(
        "the database is at schema step {database} and this program needs step {binary}: start it once with \
         --migrate (and the owner's database URL) to apply what is missing"
    )]
    SchemaBehind {
        /// The last step applied; 0 for an empty database.
        database: i32,
        /// The last step that this binary knows.
        binary: i32,
    },
    /// The database has moved on to where this binary cannot follow.
    #[error(
        "the database is at schema step {database}, which programs older than step {min_reader} cannot use, and \
         this one knows step {binary}: run a newer release of this program"
    )]
    SchemaTooNew {
        /// The last step applied.
        database: i32,
        /// The lowest step that a binary must know.
        min_reader: i32,
        /// The last step that this binary knows.
        binary: i32,
    },
    /// A schema step could not be applied.
    #[error("the schema could not be brought up to date")]
    Migrate {
        /// What refinery said.
        #[source]
        source: Source,
    },
    /// The database refused a statement: a constraint, a missing right, a fault in the statement.
    #[error("the database refused {doing}")]
    Refused {
        /// The statement.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// More than one statement takes; nothing was written.
    #[error("{doing} takes at most {most} at once")]
    TooMany {
        /// The command.
        doing: &'static str,
        /// The bound.
        most: usize,
    },
    /// A move that a table of moves, a job's or a migration's, does not hold.
    #[error("{doing} was refused")]
    Illegal {
        /// The command.
        doing: &'static str,
        /// Which move.
        #[source]
        source: IllegalMove,
    },
    /// Rows that contradict each other, or that the code cannot read.
    #[error("the database holds what it should not: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
}

impl Error {
    /// What sort of "no" this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unavailable { .. }
            | Self::InUse { .. }
            | Self::SchemaBehind { .. }
            | Self::SchemaTooNew { .. } => Kind::Unavailable,
            Self::BadOptions { .. }
            | Self::UnboundRole { .. }
            | Self::Migrate { .. }
            | Self::Refused { .. }
            | Self::TooMany { .. }
            | Self::Illegal { .. }
            | Self::Corrupt { .. } => Kind::Internal,
        }
    }

    /// Is it the configuration that has to be changed?
    pub fn is_misconfigured(&self) -> bool {
        matches!(self, Self::BadOptions { .. } | Self::UnboundRole { .. })
    }

    /// Sorts what the driver says into "later may work" and "never will".
    pub(crate) fn from_driver(doing: &'static str, source: tokio_postgres::Error) -> Self {
        match source.code() {
            Some(code) if !may_pass(code) => Self::Refused { doing, source },
            // Without a code it is the connection that failed, not the statement, unless a value of ours did
            // not fit its column: that has a source that is no I/O error, and no database is to blame.
            None if !source.is_closed() && !is_io(&source) => Self::Refused { doing, source },
            _ => Self::Unavailable { doing, source: Box::new(source) },
        }
    }

    /// Was the transaction ended by Postgres to resolve a race, so that the same may pass now?
    pub(crate) fn is_lost_race(&self) -> bool {
        let Self::Unavailable { source, .. } = self else { return false };
        let code = source.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.code());
        code.is_some_and(|code| LOST_RACES.contains(code))
    }

    /// Has the server on the other side stopped taking writes? Its connection is of no use any more.
    pub(crate) fn is_read_only(&self) -> bool {
        let Self::Unavailable { source, .. } = self else { return false };
        let code = source.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.code());
        code == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

const LOST_RACES: &[SqlState] = &[SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];

fn may_pass(code: &SqlState) -> bool {
    // Connection trouble, too few resources, an operator's intervention (shutdown, crash, statement timeout), a disk's
    // failure.
    let classes = ["08", "53", "57", "58"];
    classes.iter().any(|class| code.code().starts_with(class))
        || LOST_RACES.contains(code)
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        // Another server has become the one to write to: a fresh connection finds it.
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    StdError::source(error).is_some_and(|source| source.is::<std::io::Error>())
}
