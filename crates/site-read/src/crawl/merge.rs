//! Where answers become the snapshot, one after the other in canonical order.

mod redirects;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use url::Url;

use super::Stage;
use super::site::Site;
use super::start::Opened;
use crate::frontier::{Frontier, Lead};
use crate::journal::{AssetVisit, PageVisit, Visit};
use crate::limits::{Limits, Progress};
use crate::snapshot::{Finding, Page, Snapshot};
use crate::trap::{Trap, Variants};
use crate::web_address::{normal_form, without_fragment};
use redirects::Redirects;

/// Findings kept; a site with more is told apart by the pages it keeps, not by more notes.
const MAX_FINDINGS: usize = 10_000;
/// Where sitemaps' addresses enter: what the home page links to comes before them, so that a cap
/// rather cuts what only a sitemap names.
const SITEMAP_DEPTH: u32 = 2;

pub(super) struct Merge<'a> {
    snapshot: Snapshot,
    findings: BTreeSet<Finding>,
    redirects: Redirects,
    pub(super) frontier: Frontier,
    pub(super) assets: Frontier,
    pub(super) variants: Variants,
    /// Normal forms of everything that was asked.
    asked: HashSet<String>,
    trapped: HashSet<String>,
    bytes: u64,
    progress: Progress,
    limits: &'a Limits,
    report: &'a (dyn Fn(&Progress) + Send + Sync),
    site: Site,
}

impl<'a> Merge<'a> {
    pub(super) fn new(
        start: &Url,
        limits: &'a Limits,
        report: &'a (dyn Fn(&Progress) + Send + Sync),
        site: Site,
    ) -> Self {
        Self {
            snapshot: Snapshot {
                version: Snapshot::VERSION,
                start: start.clone(),
                home: site.home.clone(),
                pages: BTreeMap::new(),
                assets: BTreeMap::new(),
                redirects: Vec::new(),
                findings: Vec::new(),
                truncated: None,
            },
            findings: BTreeSet::new(),
            redirects: Redirects::default(),
            frontier: Frontier::default(),
            assets: Frontier::default(),
            variants: Variants::default(),
            asked: HashSet::new(),
            trapped: HashSet::new(),
            bytes: 0,
            progress: Progress::default(),
            limits,
            report,
            site,
        }
    }

    /// Takes in the home page, the way to it, and the sitemaps' addresses.
    pub(super) fn start(&mut self, opened: &Opened, sitemaps: Vec<Url>) {
        let door = &opened.door;
        for hop in &door.steps {
            self.frontier.close(&hop.from);
            self.asked.insert(normal_form(&hop.from));
            self.redirects.add(&hop.from, &hop.to, hop.status);
        }
        self.progress.pages_done = door.steps.len() as u64 + 1;
        let home = self.site.home.clone();
        self.frontier.close(&home);
        self.asked.insert(normal_form(&home));
        self.page(&home, &door.page, 0);
        self.tell(&home);
        for url in sitemaps {
            self.frontier.add(SITEMAP_DEPTH, &url, None);
        }
        // Browsers ask for it although no page names it.
        if let Ok(icon) = home.join("/favicon.ico") {
            self.assets.add(0, &icon, None);
        }
    }

    /// Takes in one answer; `false` when the cap on bytes is reached.
    pub(super) fn take(&mut self, lead: Lead, visit: &Visit, stage: Stage) -> bool {
        self.asked.insert(lead.form.clone());
        self.pass_over(stage);
        let depth = match stage {
            Stage::Pages { depth } => depth,
            Stage::Assets => 0,
        };
        let goes_on = match visit {
            Visit::Page(visit) => self.page(&lead.url, visit, depth),
            Visit::Asset(visit) => self.asset(&lead.url, visit),
            Visit::Redirect { to, status } => {
                self.redirect(&lead, to, *status, stage);
                true
            }
            Visit::Left { code, note } => {
                self.left(code, note, &lead);
                true
            }
            // Recorded under keys of their own, which no lead has.
            Visit::Door(_) | Visit::Sitemap(_) | Visit::Clock { .. } => true,
        };
        self.tell(&lead.url);
        goes_on
    }

    fn page(&mut self, url: &Url, visit: &PageVisit, depth: u32) -> bool {
        if !self.afford(visit.bytes) {
            return false;
        }
        for link in visit.links.iter().filter(|link| self.site.contains(link)) {
            self.frontier.add(depth + 1, link, Some(url.as_str()));
        }
        for asset in &visit.assets {
            self.asset_lead(asset, url);
        }
        let page = Page { depth, ..visit.page.clone() };
        self.snapshot.pages.insert(url.to_string(), page);
        true
    }

