//! The guarded fetcher: the one door for every request that a user's input can steer.
//!
//! It must never send a byte to an address that it did not check: a name is resolved once, every
//! answer is held against the special-purpose registries, and the connection is made to exactly the
//! addresses that passed. It must never follow a redirect unseen, keep cookies, use a proxy from the
//! environment, or be opened by the environment: only [`Options::allow`] opens `address:port` pairs.
//!
//! Ports: 80 and 443 anywhere that is public; any other port only where its `address:port` pair is
//! named in [`Options::allow`].
//!
//! Start at [`Fetcher`]; the rules are in `guard.rs` and the table in `ranges.rs`.

mod body;
mod client;
mod error;
mod fetcher;
mod guard;
mod host;
mod options;
pub mod ranges;
mod resolve;
mod retry_after;
pub mod robots;

pub use error::{Error, Refused, Result};
pub use fetcher::{Fetched, Fetcher, Hop};
pub use options::Options;
pub use resolve::{Resolve, SystemResolver};
