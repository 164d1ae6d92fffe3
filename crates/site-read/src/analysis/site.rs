//! The facts of a site, folded from those of its pages.
//!
//! [`SiteFold`] takes pages one by one, in canonical order, and keeps counters and a few examples of each, never a page;
//! fingerprints of many pages are on disk.

mod duplicates;
mod locales;
mod parts;
mod size;
mod stack;

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use site_fetch::disk::Table;

use super::hash;
use super::page::{NavigationItem, PageAnalysis, PageKind, ScriptKind};
use super::problem::{Problem, ProblemCounts, Severity};
use crate::fingerprints::key;
use crate::render::Reason;
use crate::snapshot::{Finding, Redirect, Snapshot};
pub use duplicates::{Duplicates, Group};
pub use locales::{Locale, Locales};
pub use parts::SharedPart;
pub use size::{SizeBounds, SizeClass};
pub use stack::{OtherHost, Technology};

/// Addresses shown as examples of anything.
const EXAMPLES: usize = 5;
/// Different things counted of one sort.
const SORTS: usize = 2_000;

/// What is known of a site besides its pages.
#[derive(Debug, Clone, Copy)]
pub struct SiteInput<'a> {
    /// What was read, with or without pages and assets.
    pub head: &'a Snapshot,
    /// Where a site's size class changes.
    pub bounds: SizeBounds,
}

/// Everything that the pages tell of their site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteAnalysis {
    /// The shape of this document; see [`SiteAnalysis::VERSION`].
    pub version: u32,
    /// The front page's address.
    pub home: String,
    /// Its title.
    pub title: Option<String>,
    /// How many pages of what sort.
    pub pages: PageNumbers,
    /// How large the site is.
    pub size_class: SizeClass,
    /// Seconds of AI time that its migration is expected to need; see [`SiteFold::finish`].
    pub ai_seconds: u64,
    /// Addresses that lead to others.
    pub redirects: Redirects,
    /// Pages that say with success that there is nothing.
    pub soft_404s: Soft404s,
    /// Pages that say the same.
    pub duplicates: Duplicates,
    /// The front page's navigation.
    pub navigation: Vec<NavigationItem>,
    /// Parts that pages share, the most widespread first.
    pub shared_parts: Vec<SharedPart>,
    /// Languages, and how pages name each other's versions.
    pub locales: Locales,
    /// What the site is made with.
    pub technologies: Vec<Technology>,
    /// Is it one page that scripts turn into others?
    pub single_page_application: bool,
    /// What asks for consent, by name.
    pub cookie_walls: Vec<String>,
    /// Hosts of others that it loads from.
    pub third_parties: Vec<OtherHost>,
    /// Which limit cut the reading, if one did.
    pub truncated: Option<String>,
    /// What a person should know, the gravest first.
    pub problems: Vec<SiteProblem>,
    /// All of them, counted.
    pub problem_counts: ProblemCounts,
}

impl SiteAnalysis {
    /// The shape written by this build.
    pub const VERSION: u32 = 1;
}

/// How many pages of what sort.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageNumbers {
    /// All.
    pub total: u32,
    /// By sort.
    pub by_kind: BTreeMap<PageKind, u32>,
    /// Different structures.
    pub templates: u32,
    /// Words, all pages together.
    pub words: u64,
    /// Forms.
    pub forms: u32,
    /// Images.
    pub images: u32,
    /// Pages that show little without scripts.
    pub need_scripts: u32,
}

/// Addresses that lead to others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redirects {
    /// All that end somewhere.
    pub total: u32,
    /// Those that say so for good (301 and 308).
    pub permanent: u32,
    /// Those that take more than one step.
    pub chains: u32,
    /// Steps of the longest.
    pub longest: u32,
    /// Addresses that lead back to themselves.
    pub loops: Vec<String>,
}

