//! Dead letters, as people settle them: listed and looked into, replayed one by one or many at a time, discarded with a
//! reason. The letters themselves are written by the transaction in which their job dies.

mod discard;
mod many;
mod read;
mod replay;
mod retry;

pub use discard::DiscardOutcome;
pub use many::{NewReplay, Preview, ReplayRecord};
pub(crate) use read::read_move;
pub use read::{DeadLetter, DeadLetterInFull, DeadLetterPage, TransitionRecord};
pub use replay::ReplayOutcome;
pub use retry::{JobRetry, JobRetryOutcome};
