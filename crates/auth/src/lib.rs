//! Who is calling: API keys, made here and looked up through `store`.
//!
//! Must never log or return a key's plaintext after [`generate`], and must never tell by its answer or its
//! time whether a prefix exists. Start at [`authenticate`].
#![warn(missing_docs)]

mod caller;
mod key;

pub use caller::{Caller, Error, Role, authenticate};
pub use key::{NewKey, Plaintext, generate};
