//! What ANALYZE knows of a site, as it is kept: a row for each depth, and a row for each page.
//!
//! The facts themselves are JSON that the engine makes and reads; beside them stand the columns that are asked for.
//! Pages are written in batches before the deep analysis and become visible with it, so that a reader sees all of
//! them or none. Bodies are in the object store, never here.

mod read;
mod write;

pub use read::{PageFilter, SitePageRecord};

use domain::analysis::{Depth, SizeClass};
use serde_json::Value;
use time::OffsetDateTime;

/// The most bytes of a page's facts, as JSON.
pub const MAX_PAGE_FACTS: usize = 4 * 1024 * 1024;
/// The most bytes of a site's facts, as JSON.
pub const MAX_SITE_FACTS: usize = 16 * 1024 * 1024;
/// The most pages of a run.
pub const MAX_PAGES: usize = 1_000_000;

/// What is known of a site as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// How deep this one goes.
    pub depth: Depth,
    /// How large the site is.
    pub size_class: SizeClass,
    /// Pages that were read; with a shallow analysis an estimate.
    pub pages: i32,
    /// Seconds of AI time that the migration is expected to need.
    pub ai_seconds: i64,
    /// How many problems there are, by severity.
    pub problems: ProblemCounts,
    /// Which limit cut the reading, if one did.
    pub truncated: Option<String>,
    /// Everything that was found out, as a JSON object of at most [`MAX_SITE_FACTS`] bytes.
    pub facts: Value,
}

/// Problems by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProblemCounts {
    /// Something is broken.
    pub errors: i32,
    /// Something will need a look.
    pub warnings: i32,
    /// Worth knowing.
    pub infos: i32,
}

/// An analysis as it was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalysisRecord {
    /// The run that it belongs to.
    pub run: i32,
    /// What is known.
    pub analysis: Analysis,
    /// When it was written last.
    pub updated_at: OffsetDateTime,
}

/// One page, to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct SitePage {
    /// Its address, of at most 65536 characters; no two pages of a run share one.
    pub url: String,
    /// What sort of page it is: lower case, at most 40 characters.
    pub kind: String,
    /// HTTP status.
    pub status: i16,
    /// Its title, of at most 1000 characters.
    pub title: Option<String>,
    /// Its language, of at most 100 characters.
    pub language: Option<String>,
    /// Words of text.
    pub words: i32,
    /// Links followed from the start page.
    pub depth: i32,
    /// How many problems it has.
    pub problems: i32,
    /// Their codes, each once, without white space.
    pub problem_codes: Vec<String>,
    /// The hash under which its body is stored.
    pub body_hash: String,
    /// Everything that was found out, as a JSON object of at most [`MAX_PAGE_FACTS`] bytes.
    pub facts: Value,
}
