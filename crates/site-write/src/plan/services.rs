//! Whose scripts the pages have besides the site's own, and how they are loaded: for the owner, who may want to be rid of some.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use site_read::analysis::{ScriptKind, known::Loading};

use super::{Keep, Route};
use crate::{page::Script, snapshot::Site};

/// Analytics, advertising, a question for consent, a map, a chat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// What people call it.
    pub name: String,
    /// What it does.
    pub kind: ScriptKind,
    /// How Next.js loads it; none if it runs in its page's own chain of scripts, which may wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loading: Option<Loading>,
    /// How many pages have it.
    pub pages: u64,
}

pub(super) fn plan(routes: &[Route], site: &Site) -> Vec<Service> {
    let mut found: BTreeMap<(&str, ScriptKind, Option<Loading>), u64> = BTreeMap::new();
    for route in routes {
        let chained = route.kept.contains(&Keep::Scripts);
        let scripts = site.pages[&route.url].scripts.iter();
        let mut of_page: Vec<_> = scripts.filter_map(|script| service(script, chained)).collect();
        of_page.sort_unstable();
        of_page.dedup();
        for one in of_page {
            *found.entry(one).or_default() += 1;
        }
    }
    let services = found.into_iter().map(|((name, kind, loading), pages)| Service {
        name: name.to_owned(),
        kind,
        loading,
        pages,
    });
    services.collect()
}

fn service(script: &Script, chained: bool) -> Option<(&'static str, ScriptKind, Option<Loading>)> {
    let service = script.service?;
    let told = match service.kind {
        ScriptKind::Analytics
        | ScriptKind::TagManager
        | ScriptKind::Advertising
        | ScriptKind::Consent
        | ScriptKind::Widget => true,
        ScriptKind::Framework
        | ScriptKind::Library
        | ScriptKind::DomMutation
        | ScriptKind::Own
        | ScriptKind::Data => false,
    };
    told.then_some((service.name, service.kind, script.loading.filter(|_| !chained)))
}
