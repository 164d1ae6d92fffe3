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
//! It is polite: few requests at once at one host, fewer when the host is slow or says so, pauses where
//! it asks for them (`host.rs`), robots.txt by its standard ([`robots`]), and with a [`Cache`] it transfers
//! only what changed.
//!
//! [`disk`] is what cache, crawl and archive keep their state in.
//!
//! Start at [`Fetcher`]; the rules are in `guard.rs` and the table in `ranges.rs`.

mod body;
pub mod cache;
mod client;
mod coding;
pub mod disk;
mod error;
mod exchange;
mod fetched;
mod fetcher;
mod guard;
mod host;
mod names;
mod options;
pub mod proxy;
pub mod ranges;
mod resolve;
mod retry_after;
pub mod robots;
mod tls;
mod traffic;

pub use cache::Cache;
pub use error::{Error, Refused, Result};
pub use fetched::{Fetched, Hop};
pub use fetcher::{Builder, CrawlDelay, Fetcher};
pub use options::{Options, authorities};
pub use resolve::{Resolve, SystemResolver};
pub use traffic::Traffic;