    fn asset(&mut self, url: &Url, visit: &AssetVisit) -> bool {
        if !self.afford(visit.asset.bytes) {
            return false;
        }
        if let Some((status, to)) = &visit.redirect {
            self.redirects.add(url, to, *status);
        }
        for reference in &visit.references {
            self.asset_lead(reference, url);
        }
        self.snapshot.assets.insert(url.to_string(), visit.asset.clone());
        true
    }

    fn asset_lead(&mut self, url: &Url, from: &Url) {
        if !matches!(url.scheme(), "http" | "https") {
            return;
        }
        if self.site.contains(url) {
            self.assets.add(0, url, Some(from.as_str()));
        } else {
            let note = "belongs to another site and is left there".to_owned();
            self.find("third-party", &without_fragment(url), note);
        }
    }

    fn redirect(&mut self, lead: &Lead, to: &Url, status: u16, stage: Stage) {
        self.redirects.add(&lead.url, to, status);
        match stage {
            Stage::Pages { depth } if normal_form(to) == lead.form => {
                if *to != lead.url {
                    self.frontier.insist(depth, to, lead.from.as_deref());
                } else {
                    self.find("redirect-loop", to, "redirects to itself".to_owned());
                }
            }
            Stage::Pages { depth } if self.site.contains(to) => {
                self.frontier.add(depth, to, lead.from.as_deref());
            }
            Stage::Pages { .. } => {}
            Stage::Assets => {
                let note = format!("redirects to another site, {to}, and is left there");
                self.find("third-party", &lead.url, note);
            }
        }
    }

    fn left(&mut self, code: &str, note: &str, lead: &Lead) {
        // Nobody named the icon: its absence is no fault of the site.
        let guessed = lead.from.is_none() && lead.url.path() == "/favicon.ico";
        if guessed {
            return;
        }
        let note = match &lead.from {
            Some(from) => format!("{note}; named by {from}"),
            None => format!("{note}; named by a sitemap"),
        };
        self.find(code, &lead.url, note);
    }

    /// Counts an address that needs no request as done.
    pub(super) fn pass_over(&mut self, stage: Stage) {
        match stage {
            Stage::Pages { .. } => self.progress.pages_done += 1,
            Stage::Assets => self.progress.assets_done += 1,
        }
    }

    /// Notes an address that a limit left out.
    pub(super) fn leave_out(&mut self, code: &str, lead: &Lead) {
        self.left(code, "left out by a limit of the crawl", lead);
    }

    /// Notes a trap, once for each path.
    pub(super) fn trap(&mut self, trap: Trap, lead: &Lead) {
        let (code, note) = match trap {
            Trap::GrowingPath => ("growing-path", "the path repeats itself; not followed"),
            Trap::QueryVariants => {
                ("query-variants", "too many query strings under one path; the rest is not followed")
            }
        };
        let key = match trap {
            Trap::QueryVariants => lead.url.path().split(';').next().unwrap_or_default(),
            Trap::GrowingPath => lead.url.path_segments().and_then(|mut s| s.next()).unwrap_or_default(),
        };
        if self.trapped.insert(format!("{code} {key}")) {
            self.left(code, note, lead);
        }
    }

    fn find(&mut self, code: &str, url: &Url, note: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.insert(Finding { code: code.to_owned(), url: url.to_string(), note });
        }
    }

    fn afford(&mut self, bytes: u64) -> bool {
        if self.bytes.saturating_add(bytes) > self.limits.max_bytes {
            self.truncate("bytes");
            return false;
        }
        self.bytes += bytes;
        true
    }

    /// Notes which limit cut the crawl; the first one is kept, but time outranks all, since it alone
    /// makes the result depend on the day.
    pub(super) fn truncate(&mut self, limit: &str) {
        if limit == "time" || self.snapshot.truncated.is_none() {
            self.snapshot.truncated = Some(limit.to_owned());
        }
    }

    pub(super) fn may_go_on(&self) -> bool {
        !matches!(self.snapshot.truncated.as_deref(), Some("bytes" | "time"))
    }

    pub(super) fn was_asked(&self, lead: &Lead) -> bool {
        self.asked.contains(&lead.form)
    }

    pub(super) fn page_count(&self) -> usize {
        self.snapshot.pages.len()
    }

    pub(super) fn asset_count(&self) -> usize {
        self.snapshot.assets.len()
    }

    fn tell(&mut self, url: &Url) {
        self.progress.pages_known = self.frontier.known();
        self.progress.assets_known = self.assets.known();
        self.progress.current = url.to_string();
        (self.report)(&self.progress);
    }

    pub(super) fn finish(mut self) -> Snapshot {
        let (redirects, loops) = self.redirects.collapse();
        for from in loops {
            if let Ok(url) = Url::parse(&from) {
                self.find("redirect-loop", &url, "redirects in a circle".to_owned());
            }
        }
        self.snapshot.redirects = redirects;
        self.snapshot.findings = self.findings.into_iter().collect();
        self.snapshot
    }
}
