//! `GET /api/migration/{id}/analysis`: what is known of the site, and its pages, page by page.
//!
//! Pages have numbers in canonical order, so that a cursor is the last number seen, bound to its migration and run:
//! one of another run would name other pages.

mod cursor;

use self::cursor::Cursor;
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    view::{Analysis, SitePageInFull, SitePageView, SitePages},
};
use actix_web::web::{Data, Json, Path, Query};
use domain::{MigrationId, TenantId};
use serde::Deserialize;
use store::{AnalysisRecord, PageFilter};
use utoipa::IntoParams;

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 200;
/// No kind or code is longer.
const LONGEST_WORD: usize = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// `next` of the list before. Opaque.
    cursor: Option<String>,
    /// How many pages, 1 to 200; 50 if absent.
    limit: Option<u32>,
    /// Only pages of this kind: home, article, listing, …
    kind: Option<String>,
    /// Only pages with a problem of this code.
    problem: Option<String>,
}

pub(crate) const REFUSALS: &[Code] =
    &[Code::InvalidId, Code::InvalidQuery, Code::MigrationNotFound, Code::NotAnalyzed];
pub(crate) const PAGE_REFUSALS: &[Code] =
    &[Code::InvalidId, Code::MigrationNotFound, Code::NotAnalyzed, Code::PageNotFound];

/// Reads what is known of the site, with the first of its pages.
///
/// While the site is being read this is a first look (`depth` is `shallow`, and `pages` is empty); from then on it is
/// the whole.
#[utoipa::path(
    get, path = "/api/migration/{id}/analysis", tag = "analysis",
    params(("id" = uuid::Uuid, Path), Paging), responses((status = 200, body = Analysis))
)]
pub(crate) async fn analysis(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    paging: Query<Paging>,
) -> Result<Json<Analysis>, Problem> {
    let tenant = caller.0.tenant;
    let wanted = Wanted::new(paging.into_inner())?;
    let known = known(&parts, tenant, id).await?;
    let pages = pages(&parts, tenant, id, known.run, &wanted).await?;
    Ok(Json(Analysis::new(id, known, pages)))
}

/// Lists the pages that were read, in canonical order.
#[utoipa::path(
    get, path = "/api/migration/{id}/analysis/pages", tag = "analysis",
    params(("id" = uuid::Uuid, Path), Paging), responses((status = 200, body = SitePages))
)]
pub(crate) async fn list(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    paging: Query<Paging>,
) -> Result<Json<SitePages>, Problem> {
    let tenant = caller.0.tenant;
    let wanted = Wanted::new(paging.into_inner())?;
    let known = known(&parts, tenant, id).await?;
    Ok(Json(pages(&parts, tenant, id, known.run, &wanted).await?))
}

/// Reads one page by its number, with all that is known of it.
#[utoipa::path(
    get, path = "/api/migration/{id}/analysis/pages/{number}", tag = "analysis",
    params(("id" = uuid::Uuid, Path), ("number" = i32, Path, description = "Of the list")),
    responses((status = 200, body = SitePageInFull))
)]
pub(crate) async fn page(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    path: Path<(String, String)>,
) -> Result<Json<SitePageInFull>, Problem> {
    let tenant = caller.0.tenant;
    let known = known(&parts, tenant, id).await?;
    let missing = || {
        let told = format!("This analysis has no page of the number {:.20}: take one of its list.", path.1);
        Problem::new(Code::PageNotFound, told)
    };
    let number = path.1.parse().map_err(|_| missing())?;
    let found = parts.store.site_page(tenant, id, known.run, number).await?;
    let (record, facts) = found.ok_or_else(missing)?;
    Ok(Json(SitePageInFull { page: record.into(), facts }))
}

/// What was asked for, within its bounds.
struct Wanted {
    filter: PageFilter,
    cursor: Option<Cursor>,
}

impl Wanted {
    fn new(paging: Paging) -> Result<Self, Problem> {
        let refused = |told: String| Err(Problem::new(Code::InvalidQuery, told));
        let limit = paging.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return refused(format!("limit has to be between 1 and {MOST}."));
        }
        for (name, word) in [("kind", &paging.kind), ("problem", &paging.problem)] {
            let plain = |word: &String| {
                (1..=LONGEST_WORD).contains(&word.len())
                    && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            };
            if !word.as_ref().is_none_or(plain) {
                return refused(format!("{name} has to be a word, as the list of pages has it."));
            }
        }
        let cursor = paging.cursor.as_deref().map(|text| {
            Cursor::parse(text).ok_or_else(|| {
                Problem::new(Code::InvalidQuery, "cursor has to be the `next` of a list before.")
            })
        });
        let cursor = cursor.transpose()?;
        Ok(Self {
            filter: PageFilter { after: 0, limit, kind: paging.kind, problem: paging.problem },
            cursor,
        })
    }
}

/// The deepest analysis of the run whose reading of the site holds.
async fn known(parts: &Parts, tenant: TenantId, id: MigrationId) -> Result<AnalysisRecord, Problem> {
    let record = parts.store.migration(tenant, id).await?.ok_or_else(|| not_found(id))?;
    let known = parts.store.analysis(tenant, id, record.analysis_run).await?;
    known.ok_or_else(|| {
        let told = format!("It is {}, and nothing is known of its site yet.", record.state);
        Problem::new(Code::NotAnalyzed, told).with("migrationStatus", record.state.to_string())
    })
}

async fn pages(
    parts: &Parts,
    tenant: TenantId,
    id: MigrationId,
    run: i32,
    wanted: &Wanted,
) -> Result<SitePages, Problem> {
    let after = match wanted.cursor {
        Some(cursor) if cursor.scope != Cursor::scope(id, run) => {
            let told = "cursor belongs to another list. Begin without one.";
            return Err(Problem::new(Code::InvalidQuery, told));
        }
        Some(cursor) => cursor.number,
        None => 0,
    };
    // One more than asked for tells whether there is a next list.
    let limit = wanted.filter.limit;
    let filter = PageFilter { after, limit: limit + 1, ..wanted.filter.clone() };
    let mut found = parts.store.site_pages(tenant, id, run, &filter).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| Cursor::after(id, run, last.number).text());
    Ok(SitePages { items: found.into_iter().map(SitePageView::from).collect(), next })
}
