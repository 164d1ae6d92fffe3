//! What belongs to the site.

use url::Url;

use crate::web_address::{are_siblings, same_origin};

/// The home page's origin, and the origins that are the same site as far as is known.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) home: Url,
    /// Former origins, which the start address was redirected through: links to them are followed,
    /// because they lead home.
    pub(super) others: Vec<Url>,
    /// The folder that pages have to be in.
    pub(super) below: Option<String>,
}

impl Site {
    pub(super) fn is_home(&self, url: &Url) -> bool {
        same_origin(&self.home, url)
    }

    /// Whether an address may lead home. The same host with or without `www.`, or over the other scheme,
    /// is asked too: whether it is the same site its redirects say.
    pub(super) fn contains(&self, url: &Url) -> bool {
        self.is_home(url)
            || are_siblings(&self.home, url)
            || self.others.iter().any(|other| same_origin(other, url))
    }

    /// Whether a page is in the part that is to be read. At another origin its redirect decides.
    pub(super) fn is_below(&self, url: &Url) -> bool {
        let within = |folder: &String| url.path().starts_with(folder.as_str());
        !self.is_home(url) || self.below.as_ref().is_none_or(within)
    }
}
