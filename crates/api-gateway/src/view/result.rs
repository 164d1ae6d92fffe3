//! What came of a migration, put together of what its phases left: their results, VERIFY's report (`docs/compare.md`), and
//! the notes of the plan. Of documents that others write only what is shown is read.

use domain::MigrationId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Notes that are shown; the project's own report has all.
const NOTES: usize = 200;

/// What the phases' rows say.
pub(crate) struct Results {
    pub(crate) analyzed: Analyzed,
    pub(crate) planned: Planned,
    pub(crate) transformed: Transformed,
    pub(crate) verified: Verified,
    pub(crate) deployed: bool,
}

#[derive(Deserialize)]
pub(crate) struct Analyzed {
    pages: u64,
    assets: u64,
}

#[derive(Deserialize)]
pub(crate) struct Planned {
    /// The key of the plan.
    pub(crate) plan: String,
    routes: u64,
    layouts: u64,
    shared: u64,
}

#[derive(Deserialize)]
pub(crate) struct Transformed {
    files: u64,
}

#[derive(Deserialize)]
pub(crate) struct Verified {
    /// The key of the report.
    pub(crate) report: String,
    checks: Vec<String>,
    findings: Vec<String>,
}

/// Of VERIFY's report.
#[derive(Deserialize)]
pub(crate) struct Report {
    comparison: Option<Comparison>,
}

impl Report {
    /// Does it name this picture?
    pub(crate) fn has(&self, hash: &str) -> bool {
        let pages = self.comparison.iter().flat_map(|comparison| &comparison.pages);
        pages.flat_map(|page| &page.pictures).any(|kept| kept.original == hash || kept.copy == hash)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comparison {
    passed: bool,
    addresses: u64,
    wrong_addresses: Vec<WrongAddress>,
    pages: Vec<Page>,
    left_out: u64,
}

#[derive(Deserialize)]
struct Page {
    url: String,
    passed: bool,
    reasons: Vec<Reason>,
    elements: Vec<Elements>,
    #[serde(default)]
    pictures: Vec<Pictured>,
}

#[derive(Deserialize)]
struct Elements {
    width: u32,
    share: f64,
    pixels: Option<Pixels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pixels {
    same_size: bool,
    ssim: f64,
}

#[derive(Deserialize)]
struct Pictured {
    width: u32,
    original: String,
    copy: String,
}

/// Of the plan.
#[derive(Deserialize)]
pub(crate) struct PlanNotes {
    redirects: Vec<serde::de::IgnoredAny>,
    findings: Vec<Note>,
}

/// Everything that a result is made of.
pub(crate) struct Found {
    pub(crate) migration: MigrationId,
    pub(crate) run: i32,
    pub(crate) results: Results,
    pub(crate) report: Report,
    pub(crate) plan: PlanNotes,
}

/// What came of a migration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultView {
    pub(crate) migration_id: Uuid,
    pub(crate) run: i32,
    /// Null where the project was not shown in a browser beside the site.
    pub(crate) compared: Option<ComparedView>,
    /// What was made of what.
    pub(crate) changed: Changed,
    /// The checks that the project passed, by name.
    pub(crate) checks: Vec<String>,
    /// What a person should look at, said by the checks.
    pub(crate) findings: Vec<String>,
    /// What could not be carried over, or was carried with a difference: the first 200.
    pub(crate) notes: Vec<Note>,
    /// How many of those there are.
    pub(crate) all_notes: usize,
    /// Where the project is downloaded; null as long as there is none.
    pub(crate) artifact: Option<String>,
}

/// Counts of both sides.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changed {
    /// Pages and other files that were read.
    pub(crate) pages: u64,
    pub(crate) assets: u64,
    /// Routes, root layouts, parts that several pages have alike, and redirects of the project.
    pub(crate) routes: u64,
    pub(crate) layouts: u64,
    pub(crate) shared_parts: u64,
    pub(crate) redirects: usize,
    /// Files of the project.
    pub(crate) files: u64,
}

/// Something about one address.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Note {
    /// A stable word for the kind of it.
    pub(crate) code: String,
    /// The address that it is about.
    pub(crate) url: String,
    /// In a sentence.
    pub(crate) note: String,
}

