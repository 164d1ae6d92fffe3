//! What the engine found out, in the form in which it is kept: columns that are asked for, and the facts whole.

use crate::{crawl_journal::stopped, pen::Pen, results::stored};
use async_trait::async_trait;
use domain::analysis::{Depth, SizeClass};
use site_read::{
    Page,
    analysis::{Keeper, PageAnalysis, Severity, ShallowAnalysis, SiteAnalysis, SizeClass as Size},
};
use std::{collections::BTreeSet, io};
use store::{Analysis, ProblemCounts, SitePage};

/// Pages in one transaction, and about how many bytes of facts.
const BATCH: usize = 200;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The columns take no more characters.
const TITLE: usize = 1000;
const LANGUAGE: usize = 100;
const ADDRESS: usize = 65_536;

/// A first look.
pub(super) fn shallow(seen: &ShallowAnalysis) -> Analysis {
    let mut problems = ProblemCounts::default();
    for problem in &seen.front_page.problems {
        match problem.severity {
            Severity::Error => problems.errors += 1,
            Severity::Warning => problems.warnings += 1,
            Severity::Info => problems.infos += 1,
        }
    }
    Analysis {
        depth: Depth::Shallow,
        size_class: class(seen.size_class),
        pages: bounded(seen.estimated_pages),
        ai_seconds: i64::try_from(seen.ai_seconds).unwrap_or(i64::MAX),
        problems,
        truncated: None,
        facts: stored(seen),
    }
}

/// What the whole crawl tells.
pub(super) fn deep(site: &SiteAnalysis) -> Analysis {
    let counts = site.problem_counts;
    Analysis {
        depth: Depth::Deep,
        size_class: class(site.size_class),
        pages: bounded(site.pages.total),
        ai_seconds: i64::try_from(site.ai_seconds).unwrap_or(i64::MAX),
        problems: ProblemCounts {
            errors: bounded(counts.errors),
            warnings: bounded(counts.warnings),
            infos: bounded(counts.infos),
        },
        truncated: site.truncated.clone(),
        facts: stored(site),
    }
}

/// Writes pages in batches, in the order in which they come.
pub(super) struct Rows<'a> {
    pen: &'a Pen,
    /// Numbers given so far.
    written: i32,
    batch: Vec<SitePage>,
    bytes: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(pen: &'a Pen) -> Self {
        Self { pen, written: 0, batch: Vec::new(), bytes: 0 }
    }

    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.write().await
    }

    async fn write(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let pages = i32::try_from(batch.len()).unwrap_or(i32::MAX);
        self.pen.write_site_pages(self.written + 1, batch).await.map_err(stopped)?;
        self.written += pages;
        Ok(())
    }
}

#[async_trait]
impl Keeper for Rows<'_> {
    async fn keep(&mut self, url: &str, read: &Page, page: PageAnalysis) -> io::Result<()> {
        let facts = stored(&page);
        self.bytes += facts.to_string().len();
        let codes: BTreeSet<&str> = page.problems.iter().map(|problem| problem.code.as_str()).collect();
        self.batch.push(SitePage {
            url: clip(url, ADDRESS),
            kind: page.kind.as_str().to_owned(),
            status: i16::try_from(read.status).unwrap_or(999),
            title: page.title.as_deref().map(|title| clip(title, TITLE)),
            language: page
                .language
                .as_deref()
                .map(|name| clip(name, LANGUAGE))
                .filter(|name| !name.is_empty()),
            words: bounded(page.text.words),
            depth: bounded(read.depth),
            problems: i32::try_from(page.problems.len()).unwrap_or(i32::MAX),
            problem_codes: codes.into_iter().map(str::to_owned).collect(),
            body_hash: read.body.to_string(),
            facts,
        });
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
            self.write().await?;
        }
        Ok(())
    }
}

const fn class(size: Size) -> SizeClass {
    match size {
        Size::Small => SizeClass::Small,
        Size::Medium => SizeClass::Medium,
        Size::Large => SizeClass::Large,
        Size::Enterprise => SizeClass::Enterprise,
    }
}

fn bounded(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn clip(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
