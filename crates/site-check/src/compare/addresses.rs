//! Every address that the site had, asked of the project: the same status, or one redirect to the same place; and an
//! address that never was answers 404.

use futures::{StreamExt, TryStreamExt, stream};
use site_read::Snapshot;
use site_write::Plan;

use super::{copy::Copy, report::WrongAddress};
use crate::{Error, Result};

/// Addresses under way at once.
const AT_ONCE: usize = 8;
/// No site has it.
const NOWHERE: &str = "/resettle-asks-for-what-is-not-there-7f3a";

/// What an address should answer.
struct Wanted {
    path: String,
    status: u16,
    /// Path and query, or a whole address of another site.
    to: Option<String>,
}

/// How many were asked, and those that are answered otherwise.
pub(super) async fn ask(
    plan: &Plan,
    snapshot: &Snapshot,
    copy: &Copy<'_>,
) -> Result<(u64, Vec<WrongAddress>)> {
    let wanted = wanted(plan, snapshot, copy);
    let count = wanted.len() as u64;
    let asking = wanted.into_iter().map(|wanted| async move {
        let answer = copy.get(&wanted.path, &[]).await.map_err(Error::Asking)?;
        let to = copy.address(&answer.location).map(|url| copy.path(&url).to_owned());
        let to = to.ok().filter(|_| !answer.location.is_empty());
        let right = match &wanted.to {
            // A server may say it its own way, but for good is for good.
            Some(_) => to == wanted.to && lasting(answer.status) == lasting(wanted.status),
            None => answer.status == wanted.status,
        };
        let wrong = WrongAddress {
            wanted: said(wanted.status, wanted.to.as_deref()),
            found: said(answer.status, to.as_deref()),
            path: wanted.path,
        };
        Ok::<_, Error>((!right).then_some(wrong))
    });
    // In order, so that two comparisons say the same.
    let answers: Vec<_> = stream::iter(asking).buffered(AT_ONCE).try_collect().await?;
    Ok((count, answers.into_iter().flatten().collect()))
}

fn wanted(plan: &Plan, snapshot: &Snapshot, copy: &Copy<'_>) -> Vec<Wanted> {
    let pages = plan.routes.iter().map(|route| {
        let status = snapshot.pages.get(&route.url).map_or(200, |page| page.status);
        Wanted { path: route.path.clone(), status, to: None }
    });
    let redirects = plan.redirects.iter().map(|redirect| {
        let to = copy.address(&redirect.to).map(|url| copy.path(&url).to_owned());
        Wanted {
            path: redirect.from.clone(),
            status: redirect.status,
            to: Some(to.unwrap_or_else(|_| redirect.to.clone())),
        }
    });
    let nowhere = Wanted { path: NOWHERE.to_owned(), status: 404, to: None };
    pages.chain(redirects).chain([nowhere]).collect()
}

/// Is it a redirect, and for good?
fn lasting(status: u16) -> Option<bool> {
    match status {
        301 | 308 => Some(true),
        302 | 303 | 307 => Some(false),
        _ => None,
    }
}

fn said(status: u16, to: Option<&str>) -> String {
    to.map_or_else(|| status.to_string(), |to| format!("{status} to {to}"))
}
