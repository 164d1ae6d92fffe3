//! Makes the plan of a snapshot.

use site_read::Snapshot;

use super::{Finding, Plan, VERSION, assets, groups, redirects, routes, shared};
use crate::{Bodies, Result, snapshot::Site};

pub(crate) fn plan(snapshot: &Snapshot, bodies: &dyn Bodies) -> Result<Plan> {
    let site = Site::read(snapshot, bodies)?;
    let routes::Routes { mut routes, redirects: from_index, rewrites: from_queries, mut findings } =
        routes::plan(snapshot, &site);
    let mut groups = groups::plan(&mut routes, &site);
    let shared = shared::plan(&mut routes, &mut groups, &site);
    let (assets, from_assets) = assets::plan(snapshot, &routes);
    let mut redirects = redirects::plan(snapshot, &routes);
    redirects.extend(from_index);
    let mut rewrites = from_queries;
    rewrites.extend(from_assets);
    for (url, page) in &site.pages {
        let told = page.findings.iter();
        findings.extend(told.map(|(code, note)| Finding {
            code: (*code).into(),
            url: url.clone(),
            note: note.clone(),
        }));
    }
    findings.sort();
    findings.dedup();
    Ok(Plan {
        version: VERSION,
        origin: site.origin.origin().ascii_serialization(),
        routes,
        groups,
        shared,
        assets,
        redirects,
        rewrites,
        forms: site.pages.values().flat_map(|page| page.forms.clone()).collect(),
        findings,
    })
}
