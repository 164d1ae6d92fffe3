//! Reads analyses and pages. Writes nothing, and shows no page before its deep analysis is there.

use super::{Analysis, AnalysisRecord, ProblemCounts};
use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{MigrationId, TenantId};
use serde_json::Value;
use tokio_postgres::Row;

/// Which pages are wanted.
#[derive(Clone, Debug, Default)]
pub struct PageFilter {
    /// Only those after this number; 0 for all.
    pub after: i32,
    /// At most so many.
    pub limit: u32,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only with a problem of this code.
    pub problem: Option<String>,
}

/// A page as it was kept, without most of its facts.
#[derive(Clone, Debug, PartialEq)]
pub struct SitePageRecord {
    /// Its place in canonical order, from 1.
    pub number: i32,
    /// Its address.
    pub url: String,
    /// What sort of page it is.
    pub kind: String,
    /// HTTP status.
    pub status: i16,
    /// Its title.
    pub title: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Words of text.
    pub words: i32,
    /// Links followed from the start page.
    pub depth: i32,
    /// The codes of its problems, each once.
    pub problem_codes: Vec<String>,
    /// The hash under which its body is stored.
    pub body_hash: String,
}

impl Store {
    /// The deepest analysis of a run.
    pub async fn analysis(
        &self,
        tenant: TenantId,
        migration: MigrationId,
        run: i32,
    ) -> Result<Option<AnalysisRecord>> {
        self.run(&Deepest { tenant, migration, run }).await
    }

    /// Pages of a run in canonical order; none before its deep analysis is there.
    pub async fn site_pages(
        &self,
        tenant: TenantId,
        migration: MigrationId,
        run: i32,
        filter: &PageFilter,
    ) -> Result<Vec<SitePageRecord>> {
        self.run(&Pages { tenant, migration, run, filter }).await
    }

    /// One page of a run by its number, with all its facts.
    pub async fn site_page(
        &self,
        tenant: TenantId,
        migration: MigrationId,
        run: i32,
        number: i32,
    ) -> Result<Option<(SitePageRecord, Value)>> {
        self.run(&Page { tenant, migration, run, number }).await
    }
}

struct Deepest {
    tenant: TenantId,
    migration: MigrationId,
    run: i32,
}

impl Work for Deepest {
    type Out = Option<AnalysisRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- analysis.deepest
            SELECT run, depth, size_class, pages, ai_seconds, errors, warnings, infos, truncated, facts, updated_at
            FROM site_analyses WHERE migration_id = $1 AND run = $2 AND tenant_id = $3
            ORDER BY depth = 'deep' DESC LIMIT 1";
        let row = tx.query_opt(sql, &[&self.migration.0, &self.run, &self.tenant.0]).await?;
        row.as_ref().map(read_analysis).transpose()
    }
}

fn read_analysis(row: &Row) -> Result<AnalysisRecord> {
    Ok(AnalysisRecord {
        run: row.column("run")?,
        analysis: Analysis {
            depth: row.word("depth")?,
            size_class: row.word("size_class")?,
            pages: row.column("pages")?,
            ai_seconds: row.column("ai_seconds")?,
            problems: ProblemCounts {
                errors: row.column("errors")?,
                warnings: row.column("warnings")?,
                infos: row.column("infos")?,
            },
            truncated: row.column("truncated")?,
            facts: row.column("facts")?,
        },
        updated_at: row.column("updated_at")?,
    })
}

struct Pages<'a> {
    tenant: TenantId,
    migration: MigrationId,
    run: i32,
    filter: &'a PageFilter,
}

impl Work for Pages<'_> {
    type Out = Vec<SitePageRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        // Four statements in place of one with `OR $5 IS NULL`: a plan that serves all four serves none.
        let all = "-- site_page.list
            SELECT number, url, kind, status, title, language, words, depth, problem_codes, body_hash
            FROM site_pages p WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND number > $4
              AND EXISTS (SELECT 1 FROM site_analyses a WHERE a.migration_id = $1 AND a.run = $2 AND a.depth = 'deep')
            ORDER BY number LIMIT $5";
        let of_kind = "-- site_page.list_kind
            SELECT number, url, kind, status, title, language, words, depth, problem_codes, body_hash
            FROM site_pages p WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND number > $4
              AND EXISTS (SELECT 1 FROM site_analyses a WHERE a.migration_id = $1 AND a.run = $2 AND a.depth = 'deep')
              AND kind = $6
            ORDER BY number LIMIT $5";
        let with_problem = "-- site_page.list_problem
            SELECT number, url, kind, status, title, language, words, depth, problem_codes, body_hash
            FROM site_pages p WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND number > $4
              AND EXISTS (SELECT 1 FROM site_analyses a WHERE a.migration_id = $1 AND a.run = $2 AND a.depth = 'deep')
              AND problems > 0 AND problem_codes @> ARRAY[$6::text]
            ORDER BY number LIMIT $5";
        let both = "-- site_page.list_kind_problem
            SELECT number, url, kind, status, title, language, words, depth, problem_codes, body_hash
            FROM site_pages p WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND number > $4
              AND EXISTS (SELECT 1 FROM site_analyses a WHERE a.migration_id = $1 AND a.run = $2 AND a.depth = 'deep')
              AND kind = $6 AND problems > 0 AND problem_codes @> ARRAY[$7::text]
            ORDER BY number LIMIT $5";
        let (migration, tenant, filter) = (self.migration.0, self.tenant.0, self.filter);
        let limit = i64::from(filter.limit);
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
            vec![&migration, &self.run, &tenant, &filter.after, &limit];
        let sql = match (&filter.kind, &filter.problem) {
            (None, None) => all,
            (Some(_), None) => of_kind,
            (None, Some(_)) => with_problem,
            (Some(_), Some(_)) => both,
        };
        for wanted in [&filter.kind, &filter.problem].into_iter().flatten() {
            parameters.push(wanted);
        }
        let rows = tx.query(sql, &parameters).await?;
        rows.iter().map(read_page).collect()
    }
}

fn read_page(row: &Row) -> Result<SitePageRecord> {
    Ok(SitePageRecord {
        number: row.column("number")?,
        url: row.column("url")?,
        kind: row.column("kind")?,
        status: row.column("status")?,
        title: row.column("title")?,
        language: row.column("language")?,
        words: row.column("words")?,
        depth: row.column("depth")?,
        problem_codes: row.column("problem_codes")?,
        body_hash: row.column("body_hash")?,
    })
}

struct Page {
    tenant: TenantId,
    migration: MigrationId,
    run: i32,
    number: i32,
}

impl Work for Page {
    type Out = Option<(SitePageRecord, Value)>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- site_page.one
            SELECT number, url, kind, status, title, language, words, depth, problem_codes, body_hash, facts
            FROM site_pages p WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND number = $4
              AND EXISTS (SELECT 1 FROM site_analyses a WHERE a.migration_id = $1 AND a.run = $2 AND a.depth = 'deep')";
        let row = tx.query_opt(sql, &[&self.migration.0, &self.run, &self.tenant.0, &self.number]).await?;
        row.map(|row| Ok((read_page(&row)?, row.column("facts")?))).transpose()
    }
}
