//! Why a bell did not ring.

use domain::Kind;

/// A `Result` of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a message was not taken, or a bell could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection now; it is being built up in the background.
    #[error("the bell is not connected")]
    Unavailable,
    /// The broker did not answer in time: the message may or may not have been taken.
    #[error("the broker did not confirm in time")]
    TimedOut,
    /// The broker took the message and found no queue for it.
    #[error("the broker returned the message: no queue takes it")]
    Returned,
    /// The broker refused the message, for instance because the queue is full.
    #[error("the broker refused the message")]
    Refused,
    /// The connection or channel broke while the message was on its way.
    #[error("the broker's connection failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The options cannot be used.
    #[error("the bell's options cannot be used: {0}")]
    Invalid(String),
}

impl Error {
    /// What sort of "no" it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unavailable | Self::TimedOut | Self::Returned | Self::Refused | Self::Broken(_) => {
                Kind::Unavailable
            }
            Self::Invalid(_) => Kind::Invalid,
        }
    }
}
