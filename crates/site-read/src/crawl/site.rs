//! What belongs to the site.

use url::Url;

use crate::web_address::same_origin;

/// The home page's origin, and the origins that the start address was redirected through.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) home: Url,
    /// Former origins, as `http://` before `https://` or the name without `www`: links to them are
    /// followed, because they lead home.
    pub(super) others: Vec<Url>,
}

impl Site {
    pub(super) fn is_home(&self, url: &Url) -> bool {
        same_origin(&self.home, url)
    }

    pub(super) fn contains(&self, url: &Url) -> bool {
        self.is_home(url) || self.others.iter().any(|other| same_origin(other, url))
    }
}
