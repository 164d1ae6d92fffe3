//! Where answers become the snapshot, one after the other in canonical order.

mod cuts;
mod gates;
mod gathered;
mod notes;
mod redirects;

pub use gathered::{Entries, Gathered};

use std::collections::HashSet;
use std::io;

use url::Url;

use super::Stage;
use super::script_requests::service_worker;
use super::script_sets::{Opening, ScriptSets};
use super::site::Site;
use super::start::{Named, Opened};
use crate::fingerprints::Fingerprints;
use crate::frontier::{Frontier, Lead};
use crate::journal::{AssetVisit, PageVisit, Remark, Requested, Visit};
use crate::limits::{Limits, Progress, Render};
use crate::snapshot::{Page, Snapshot};
use crate::trap::{Answer, Families, Trap, Verdict};
use crate::web_address::{normal_form, without_fragment};
use gates::Gate;
use notes::Notes;
use redirects::Redirects;

/// Where sitemaps' addresses enter: what the home page links to comes before them, so that a cap
/// rather cuts what only a sitemap names.
const SITEMAP_DEPTH: u32 = 2;

pub(super) struct Merge<'a> {
    gathered: Gathered,
    notes: Notes,
    redirects: Redirects,
    pub(super) frontier: Frontier,
    pub(super) assets: Frontier,
    /// Pages with other scripts than those before them.
    pub(super) scripted: Frontier,
    script_sets: ScriptSets,
    families: Families,
    /// Normal forms of everything that was asked.
    asked: Fingerprints,
    /// Origins that turned out to be sites of their own.
    foreign: HashSet<String>,
    /// What an address that does not exist answers, if it does so with success.
    soft: Option<PageVisit>,
    /// Where an address that does not exist leads, without the query.
    nowhere: Option<Url>,
    /// What the start address led to first.
    door_gate: Option<Url>,
    /// As many pages were read as may be.
    pages_cut: bool,
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
            gathered: Gathered::new(Snapshot::empty(start.clone(), site.home.clone())),
            notes: Notes::default(),
            redirects: Redirects::default(),
            frontier: Frontier::default(),
            assets: Frontier::default(),
            scripted: Frontier::default(),
            script_sets: ScriptSets::default(),
            families: Families::default(),
            asked: Fingerprints::default(),
            foreign: HashSet::new(),
            soft: None,
            nowhere: None,
            door_gate: None,
            pages_cut: false,
            bytes: 0,
            progress: Progress::default(),
            limits,
            report,
            site,
        }
    }

    /// Takes in the home page, the way to it, and the sitemaps' addresses.
    pub(super) fn start(&mut self, opened: &Opened, named: Named) -> io::Result<()> {
        let door = &opened.door;
        for hop in &door.steps {
            self.frontier.close(&hop.from)?;
            self.asked.insert(&normal_form(&hop.from))?;
            self.redirects.add(&hop.from, &hop.to, hop.status);
            let gate = gates::gate(&hop.from, &hop.to, hop.status);
            self.door_gate = self.door_gate.take().or(gate);
        }
        self.progress.pages_done = door.steps.len() as u64 + 1;
        let home = self.site.home.clone();
        self.frontier.close(&home)?;
        self.asked.insert(&normal_form(&home))?;
        match named.probe.as_deref() {
            Some(Visit::Page(probe)) => {
                self.gathered.head.not_found = Some(probe.page.clone());
                self.soft = (probe.page.status < 300).then(|| (**probe).clone());
            }
            Some(Visit::Redirect { to, .. }) => self.nowhere = Some(gates::without_query(to)),
            _ => {}
        }
        self.page(&home, &door.page, 0)?;
        self.tell(&home);
        for url in &named.pages {
            self.link(SITEMAP_DEPTH, url, None)?;
        }
        for (url, file) in named.files {
            self.assets.close(&url)?;
            if self.afford(file.bytes, &url)? {
                self.gathered.asset(&url, file)?;
            }
        }
        for url in &named.assets {
            self.asset_lead(url, None)?;
        }
        for (code, url, note) in named.left_out {
            self.notes.leave(code, url.as_str(), || note)?;
        }
        // Browsers ask for it although no page names it.
        if let Ok(icon) = home.join("/favicon.ico") {
            self.assets.add(0, &icon, None)?;
        }
        Ok(())
    }

    /// Whether an address leads into a trap; one that is to be asked is counted as under way.
    pub(super) fn judge(&mut self, lead: &Lead) -> io::Result<Verdict> {
        self.families.judge(&lead.url, self.limits.max_query_variants)
    }

    /// Whether an address is asked at all; if not, says why.
    pub(super) fn admits(&mut self, lead: &Lead, depth: u32) -> io::Result<bool> {
        if depth > self.limits.max_depth {
            self.truncate("depth");
            self.left("depth-limit", "left out by a limit of the crawl", lead)?;
            Ok(false)
        } else if self.foreign.contains(&origin(&lead.url)) {
            self.notes.count("other-origin", lead.url.as_str())?;
            Ok(false)
        } else {
            Ok(true)
        }
    }

    /// Takes in one answer; `false` when the cap on bytes is reached.
    pub(super) fn take(&mut self, lead: &Lead, visit: &Visit, stage: Stage) -> io::Result<bool> {
        self.asked.insert(&lead.form)?;
        self.pass_over(stage);
        let depth = match stage {
            Stage::Pages { depth } | Stage::Scripts { depth } => depth,
            Stage::Assets => SITEMAP_DEPTH,
        };
        if matches!(stage, Stage::Pages { .. }) {
            self.families.settle(&lead.url, answer(visit))?;
        }
        let goes_on = match visit {
            Visit::Page(visit) => self.page(&lead.url, visit, depth)?,
            Visit::Asset(visit) => self.asset(&lead.url, visit, depth)?,
            Visit::Requested(Requested { files, links, cut }) => {
                for link in links {
                    self.link_by_script(depth + 1, link, &lead.url)?;
                }
                self.say_cut(*cut, &lead.url)?;
                for file in files {
                    // What others are asked for is theirs, and much of it is drawn by lot.
                    if self.site.contains(file) {
                        self.asset_lead(file, Some(&lead.url))?;
                    }
                }
                true
            }
            Visit::Left { code, note } if matches!(stage, Stage::Scripts { .. }) => {
                // What no page of the site could have is said once.
                if self.notes.first(&format!("{code} {note}"))? {
                    self.notes.leave(code, lead.url.as_str(), || note.clone())?;
                } else {
                    self.notes.count(code, lead.url.as_str())?;
                }
                true
            }
            Visit::Redirect { to, status } => {
                self.redirect(lead, to, *status, stage)?;
                true
            }
            Visit::Left { code, note } | Visit::Failed { code, note } => {
                let own = self.site.is_home(&lead.url);
                if !own && matches!(&**code, "other-origin" | "unreachable-page" | "refused") {
                    self.foreign.insert(origin(&lead.url));
                }
                self.left(code, note, lead)?;
                true
            }
            // Recorded under keys of their own, which no lead has.
            Visit::Door(_) | Visit::Sitemap(_) | Visit::Clock { .. } => true,
        };
        self.tell(&lead.url);
        Ok(goes_on)
    }

    fn page(&mut self, url: &Url, visit: &PageVisit, depth: u32) -> io::Result<bool> {
        if !self.afford(visit.bytes, url)? {
            return Ok(false);
        }
        for link in &visit.links {
            self.link(depth + 1, link, Some(url))?;
        }
        for asset in &visit.assets {
            self.asset_lead(asset, Some(url))?;
        }
        self.say_cut(visit.cut, url)?;
        if let Some(scripts) =
            visit.scripts.as_ref().filter(|_| self.limits.run_scripts && self.limits.render == Render::Auto)
            && self.script_sets.learn(url, scripts)
        {
            self.scripted.add(depth, url, None)?;
        }
        for remark in &visit.remarks {
            self.notes.find(&remark.code, url.as_str(), remark.note.clone());
        }
        if *url != self.site.home && self.soft.as_ref().is_some_and(|soft| soft.says_the_same_as(visit)) {
            let note = "answers like an address that does not exist".to_owned();
            self.notes.find("soft-404", url.as_str(), note);
        }
        self.gathered.page(url, Page { depth, ..visit.page.clone() })?;
        Ok(true)
    }

    /// Whether the scripts of a page are run: they ask for something, and the bound is not reached; that is said once.
    pub(super) fn runs_scripts(&mut self, lead: &Lead) -> io::Result<bool> {
        let most = self.limits.max_rendered;
        match self.script_sets.open(&lead.url, most) {
            Opening::Needless => Ok(false),
            Opening::Begun => Ok(true),
            Opening::Bounded => {
                let (code, url) = ("scripts-not-run", lead.url.as_str());
                if self.notes.count(code, url)? && self.notes.first(&format!("{code} beyond the bound"))? {
                    let note = format!(
                        "the scripts of only {most} pages are run, so files and pages that only others name may be missing"
                    );
                    self.notes.find(code, url, note);
                }
                Ok(false)
            }
        }
    }

    fn asset(&mut self, url: &Url, visit: &AssetVisit, depth: u32) -> io::Result<bool> {
        if !self.afford(visit.asset.bytes, url)? {
            return Ok(false);
        }
        if let Some((status, to)) = &visit.redirect {
            self.redirects.add(url, to, *status);
        }
        for reference in &visit.references {
            self.asset_lead(reference, Some(url))?;
        }
        for link in &visit.links {
            self.link(depth + 1, link, Some(url))?;
        }
        self.say_cut(visit.cut, url)?;
        if visit.asks {
            self.script_sets.asks(url);
        }
        if visit.registers {
            let Remark { code, note } = service_worker();
            self.notes.find(&code, url.as_str(), note);
        }
        self.gathered.asset(url, visit.asset.clone())?;
        Ok(true)
    }

    fn say_cut(&mut self, cut: bool, url: &Url) -> io::Result<()> {
        if !cut {
            return Ok(());
        }
        let note = "refers to more than is taken from one page or file; the rest is not followed";
        self.notes.leave("too-many-references", url.as_str(), || note.to_owned())
    }

    /// An address that may be a page of the site.
    fn link(&mut self, depth: u32, url: &Url, from: Option<&Url>) -> io::Result<()> {
        if !self.site.contains(url) || self.foreign.contains(&origin(url)) {
            return Ok(());
        }
        if !self.site.is_below(url) {
            let note = "outside the part of the site that is to be read";
            return self.notes.leave("outside-scope", without_fragment(url).as_str(), || note.to_owned());
        }
        self.frontier.add(depth, url, from.map(Url::as_str)).map(drop)
    }

    /// The same, of one that only a script makes: when no more pages are read, it is counted at once.
    fn link_by_script(&mut self, depth: u32, url: &Url, from: &Url) -> io::Result<()> {
        if !self.pages_cut {
            return self.link(depth, url, Some(from));
        }
        if self.site.contains(url) && self.site.is_below(url) && self.frontier.close(url)? {
            self.notes.count("page-limit", without_fragment(url).as_str())?;
        }
        Ok(())
    }

    fn asset_lead(&mut self, url: &Url, from: Option<&Url>) -> io::Result<()> {
        if !matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        if self.site.contains(url) {
            return self.assets.add(0, url, from.map(Url::as_str)).map(drop);
        }
        let note = "belongs to another site and is left there";
        self.notes.leave("third-party", without_fragment(url).as_str(), || note.to_owned())
    }

    fn redirect(&mut self, lead: &Lead, to: &Url, status: u16, stage: Stage) -> io::Result<()> {
        self.redirects.add(&lead.url, to, status);
        let from = lead.from.as_deref();
        match stage {
            Stage::Pages { depth } if normal_form(to) == lead.form => {
                if *to != lead.url {
                    return self.frontier.insist(depth, to, from);
                }
                self.notes.leave("redirect-loop", to.as_str(), || "redirects to itself".to_owned())
            }
            Stage::Pages { depth } => {
                let from = from.and_then(|from| Url::parse(from).ok());
                self.link(depth, to, from.as_ref())
            }
            Stage::Scripts { .. } | Stage::Assets => {
                let note = format!("redirects to another site, {to}, and is left there");
                self.notes.leave("third-party", lead.url.as_str(), || note)
            }
        }
    }

    fn left(&mut self, code: &str, note: &str, lead: &Lead) -> io::Result<()> {
        // Nobody named the icon: its absence is no fault of the site.
        let guessed = lead.from.is_none() && lead.url.path() == "/favicon.ico";
        if guessed {
            return Ok(());
        }
        self.notes.leave(code, lead.url.as_str(), || match &lead.from {
            Some(from) => format!("{note}; named by {from}"),
            None => format!("{note}; named by a sitemap"),
        })
    }

    /// Counts an address that needs no request as done.
    pub(super) fn pass_over(&mut self, stage: Stage) {
        match stage {
            Stage::Pages { .. } => self.progress.pages_done += 1,
            // Counted when it was read.
            Stage::Scripts { .. } => {}
            Stage::Assets => self.progress.assets_done += 1,
        }
    }

    /// Counts an address that is not followed; says so once for each trap under one path.
    pub(super) fn trap(&mut self, trap: Trap, lead: &Lead) -> io::Result<()> {
        let first = lead.url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
        let place = if trap == Trap::GrowingPath { first } else { lead.url.path() };
        let place = place.trim_end_matches(|c: char| c.is_ascii_digit());
        if self.notes.first(&format!("trap {} {place}", trap.code()))? {
            self.left(trap.code(), trap.note(), lead)
        } else {
            self.notes.count(trap.code(), lead.url.as_str()).map(drop)
        }
    }

    pub(super) fn was_asked(&self, lead: &Lead) -> io::Result<bool> {
        self.asked.contains(&lead.form)
    }

    pub(super) fn page_count(&self) -> usize {
        self.gathered.page_count()
    }

    pub(super) fn asset_count(&self) -> usize {
        self.gathered.asset_count()
    }

    fn tell(&mut self, url: &Url) {
        self.progress.pages_known = self.frontier.known();
        self.progress.assets_known = self.assets.known();
        self.progress.current = url.to_string();
        (self.report)(&self.progress);
    }

    pub(super) fn finish(mut self) -> io::Result<Gathered> {
        let (redirects, loops) = self.redirects.collapse();
        for from in loops {
            self.notes.leave("redirect-loop", &from, || "redirects in a circle".to_owned())?;
        }
        self.gates();
        self.gathered.find_aliases()?;
        let head = &mut self.gathered.head;
        head.redirects = redirects;
        (head.findings, head.left_out) = self.notes.finish();
        Ok(self.gathered)
    }
}

impl Merge<'_> {
    /// Says what stands before the site or before pages of it.
    fn gates(&mut self) {
        const BEHIND: &str = "as for a sign-in or consent; what lies behind it was not read";
        if let Some(at) = &self.door_gate {
            self.notes.find("gated-site", at.as_str(), format!("every visitor is led here first, {BEHIND}"));
        }
        for Gate { at, before, example } in gates::gates(self.redirects.seen()) {
            // Where addresses that do not exist lead, too, stands a page for errors.
            if self.door_gate.as_ref() == Some(&at) || self.nowhere.as_ref() == Some(&at) {
                continue;
            }
            let note = format!("addresses lead here first ({before}, such as {example}), {BEHIND}");
            self.notes.find("gated-pages", at.as_str(), note);
        }
    }
}

/// What a visit says to the keeper of families.
fn answer(visit: &Visit) -> Answer {
    match visit {
        Visit::Page(visit) => Answer::page(&visit.page.html, visit.gist),
        Visit::Asset(visit) => Answer::says(&visit.asset.body),
        Visit::Redirect { to, .. } => Answer::says(&normal_form(to)),
        _ => Answer::Nothing,
    }
}

/// Scheme, host and port as one text.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
