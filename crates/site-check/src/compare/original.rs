//! The site as it was read, answering again: pages, files and redirects out of the snapshot, and nothing else.
//!
//! A page that shows itself only by its scripts is answered as it was sent, so that they run as they do at the site; where
//! something that they were answered cannot be answered again, as a browser showed it.

use std::{
    collections::{HashMap, HashSet},
    io,
};

use bytes::Bytes;
use serde::Deserialize;
use site_read::{Archive, ContentHash, Page, Rendering, Snapshot, render::Request, same_origin};
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
    /// The rendered pages whose scripts can be answered again.
    repeatable: HashSet<&'a str>,
}

/// Of what is told of a rendering, what the page asked for.
#[derive(Deserialize)]
struct Rendered {
    requests: Vec<Request>,
}

impl<'a> Original<'a> {
    /// An error means that the archive cannot be read.
    pub(super) async fn of(snapshot: &'a Snapshot, archive: &'a dyn Archive) -> io::Result<Self> {
        let redirects = snapshot.redirects.iter();
        let moved = redirects.map(|it| (it.from.clone(), (it.to.clone(), it.status))).collect();
        let mut original = Self { snapshot, archive, moved, repeatable: HashSet::new() };
        for (url, page) in &snapshot.pages {
            if let Some(rendering) = &page.rendered
                && original.can_repeat(rendering).await?
            {
                original.repeatable.insert(url);
            }
        }
        Ok(original)
    }

    /// Is there an answer to everything that the page was answered when it was rendered?
    async fn can_repeat(&self, rendering: &Rendering) -> io::Result<bool> {
        let report = self.archive.get(&rendering.report).await?;
        let Ok(Rendered { requests }) = serde_json::from_slice(&report) else { return Ok(false) };
        for request in requests.iter().filter(|it| it.status.is_some_and(|status| status < 400)) {
            let Ok(url) = Url::parse(&request.url) else { return Ok(false) };
            if !matches!(url.scheme(), "http" | "https") {
                continue;
            }
            let again = if request.method == "GET" { self.answer(&url).await? } else { None };
            if again.is_none_or(|answer| answer.status >= 400) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `None` for what was never read and is of another site: that is not reached.
    pub(super) async fn answer(&self, url: &Url) -> io::Result<Option<Answer>> {
        let mut plain = url.clone();
        plain.set_fragment(None);
        let address = plain.as_str();
        if let Some((to, status)) = self.moved.get(address) {
            return Ok(Some(Answer { status: *status, location: to.clone(), ..Answer::default() }));
        }
        let alias = self.snapshot.aliases.iter().find(|alias| alias.from == address);
        let named = alias.map_or(address, |alias| alias.to.as_str());
        if let Some(page) = self.snapshot.pages.get(named) {
            let html = self.markup(named, page);
            return self.body(page.status, "text/html; charset=utf-8", html).await.map(Some);
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

    fn markup<'p>(&self, address: &str, page: &'p Page) -> &'p ContentHash {
        if self.repeatable.contains(address) { page.sent() } else { &page.html }
    }

    async fn body(&self, status: u16, content_type: &str, hash: &ContentHash) -> io::Result<Answer> {
        let body = self.archive.get(hash).await?;
        Ok(Answer { status, content_type: content_type.to_owned(), location: String::new(), body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use site_read::{MemoryArchive, render::Reason};

    const HOME: &str = "http://old.example/";

    /// What stands for a page that was rendered and was answered these requests then: as it was sent, or as it was shown.
    async fn answered(requests: &[(&str, &str, u16)]) -> Bytes {
        let home = Url::parse(HOME).expect("a URL");
        let (mut snapshot, archive) = (Snapshot::empty(home.clone(), home.clone()), MemoryArchive::new());
        let keep = async |bytes: String| archive.put(bytes.into()).await.expect("kept in memory");
        let requests = requests.iter().map(|(method, url, status)| {
            json!({ "url": url, "kind": "Fetch", "method": method, "status": status })
        });
        let report = json!({ "requests": requests.collect::<Vec<_>>() }).to_string();
        let rendering = Rendering {
            reason: Reason::NoText,
            sent: keep("sent".into()).await,
            pictures: Vec::new(),
            report: keep(report).await,
        };
        let (shown, file) = (keep("shown".into()).await, keep("{}".into()).await);
        let page = Page {
            status: 200,
            content_type: "text/html".into(),
            charset: "utf-8".into(),
            title: String::new(),
            body: rendering.sent.clone(),
            html: shown,
            depth: 0,
            rendered: Some(rendering),
        };
        snapshot.pages.insert(HOME.into(), page);
        let asset = site_read::Asset {
            content_type: "application/json".into(),
            body: file,
            bytes: 2,
            width: None,
            height: None,
        };
        snapshot.assets.insert(format!("{HOME}data.json"), asset);
        let original = Original::of(&snapshot, &archive).await.expect("it can be read");
        original.answer(&home).await.expect("it can be read").expect("a page").body
    }

    #[tokio::test]
    async fn a_rendered_page_is_answered_as_sent_if_its_scripts_can_be_answered_again() {
        let data = "http://old.example/data.json";
        assert_eq!(answered(&[]).await, "sent");
        assert_eq!(answered(&[("GET", HOME, 200), ("GET", data, 200)]).await, "sent");
        assert_eq!(
            answered(&[("GET", "data:,x", 200), ("GET", "blob:http://old.example/1", 200)]).await,
            "sent"
        );
        assert_eq!(answered(&[("GET", "http://old.example/gone", 404)]).await, "sent", "it failed then, too");
        assert_eq!(answered(&[("GET", "http://old.example/other.json", 200)]).await, "shown");
        assert_eq!(answered(&[("GET", "http://api.example/all", 200)]).await, "shown");
        assert_eq!(answered(&[("POST", data, 200)]).await, "shown");
    }
}
