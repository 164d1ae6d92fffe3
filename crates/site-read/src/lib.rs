//! Reading a website: the crawl, and the snapshot that everything later works from.
//!
//! Nothing here opens a connection by itself: all requests go through `site_fetch`. The snapshot of
//! one and the same site is the same whatever the order in which its answers came. A fault of a page
//! or an asset becomes a [`Finding`]; only the start page's failure ends the crawl.
//!
//! Start at [`read`]; [`Snapshot`] is the result and [`Index`] finds pages in it. [`analysis`] tells what pages and
//! site are made of. [`journal`] is what a crawl
//! that was interrupted goes on from.

mod allowance;
pub mod analysis;
mod archive;
pub mod charset;
mod crawl;
pub mod css;
mod error;
mod fingerprints;
mod frontier;
mod index;
#[cfg(any(test, fuzzing))]
pub mod invariants;
mod javascript;
pub mod journal;
pub mod lazy;
mod limits;
pub mod markup;
mod media_type;
mod nesting;
mod page;
pub mod render;
mod shelf;
mod sitemap;
mod snapshot;
mod spill;
mod srcset;
mod trap;
pub mod tree;
mod web_address;

pub use archive::{Archive, ContentHash, FolderArchive, MemoryArchive};
pub use crawl::{Entries, Gathered, Reading, crawl, gather, read};
pub use error::{Error, Result};
pub use index::Index;
pub use limits::{Limits, Progress, Render};
pub use snapshot::{Alias, Asset, Finding, LeftOut, Page, Picture, Redirect, Rendering, Snapshot};
pub use srcset::candidates as srcset_candidates;
pub use web_address::{normal_form, same_origin, without_cache_buster, without_fragment};
