//! Keeps analyses and pages under a lease.

use super::{Analysis, SitePage};
use crate::{
    Result, Store,
    jobs::{Fenced, Lease, fence, phase::CompletePhase},
    jsonb,
    tx::{Tx, Work},
};
use domain::{TenantId, event::NewEvent, phase::Phase};
use serde_json::Value;

impl Store {
    /// Keeps an analysis, in place of an earlier one of this run and depth.
    pub async fn keep_analysis(&self, lease: &Lease, analysis: &Analysis) -> Result<Fenced<()>> {
        self.run(&Keep { lease, analysis }).await
    }

    /// Keeps pages in their canonical order, the first of them as number `from` (from 1), in place of whatever this
    /// run had from there on. Nobody sees them before [`Store::complete_analysis`].
    pub async fn write_site_pages(&self, lease: &Lease, from: i32, pages: &[SitePage]) -> Result<Fenced<()>> {
        // Each turn is a transaction of its own, so that however much an attempt left, none takes long.
        loop {
            match self.run(&WritePages { lease, from, pages }).await? {
                Fenced::Done(Pages::Cleared) => {}
                written => return Ok(written.map(drop)),
            }
        }
    }

    /// Completes ANALYZE: the deep analysis, the phase's result with its events, and the end of the crawl's journal,
    /// all at once. Said again, it changes nothing.
    pub async fn complete_analysis(
        &self,
        lease: &Lease,
        analysis: &Analysis,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<Fenced<()>> {
        self.run(&Complete { lease, analysis, result, events }).await
    }
}

struct Keep<'a> {
    lease: &'a Lease,
    analysis: &'a Analysis,
}

impl Work for Keep<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        if fence::prove(tx, self.lease).await?.is_none() {
            return Ok(Fenced::Stale);
        }
        keep(tx, self.lease, self.analysis).await?;
        Ok(Fenced::Done(()))
    }
}

async fn keep(tx: &Tx<'_>, lease: &Lease, analysis: &Analysis) -> Result<()> {
    let sql = "-- analysis.keep
        INSERT INTO site_analyses (migration_id, run, depth, tenant_id, epoch, size_class, pages, ai_seconds,
                                   errors, warnings, infos, truncated, facts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (migration_id, run, depth) DO UPDATE SET
            epoch = excluded.epoch, size_class = excluded.size_class, pages = excluded.pages,
            ai_seconds = excluded.ai_seconds, errors = excluded.errors, warnings = excluded.warnings,
            infos = excluded.infos, truncated = excluded.truncated, facts = excluded.facts";
    let Analysis { depth, size_class, pages, ai_seconds, problems, truncated, facts } = analysis;
    let of = lease.migration_run()?;
    tx.execute_one(
        sql,
        &[
            &of.migration.0,
            &of.run,
            &depth.as_str(),
            &lease.tenant.0,
            &lease.epoch.0,
            &size_class.as_str(),
            pages,
            ai_seconds,
            &problems.errors,
            &problems.warnings,
            &problems.infos,
            truncated,
            &jsonb::storable(facts),
        ],
    )
    .await
}

/// The most rows of an earlier attempt that one transaction takes away.
const CLEARED: i64 = 2000;

/// How far a write of pages came.
enum Pages {
    /// There was so much to take away that nothing was written yet.
    Cleared,
    Written,
}

struct WritePages<'a> {
    lease: &'a Lease,
    from: i32,
    pages: &'a [SitePage],
}

impl Work for WritePages<'_> {
    type Out = Fenced<Pages>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Self { lease, from, pages } = self;
        if fence::prove(tx, lease).await?.is_none() {
            return Ok(Fenced::Stale);
        }
        // What an attempt before this one left: with a cap on time it may have had other pages.
        let sql = "-- site_page.clear
            DELETE FROM site_pages
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3
              AND number IN (SELECT number FROM site_pages
                             WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND number >= $4
                             ORDER BY number LIMIT $5)";
        let of = lease.migration_run()?;
        let cleared = tx.execute(sql, &[&of.migration.0, &of.run, &lease.tenant.0, from, &CLEARED]).await?;
        if cleared >= CLEARED.unsigned_abs() {
            return Ok(Fenced::Done(Pages::Cleared));
        }
        insert(tx, lease, *from, pages).await?;
        Ok(Fenced::Done(Pages::Written))
    }
}

async fn insert(tx: &Tx<'_>, lease: &Lease, from: i32, pages: &[SitePage]) -> Result<()> {
    let sql = "-- site_page.insert
        INSERT INTO site_pages (migration_id, run, number, tenant_id, url, url_hash, kind, status, title, language,
                                words, depth, problems, problem_codes, body_hash, facts)
        SELECT $1, $2, $4::integer + new.place::integer - 1, $3, new.url, new.url_hash, new.kind, new.status,
               new.title, new.language, new.words, new.depth, new.problems,
               array_remove(string_to_array(new.codes, ' '), ''), new.body_hash, new.facts
        FROM unnest($5::text[], $6::bytea[], $7::text[], $8::smallint[], $9::text[], $10::text[], $11::integer[],
                    $12::integer[], $13::integer[], $14::text[], $15::text[], $16::jsonb[])
             WITH ORDINALITY AS new (url, url_hash, kind, status, title, language, words, depth, problems, codes,
                                     body_hash, facts, place)";
    let text = |of: fn(&SitePage) -> &str| -> Vec<String> {
        pages.iter().map(|page| jsonb::text_storable(of(page))).collect()
    };
    let optional = |of: fn(&SitePage) -> &Option<String>| -> Vec<Option<String>> {
        pages.iter().map(|page| of(page).as_deref().map(jsonb::text_storable)).collect()
    };
    let of = lease.migration_run()?;
    let number = |of: fn(&SitePage) -> i32| -> Vec<i32> { pages.iter().map(of).collect() };
    let url = text(|page| &page.url);
    let hashes: Vec<[u8; 32]> = url.iter().map(|url| blake3::hash(url.as_bytes()).into()).collect();
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    // An array of arrays would be one array to `unnest`; codes hold no space.
    let codes: Vec<String> = pages.iter().map(|page| page.problem_codes.join(" ")).collect();
    let status: Vec<i16> = pages.iter().map(|page| page.status).collect();
    let facts: Vec<Value> = pages.iter().map(|page| jsonb::storable(&page.facts)).collect();
    tx.execute(
        sql,
        &[
            &of.migration.0,
            &of.run,
            &lease.tenant.0,
            &from,
            &url,
            &hashes,
            &text(|page| &page.kind),
            &status,
            &optional(|page| &page.title),
            &optional(|page| &page.language),
            &number(|page| page.words),
            &number(|page| page.depth),
            &number(|page| page.problems),
            &codes,
            &text(|page| &page.body_hash),
            &facts,
        ],
    )
    .await
    .map(drop)
}

struct Complete<'a> {
    lease: &'a Lease,
    analysis: &'a Analysis,
    result: &'a Value,
    events: &'a [NewEvent],
}

impl Work for Complete<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Self { lease, analysis, result, events } = *self;
        if fence::prove(tx, lease).await?.is_none() {
            return Ok(Fenced::Stale);
        }
        keep(tx, lease, analysis).await?;
        let sql = "-- journal.close
            UPDATE crawl_journals SET closed_at = clock_timestamp()
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND closed_at IS NULL";
        let of = lease.migration_run()?;
        tx.execute(sql, &[&of.migration.0, &of.run, &lease.tenant.0]).await?;
        // Last, because it ends with the event head's lock.
        CompletePhase { lease, phase: Phase::Analyze, result, events }.run(tx).await
    }
}
