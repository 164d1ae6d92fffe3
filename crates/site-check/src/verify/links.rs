//! Every address of the site that the project names leads somewhere: to a route, a file, a redirect, or to what was already
//! dead, disallowed or left out when the site was read.

use std::collections::BTreeSet;

use url::Url;

use super::{Held, Problem, problem};

impl Held<'_> {
    pub(super) fn links(&self) -> Vec<Problem> {
        let known = self.answered();
        let mut problems = Vec::new();
        for (path, source) in &self.sources {
            let addresses: BTreeSet<&String> = source.addresses.iter().collect();
            for address in addresses {
                let own = address.starts_with('/') && !address.starts_with("//");
                let plain = address.split('#').next().unwrap_or_default();
                if own && !known.contains(folded(plain).as_str()) && self.was_read(plain) {
                    problems.push(problem(
                        path,
                        format!("{address} was read, and the project does not answer it"),
                    ));
                }
            }
        }
        problems.extend(self.files_that_are_missing());
        problems
    }

    /// Everything that the project answers.
    fn answered(&self) -> BTreeSet<String> {
        let routes = self.plan.routes.iter().map(|route| route.path.as_str());
        let assets = self.plan.assets.iter().map(|asset| asset.path.as_str());
        let redirects = self.plan.redirects.iter().map(|redirect| redirect.from.as_str());
        let rewrites = self.plan.rewrites.iter().map(|rewrite| rewrite.from.as_str());
        routes.chain(assets).chain(redirects).chain(rewrites).map(folded).collect()
    }

    /// Did the site itself answer this address with something that was taken?
    fn was_read(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(&self.plan.origin).and_then(|origin| origin.join(address)) else {
            return false;
        };
        self.snapshot.pages.contains_key(url.as_str()) || self.snapshot.assets.contains_key(url.as_str())
    }

    fn files_that_are_missing(&self) -> Vec<Problem> {
        let missing = self.plan.assets.iter().filter(|asset| !self.project.files.contains_key(&asset.file));
        missing.map(|asset| problem(&asset.file, format!("the file for {} is missing", asset.url))).collect()
    }
}

/// An address without the difference that a slash at the end makes.
fn folded(address: &str) -> String {
    match address.split_once('?') {
        Some((path, query)) => format!("{}?{query}", path.trim_end_matches('/')),
        None => address.trim_end_matches('/').to_owned(),
    }
}
