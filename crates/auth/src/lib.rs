//! Who is calling: API keys, made here and looked up through `store`, and the sessions that browsers get for them.
//!
//! Must never log or return a key's plaintext after [`generate`], and must never tell by its answer or its
//! time whether a prefix exists. Start at [`identify`].
#![warn(missing_docs)]

mod caller;
mod key;
mod origins;
mod session;

pub use caller::{Caller, Error, Role, authenticate};
pub use key::{NewKey, Plaintext, generate};
pub use origins::{Origin, Origins, Sent};
pub use session::{Session, identify, sign_in, sign_out};
