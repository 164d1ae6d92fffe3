//! What a comparison found, as a document: stored with the project, shown to people, read by programs.
//!
//! The document is described in `docs/compare.md`. Names and codes are stable; new ones may be added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use site_read::ContentHash;
use site_write::plan::Keep;

/// A comparison of the site as it was read with the project as it was built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The shape of this document: 1.
    pub version: u32,
    /// Every gate passed, on every page and address that was looked at.
    pub passed: bool,
    /// The widths in CSS pixels that pages were shown at.
    pub widths: Vec<u32>,
    /// How many addresses were asked of the project by HTTP alone.
    pub addresses: u64,
    /// Addresses that the project answers otherwise than the site did.
    pub wrong_addresses: Vec<WrongAddress>,
    /// Pages that were shown, in the order of their addresses.
    pub pages: Vec<ComparedPage>,
    /// How many pages were not shown, because only so many are.
    pub left_out: u64,
    /// Pages that differed at first and that a repair was tried on, in the order of their addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
}

/// A page that differed at first: more of what the site had was kept of it, and it was measured again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    /// Its address in the site.
    pub url: String,
    /// Why it was refused at first.
    pub reasons: Vec<Reason>,
    /// What was kept of it.
    pub tried: Vec<Keep>,
    /// It passes now. If not, its page says what still differs.
    pub passed: bool,
}

impl Comparison {
    /// With its verdict.
    pub(super) fn judged(mut self) -> Self {
        self.passed = self.wrong_addresses.is_empty() && self.pages.iter().all(|page| page.passed);
        self
    }

    /// This one after some of its pages were shown once more, and all addresses asked.
    pub(crate) fn updated(&self, again: Self) -> Self {
        let mut pages = self.pages.clone();
        for page in again.pages {
            if let Some(known) = pages.iter_mut().find(|known| known.url == page.url) {
                *known = page;
            }
        }
        let (addresses, wrong_addresses) = (again.addresses, again.wrong_addresses);
        Self { addresses, wrong_addresses, pages, ..self.clone() }.judged()
    }
}

/// An address that the project answers otherwise than the site did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongAddress {
    /// Path and query.
    pub path: String,
    /// What the site answered: a status, and where it led.
    pub wanted: String,
    /// What the project answers.
    pub found: String,
}

/// One page, both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparedPage {
    /// Its address in the site.
    pub url: String,
    /// There is no reason to refuse it.
    pub passed: bool,
    /// How many more looks it took to pass, after one that it did not pass; 0 where it passed at once, or not at all.
    #[serde(default)]
    pub more_looks: u64,
    /// Why it is refused.
    pub reasons: Vec<Reason>,
    /// How alike its elements are, by width.
    pub elements: Vec<Elements>,
    /// What the site's page asked for.
    pub original: Traffic,
    /// What the project's page asked for.
    pub copy: Traffic,
    /// Both sides as they were shown, where pictures are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Pictured>,
}

/// Both sides of a page at one width, as PNG in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictured {
    /// In CSS pixels.
    pub width: u32,
    /// The site's.
    pub original: ContentHash,
    /// The project's.
    pub copy: ContentHash,
}

/// Why a page is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable word: `status`, `address`, `text`, `images`, `links`, `frames`, `forms`, `doctype`, `elements`, `seo`,
    /// `console`, `hydration`, `accessibility`, `requests`, `bytes` or `unmeasured`.
    pub code: String,
    /// The width that it shows at, if only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// What differs, in a sentence.
    pub note: String,
}

/// How alike the visible elements are at one width.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Elements {
    /// In CSS pixels.
    pub width: u32,
    /// Visible elements of the site's page; those beyond the first 5000 are counted and not compared.
    pub visible: u64,
    /// Of those compared, how many have the same tag, box and computed style in the project.
    pub alike: u64,
    /// `alike` in parts of the longer side's, 0 to 1.
    pub share: f64,
    /// Properties that differ, with the number of elements; `box` stands for place and size, `missing` for no counterpart.
    pub differing: BTreeMap<String, u64>,
    /// How alike the pictures are, at 1280 and 390. Evidence, never the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<Pixels>,
}

/// How alike two pictures of one page are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pixels {
    /// Both have the same size; otherwise nothing else is measured.
    pub same_size: bool,
    /// The mean structural similarity of the luminance, 1 for the same picture.
    pub ssim: f64,
    /// The share of pixels whose difference in YIQ can be seen.
    pub different: f64,
}

/// What a page asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Requests, without those for what the page is written in already.
    pub requests: u64,
    /// Bytes of all answers, as they are before any compression.
    pub bytes: u64,
    /// Of these, bytes that are not the framework's own (`/_next/`, and its data of pages).
    pub own_bytes: u64,
}
