//! What lets a crawl of any size keep to the same memory: a map whose entries are on disk when they are many, and one
//! file that holds many bodies.
//!
//! Used by the crawl, its archive and the cache alike. Nothing here knows of addresses or answers. Reads and writes are
//! short and go through the system's cache, so they are made where the caller runs.

mod pack;
mod table;

pub use pack::{Pack, Place, Records};
pub use table::{Key, Table};
