//! Makes the plan of a snapshot.

use std::collections::BTreeSet;

use site_read::Snapshot;

use super::{
    Asset, Finding, Keeps, Plan, Redirect, Route, VERSION, assets, cards, groups, redirects, routes,
    services, shared, slashes,
};
use crate::{Bodies, Next, Result, parallel, snapshot::Site};

pub(crate) fn plan(snapshot: &Snapshot, bodies: &dyn Bodies) -> Result<Plan> {
    let mut site = Site::read(parallel::processors(), snapshot, bodies, &Keeps::default())?;
    let routes::Routes { mut routes, redirects: from_index, rewrites: from_queries, mut findings } =
        routes::plan(snapshot, &site);
    let mut groups = groups::plan(&mut routes, &site);
    let shared::Shared { parts: mut shared, places } = shared::plan(&routes, &mut groups, &site);
    let contents = places.contents(parallel::processors(), &mut site, &routes, &groups);
    shared::name_in(&mut routes, &groups, &contents, &mut shared);
    let names = routes.iter().map(|route| &route.component).chain(shared.iter().map(|part| &part.name));
    let taken = names.map(|name| name.to_lowercase()).collect();
    let cards = cards::plan(&routes, &contents, taken);
    let (assets, from_assets) = assets::plan(snapshot, &site, &routes);
    let mut redirects = from_index;
    redirects.extend(redirects::plan(snapshot, &routes));
    let policy = slashes::policy(snapshot);
    let answered = answered(&routes, &assets, &redirects);
    redirects.extend(slashes::plan(policy, &routes, &answered, &site.origin));
    redirects::collapse(&mut redirects);
    let mut rewrites = from_queries;
    rewrites.extend(from_assets);
    redirects::assign(&mut redirects, &mut rewrites, &routes, &assets);
    for (url, page) in &site.pages {
        let told = page.findings.iter();
        findings.extend(told.map(|(code, note)| Finding {
            code: (*code).into(),
            url: url.clone(),
            note: note.clone(),
        }));
    }
    let services = services::plan(&routes, &site);
    findings.sort();
    findings.dedup();
    Ok(Plan {
        version: VERSION,
        next: Next::default(),
        origin: site.origin.origin().ascii_serialization(),
        trailing_slash: policy.0,
        routes,
        groups,
        shared,
        cards,
        assets,
        redirects,
        rewrites,
        services,
        forms: site.pages.values().flat_map(|page| page.forms.clone()).collect(),
        findings,
    })
}

/// Addresses that have an answer of their own.
fn answered(routes: &[Route], assets: &[Asset], redirects: &[Redirect]) -> BTreeSet<String> {
    let routes = routes.iter().map(|route| &route.path);
    let assets = assets.iter().map(|asset| &asset.path);
    let redirects = redirects.iter().map(|redirect| &redirect.from);
    routes.chain(assets).chain(redirects).cloned().collect()
}