/// Pages that say with success that there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Soft404s {
    /// The status of an address that cannot exist; `None` if none was asked, or it gave no page.
    pub probe_status: Option<u16>,
    /// Pages like that answer.
    pub pages: u32,
    /// Some of them.
    pub examples: Vec<String>,
}

/// A problem of the site, or of several of its pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteProblem {
    /// Stable name of the kind.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// What it is, as one of the places tells it.
    pub note: String,
    /// Places that have it.
    pub places: u32,
    /// Some of them.
    pub examples: Vec<String>,
}

/// Takes pages in, one by one.
#[derive(Debug, Default)]
pub struct SiteFold {
    pages: PageNumbers,
    templates: Table<0>,
    scripts: Table<0>,
    forms: Table<0>,
    title: Option<String>,
    navigation: Vec<NavigationItem>,
    home_needs_script: bool,
    cookie_walls: BTreeMap<String, u32>,
    duplicates: duplicates::Fold,
    locales: locales::Fold,
    parts: parts::Fold,
    stack: stack::Fold,
    problems: BTreeMap<(std::cmp::Reverse<Severity>, String), SiteProblem>,
}

impl SiteFold {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a page in. Call it once for each, in the order of their addresses. Fails where temporary files do.
    pub fn page(&mut self, url: &str, page: &PageAnalysis) -> io::Result<()> {
        let numbers = &mut self.pages;
        numbers.total = numbers.total.saturating_add(1);
        *numbers.by_kind.entry(page.kind).or_default() += 1;
        numbers.words += u64::from(page.text.words);
        numbers.forms = numbers.forms.saturating_add(count(page.forms.len()));
        numbers.images = numbers.images.saturating_add(count(page.images.len()));
        let needs_script = page.needs_script.as_ref().is_some_and(Reason::shows_little);
        numbers.need_scripts += u32::from(needs_script);
        self.templates.insert(key(page.template.0), [])?;
        for script in page.scripts.iter().filter(|script| is_work(script.kind)) {
            let inline = script.bytes.to_string();
            let hash = hash::of(script.url.as_deref().unwrap_or(&inline).as_bytes());
            self.scripts.insert(key(hash), [])?;
        }
        for form in &page.forms {
            self.forms.insert(key(hash::of(form.action.as_bytes())), [])?;
        }
        if let Some(wall) = &page.cookie_wall
            && self.cookie_walls.len() < SORTS
        {
            *self.cookie_walls.entry(wall.clone()).or_default() += 1;
        }
        if page.kind == PageKind::Home && self.title.is_none() {
            self.title.clone_from(&page.title);
            self.navigation.clone_from(&page.menu);
            self.home_needs_script = needs_script;
        }
        self.duplicates.page(url, &page.text)?;
        self.locales.page(url, page)?;
        self.parts.page(url, page)?;
        self.stack.page(page);
        for problem in &page.problems {
            self.problem(problem, url);
        }
        Ok(())
    }

