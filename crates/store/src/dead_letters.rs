//! Dead letters, as people settle them: listed and looked into, replayed one by one or many at a time, discarded with a
//! reason. The letters themselves are written by the transaction in which their job dies.

mod discard;
mod many;
mod read;
mod replay;
mod retry;

pub use discard::DiscardOutcome;
pub use many::{NewReplay, Preview, ReplayRecord};
pub use read::{DeadLetter, DeadLetterInFull, DeadLetterPage, TransitionRecord};
pub(crate) use read::{moves_of, read_letter, read_move};
pub use replay::ReplayOutcome;
pub use retry::{JobRetry, JobRetryOutcome};
