//! The site as it was read, answering again: pages, files and redirects out of the snapshot, and nothing else.

use std::collections::HashMap;

use bytes::Bytes;
use site_read::{Archive, ContentHash, Snapshot, same_origin};
use url::Url;

/// What is answered to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: String,
    pub(super) body: Bytes,
}

pub(super) struct Original<'a> {
    snapshot: &'a Snapshot,
    archive: &'a dyn Archive,
    /// Where addresses lead, with the status that they did it by.
    moved: HashMap<String, (String, u16)>,
}

impl<'a> Original<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, archive: &'a dyn Archive) -> Self {
        let redirects = snapshot.redirects.iter();
        let moved = redirects.map(|it| (it.from.clone(), (it.to.clone(), it.status))).collect();
        Self { snapshot, archive, moved }
    }

    /// `None` for what was never read and is of another site: that is not reached.
    pub(super) async fn answer(&self, url: &Url) -> std::io::Result<Option<Answer>> {
        let mut plain = url.clone();
        plain.set_fragment(None);
        let address = plain.as_str();
        if let Some((to, status)) = self.moved.get(address) {
            return Ok(Some(Answer { status: *status, location: to.clone(), ..Answer::default() }));
        }
        let alias = self.snapshot.aliases.iter().find(|alias| alias.from == address);
        let named = alias.map_or(address, |alias| alias.to.as_str());
        if let Some(page) = self.snapshot.pages.get(named) {
            return self.body(page.status, "text/html; charset=utf-8", &page.html).await.map(Some);
        }
        if let Some(asset) = self.snapshot.assets.get(named) {
            return self.body(200, &asset.content_type, &asset.body).await.map(Some);
        }
        // Scripts put the time there, so that no cache answers; servers of files look at no query at all.
        let plain = site_read::without_cache_buster(&plain);
        let mut bare = plain.clone().into_owned();
        bare.set_query(None);
        let assets = &self.snapshot.assets;
        if let Some(asset) = assets.get(plain.as_str()).or_else(|| assets.get(bare.as_str())) {
            return self.body(200, &asset.content_type, &asset.body).await.map(Some);
        }
        if !same_origin(url, &self.snapshot.home) {
            return Ok(None);
        }
        match &self.snapshot.not_found {
            Some(page) => self.body(404, "text/html; charset=utf-8", &page.html).await.map(Some),
            None => Ok(Some(Answer { status: 404, ..Answer::default() })),
        }
    }

    async fn body(&self, status: u16, content_type: &str, hash: &ContentHash) -> std::io::Result<Answer> {
        let body = self.archive.get(hash).await?;
        Ok(Answer { status, content_type: content_type.to_owned(), location: String::new(), body })
    }
}