/// The comparison in a browser.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComparedView {
    /// Nothing differs.
    pub(crate) passed: bool,
    /// Addresses that were asked by HTTP, and those that are answered otherwise than the site did.
    pub(crate) addresses: u64,
    pub(crate) wrong_addresses: Vec<WrongAddress>,
    /// In the order of their addresses.
    pub(crate) pages: Vec<PageView>,
    /// Pages that were not shown, because only so many are.
    pub(crate) left_out: u64,
}

/// An address that the project answers otherwise than the site did.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WrongAddress {
    pub(crate) path: String,
    pub(crate) wanted: String,
    pub(crate) found: String,
}

/// Why a page is not as it was.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reason {
    /// A stable word; see `docs/compare.md`.
    pub(crate) code: String,
    /// The width that it shows at, if only there.
    pub(crate) width: Option<u32>,
    pub(crate) note: String,
}

/// One page, before and after.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageView {
    pub(crate) url: String,
    pub(crate) passed: bool,
    /// The least share of elements that are alike, over its widths: 0 to 1; null if it could not be measured.
    pub(crate) score: Option<f64>,
    /// The least structural similarity of its pictures, 1 for the same; null where they cannot be compared.
    pub(crate) ssim: Option<f64>,
    pub(crate) reasons: Vec<Reason>,
    /// The widest first.
    pub(crate) pictures: Vec<PictureView>,
}

/// Both sides at one width.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PictureView {
    pub(crate) width: u32,
    /// Where the picture of the site is.
    pub(crate) before: String,
    /// Where that of the project is.
    pub(crate) after: String,
    /// The share of elements that are alike at this width.
    pub(crate) score: Option<f64>,
}

impl ResultView {
    pub(crate) fn of(found: Found) -> Self {
        let Found { migration, run, results, report, plan } = found;
        let Results { analyzed, planned, transformed, verified, deployed } = results;
        let (redirects, all_notes) = (plan.redirects.len(), plan.findings.len());
        Self {
            migration_id: migration.0,
            run,
            compared: report.comparison.map(|comparison| compared(migration, comparison)),
            changed: Changed {
                pages: analyzed.pages,
                assets: analyzed.assets,
                routes: planned.routes,
                layouts: planned.layouts,
                shared_parts: planned.shared,
                redirects,
                files: transformed.files,
            },
            checks: verified.checks,
            findings: verified.findings,
            notes: plan.findings.into_iter().take(NOTES).collect(),
            all_notes,
            artifact: deployed.then(|| format!("/api/migration/{migration}/artifact")),
        }
    }
}

fn compared(migration: MigrationId, comparison: Comparison) -> ComparedView {
    ComparedView {
        passed: comparison.passed,
        addresses: comparison.addresses,
        wrong_addresses: comparison.wrong_addresses,
        pages: comparison.pages.into_iter().map(|page| page_view(migration, page)).collect(),
        left_out: comparison.left_out,
    }
}

fn page_view(migration: MigrationId, page: Page) -> PageView {
    let shares: BTreeMap<u32, f64> = page.elements.iter().map(|at| (at.width, at.share)).collect();
    let alike = page.elements.iter().filter_map(|at| at.pixels.as_ref()).filter(|it| it.same_size);
    let at = |hash: &str| format!("/api/migration/{migration}/result/pictures/{hash}");
    let mut pictures: Vec<PictureView> = page
        .pictures
        .iter()
        .map(|kept| PictureView {
            width: kept.width,
            before: at(&kept.original),
            after: at(&kept.copy),
            score: shares.get(&kept.width).copied(),
        })
        .collect();
    pictures.sort_by_key(|kept| std::cmp::Reverse(kept.width));
    PageView {
        url: page.url,
        passed: page.passed,
        score: shares.values().copied().reduce(f64::min),
        ssim: alike.map(|pixels| pixels.ssim).reduce(f64::min),
        reasons: page.reasons,
        pictures,
    }
}