    /// What the pages tell together.
    ///
    /// The AI time is an estimate: a minute for the site, 12 s for each template (a model looks at one page of
    /// it), 10 s for each script of the site's own, 8 s for each form, and a tenth of a second for each page.
    pub fn finish(mut self, input: &SiteInput<'_>) -> io::Result<SiteAnalysis> {
        let snapshot = input.head;
        for finding in &snapshot.findings {
            if let Some(problem) = of_finding(finding) {
                self.problem(&problem, &finding.url);
            }
        }
        let shared_parts = std::mem::take(&mut self.parts).finish(self.pages.total);
        let duplicates = std::mem::take(&mut self.duplicates).finish()?;
        for (code, note, groups) in [
            ("duplicates", "pages say the same, word for word", &duplicates.exact),
            ("near-duplicates", "pages hardly differ in their text", &duplicates.near),
        ] {
            for group in groups {
                let example = group.examples.first().map_or("", String::as_str);
                self.problem(&Problem::new(Severity::Info, code, note), example);
            }
        }
        self.pages.templates = count(self.templates.len());
        let work = self.templates.len() * 12 + self.scripts.len() * 10 + self.forms.len() * 8;
        let ai_seconds = 60 + work as u64 + u64::from(self.pages.total) / 10;
        let mut problem_counts = ProblemCounts::default();
        let problems: Vec<SiteProblem> = self.problems.into_values().collect();
        problems.iter().for_each(|problem| problem_counts.add(problem.severity));
        Ok(SiteAnalysis {
            version: SiteAnalysis::VERSION,
            home: snapshot.home.to_string(),
            title: self.title,
            size_class: input.bounds.class(self.pages.total, snapshot.truncated.as_deref()),
            ai_seconds,
            redirects: redirects(snapshot),
            soft_404s: soft_404s(snapshot),
            duplicates,
            navigation: self.navigation,
            shared_parts,
            locales: self.locales.finish()?,
            technologies: self.stack.technologies(),
            single_page_application: self.home_needs_script || self.pages.need_scripts * 2 > self.pages.total,
            cookie_walls: self.cookie_walls.into_keys().collect(),
            third_parties: self.stack.third_parties(),
            truncated: snapshot.truncated.clone(),
            pages: self.pages,
            problems,
            problem_counts,
        })
    }

    fn problem(&mut self, problem: &Problem, place: &str) {
        let key = (std::cmp::Reverse(problem.severity), problem.code.clone());
        if !self.problems.contains_key(&key) && self.problems.len() >= SORTS {
            return;
        }
        let known = self.problems.entry(key).or_insert_with(|| SiteProblem {
            code: problem.code.clone(),
            severity: problem.severity,
            note: problem.note.clone(),
            places: 0,
            examples: Vec::new(),
        });
        known.places = known.places.saturating_add(1);
        if known.examples.len() < EXAMPLES {
            known.examples.push(place.to_owned());
        }
    }
}

/// Scripts that somebody has to understand.
const fn is_work(kind: ScriptKind) -> bool {
    matches!(kind, ScriptKind::Own | ScriptKind::DomMutation | ScriptKind::Framework)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// What a finding of the crawl means for the site.
fn of_finding(finding: &Finding) -> Option<Problem> {
    let severity = match finding.code.as_str() {
        "broken-page" | "unreachable-page" | "redirect-loop" | "missing-asset" | "unreadable-page"
        | "gated-site" => Severity::Error,
        "soft-404" | "refused" | "too-large" | "asset-is-page" | "not-rendered" | "scripts-not-run"
        | "gated-pages" => Severity::Warning,
        // Said of each page already, or no fault.
        "third-party" => return None,
        _ => Severity::Info,
    };
    Some(Problem::new(severity, &finding.code, finding.note.clone()))
}

fn redirects(snapshot: &Snapshot) -> Redirects {
    let loops = snapshot.findings.iter().filter(|finding| finding.code == "redirect-loop");
    let steps = |redirect: &Redirect| redirect.steps.max(1);
    let all = &snapshot.redirects;
    Redirects {
        total: count(all.len()),
        permanent: count(all.iter().filter(|redirect| matches!(redirect.status, 301 | 308)).count()),
        chains: count(all.iter().filter(|redirect| steps(redirect) > 1).count()),
        longest: all.iter().map(steps).max().unwrap_or(0),
        loops: loops.map(|finding| finding.url.clone()).take(EXAMPLES * 4).collect(),
    }
}

fn soft_404s(snapshot: &Snapshot) -> Soft404s {
    let found = || snapshot.findings.iter().filter(|finding| finding.code == "soft-404");
    Soft404s {
        probe_status: snapshot.not_found.as_ref().map(|page| page.status),
        pages: count(found().count()),
        examples: found().map(|finding| finding.url.clone()).take(EXAMPLES).collect(),
    }
}

#[cfg(test)]
mod tests;
