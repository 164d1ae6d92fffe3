//! Where a crawl stops, and what it tells while it runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The bounds of a crawl. All but the time cut in canonical order, so that a cut result is the same
/// each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most pages kept.
    pub max_pages: usize,
    /// Most links between the start page and a page.
    pub max_depth: u32,
    /// Most assets kept.
    pub max_assets: usize,
    /// Most bytes kept, pages and assets together.
    pub max_bytes: u64,
    /// Longest run; a crawl that it cuts is not the same each time and says so.
    #[serde(with = "humantime_serde")]
    pub max_time: Duration,
    /// Most addresses that differ only in numbers and values and say the same.
    pub max_query_variants: usize,
    /// Whether only pages below the start page's folder are read; what they are made of is read wherever on
    /// the site it is.
    pub below_start: bool,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Whether pages that show themselves only in a browser are rendered.
    pub render: Render,
    /// Among how many pages, the first in canonical order, such are rendered; and of how many others the scripts are run.
    pub max_rendered: usize,
    /// Whether the scripts of other pages are run, too, for the files that only they ask for and the pages that only they link
    /// to. With [`Render::Auto`] alone.
    pub run_scripts: bool,
}

/// Whether pages are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Render {
    /// Those that need it, if there is a browser.
    #[default]
    Auto,
    /// None: all are taken as they were sent.
    Never,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pages: 500,
            max_depth: 32,
            max_assets: 10_000,
            max_bytes: 2 * 1024 * 1024 * 1024,
            max_time: Duration::from_secs(30 * 60),
            max_query_variants: 50,
            below_start: false,
            concurrency: 6,
            render: Render::Auto,
            max_rendered: 100,
            run_scripts: true,
        }
    }
}

/// How far a crawl is: units done over units known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Addresses of pages that were answered.
    pub pages_done: u64,
    /// Addresses of pages found so far.
    pub pages_known: u64,
    /// Addresses of assets that were answered.
    pub assets_done: u64,
    /// Addresses of assets found so far.
    pub assets_known: u64,
    /// The address that was answered last.
    pub current: String,
}
