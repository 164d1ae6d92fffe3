//! What came of one request, as data that can be stored and read back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::analysis::PageAnalysis;
use crate::snapshot::{Asset, Page};

/// What came of one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Visit {
    /// The home page and the way to it.
    Door(Box<Door>),
    /// A page.
    Page(Box<PageVisit>),
    /// A file.
    Asset(Box<AssetVisit>),
    /// What a sitemap names.
    Sitemap(Box<SitemapVisit>),
    /// What came of a page's scripts when they ran.
    Requested(Requested),
    /// A redirect that was not followed at once.
    Redirect {
        /// Where it leads.
        to: Url,
        /// HTTP status.
        status: u16,
    },
    /// Nothing to keep.
    Left {
        /// Stable name of the reason, as in findings.
        code: Cow<'static, str>,
        /// What a person should know.
        note: String,
    },
    /// Nothing to keep, for a reason that may pass: a crawl that is taken up asks again.
    Failed {
        /// Stable name of the reason, as in findings.
        code: Cow<'static, str>,
        /// What a person should know.
        note: String,
    },
    /// How long the crawl had run when this was recorded.
    Clock {
        /// Milliseconds, all its processes together.
        millis: u64,
    },
}

/// What only the scripts of a page name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// Files that they asked for.
    pub files: Vec<Url>,
    /// What the page linked to when they had run, absolute and without fragments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Url>,
    /// Whether it linked to more than is taken from one page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// The home page and the way to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// Where the start address led.
    pub home: Url,
    /// Redirects on the way, in their order.
    pub steps: Vec<Step>,
    /// Addresses of sitemaps that robots.txt names, as written.
    pub sitemaps: Vec<String>,
    /// The page.
    pub page: PageVisit,
}

/// One redirect on the way to the home page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The address that redirected.
    pub from: Url,
    /// Where to.
    pub to: Url,
    /// HTTP status.
    pub status: u16,
}

/// A page that was read and whose body is in the archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageVisit {
    /// What the snapshot says of it; its depth is set when it is merged.
    pub page: Page,
    /// Length of the body.
    pub bytes: u64,
    /// Whether a visitor without script would see anything.
    pub visible: bool,
    /// What it leads to, absolute and without fragments, each once, in document order.
    pub links: Vec<Url>,
    /// What it is made of, likewise.
    pub assets: Vec<Url>,
    /// Whether it refers to more than is taken from one page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// What the page says, made short: a hash of its text without digits. Pages of one family that say
    /// the same are alike. Only taken where the address tells that there may be many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gist: Option<u64>,
    /// The scripts by which it may ask for more, where these are still to be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scripts: Option<Scripts>,
    /// What it is made of.
    pub analysis: PageAnalysis,
    /// What should be known of it: each becomes a finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// What scripts a page runs, as far as these may ask for files or make links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scripts {
    /// The same for pages with the same ones.
    pub name: u64,
    /// Whether one that stands in the page does.
    pub ask: bool,
    /// The others, absolute.
    pub files: Vec<Url>,
}

/// Something that was noticed while a page was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Stable name of the kind, as in findings.
    pub code: Cow<'static, str>,
    /// What a person should know.
    pub note: String,
}

impl PageVisit {
    /// Whether both are the same page, but for numbers or a few words.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        self.page.html == other.page.html
            || (self.gist.is_some() && self.gist == other.gist)
            || self.analysis.text.is_like(&other.analysis.text)
    }
}

/// A file that was stored, and what it refers to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetVisit {
    /// What the snapshot says of it.
    pub asset: Asset,
    /// What it is made of, absolute.
    pub references: Vec<Url>,
    /// Pages that a feed, a sitemap or a manifest names, absolute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Url>,
    /// Whether it refers to more than is taken from one file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Whether it is a script that asks for files or makes links.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// Whether it is a script that registers a service worker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub registers: bool,
    /// The redirect on the way: its first status and its last target.
    pub redirect: Option<(u16, Url)>,
}

/// What a sitemap names, absolute and within the site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SitemapVisit {
    /// Pages.
    pub pages: Vec<Url>,
    /// Pictures and films.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Url>,
    /// Whether it names more than is taken from one sitemap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Further sitemaps.
    pub sitemaps: Vec<Url>,
    /// The file itself, whose body is in the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Asset>,
}
