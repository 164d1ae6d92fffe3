//! Finding what a link means in a snapshot.

use std::collections::HashMap;

use url::Url;

use crate::snapshot::Snapshot;
use crate::web_address::normal_form;

/// Looks up addresses as links spell them: any spelling, redirects followed.
pub struct Index<'a> {
    pages: HashMap<String, &'a str>,
    assets: HashMap<String, &'a str>,
    /// Redirects, and other spellings of pages.
    redirects: HashMap<String, &'a str>,
}

impl<'a> Index<'a> {
    /// Builds the index; one pass over the snapshot.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let redirects = snapshot.redirects.iter().map(|redirect| (&redirect.from, &redirect.to));
        let moved = redirects.chain(snapshot.aliases.iter().map(|alias| (&alias.from, &alias.to)));
        Self {
            pages: by_form(snapshot.pages.keys().map(String::as_str)),
            assets: by_form(snapshot.assets.keys().map(String::as_str)),
            redirects: moved.filter_map(|(from, to)| Some((form(from)?, to.as_str()))).collect(),
        }
    }

    /// The key in `Snapshot::pages` of the page that this link leads to.
    #[must_use]
    pub fn page(&self, url: &Url) -> Option<&'a str> {
        self.find(&self.pages, url)
    }

    /// The key in `Snapshot::assets` of the file that this reference names.
    #[must_use]
    pub fn asset(&self, url: &Url) -> Option<&'a str> {
        self.find(&self.assets, url)
    }

    fn find(&self, known: &HashMap<String, &'a str>, url: &Url) -> Option<&'a str> {
        let wanted = normal_form(url);
        if let Some(key) = known.get(&wanted) {
            return Some(key);
        }
        let target = form(self.redirects.get(&wanted)?)?;
        // A redirect may lead to another spelling of a page.
        let further = || known.get(&form(self.redirects.get(&target)?)?);
        known.get(&target).or_else(further).copied()
    }
}

fn by_form<'a>(keys: impl Iterator<Item = &'a str>) -> HashMap<String, &'a str> {
    keys.filter_map(|key| Some((form(key)?, key))).collect()
}

fn form(address: &str) -> Option<String> {
    Url::parse(address).ok().map(|url| normal_form(&url))
}
