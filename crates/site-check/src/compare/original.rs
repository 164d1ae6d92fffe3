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
use site_read::{Archive, Asset, Page, Rendering, Snapshot, render::Request, same_origin};
use site_write::visible_text;
use url::Url;

const HTML: &str = "text/html; charset=utf-8";
/// More requests of a page than this are not noted one by one.
const MOST_REQUESTS: usize = 500;

/// How a page is answered that shows itself only by its scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it was sent, where its scripts can be answered again.
    Sent,
    /// As a browser showed it.
    Shown,
}

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
    repeatable: HashSet<String>,
}

/// Of what is told of a rendering, what decides whether it can be repeated.
#[derive(Deserialize)]
struct Rendered {
    requests: Vec<Request>,
    #[serde(default)]
    walls: Vec<serde_json::Value>,
}

/// What stands at an address.
enum Found<'a> {
    Moved(&'a str, u16),
    Page(&'a str, &'a Page),
    File(&'a Asset),
    Missing,
    /// Of another site, and never read: it is not reached.
    Nothing,
}

impl<'a> Original<'a> {
    /// Every page as it stands in the snapshot, until [`Original::look_up`].
    pub(super) fn of(snapshot: &'a Snapshot, archive: &'a dyn Archive) -> Self {
        let redirects = snapshot.redirects.iter();
        let moved = redirects.map(|it| (it.from.clone(), (it.to.clone(), it.status))).collect();
        Self { snapshot, archive, moved, repeatable: HashSet::new() }
    }

    /// Of these pages, those that can be are answered as they were sent from here on.
    pub(super) async fn look_up(&mut self, pages: impl Iterator<Item = &str>) {
        for url in pages {
            let rendering = self.snapshot.pages.get(url).and_then(|page| page.rendered.as_ref());
            if let Some(rendering) = rendering
                && self.can_repeat(rendering).await
            {
                self.repeatable.insert(url.to_owned());
            }
        }
    }

    /// Is there an answer to everything that the page was answered when it was rendered? Not if that is not known, and not if a
    /// wall was taken down then: it would stand there again.
    async fn can_repeat(&self, rendering: &Rendering) -> bool {
        let Ok(report) = self.archive.get(&rendering.report).await else { return false };
        let Ok(Rendered { requests, walls }) = serde_json::from_slice(&report) else { return false };
        let mut answered = requests.iter().filter(|it| it.status.is_some_and(|status| status < 400));
        walls.is_empty() && requests.len() < MOST_REQUESTS && answered.all(|request| self.can_answer(request))
    }

    fn can_answer(&self, request: &Request) -> bool {
        let Ok(url) = Url::parse(&request.url) else { return false };
        let found = || match self.find(&url) {
            Found::Moved(..) | Found::File(_) => true,
            Found::Page(_, page) => page.status < 400,
            Found::Missing | Found::Nothing => false,
        };
        !matches!(url.scheme(), "http" | "https") || (request.method == "GET" && found())
    }

    fn find(&self, url: &Url) -> Found<'_> {
        let mut plain = url.clone();
        plain.set_fragment(None);
        let address = plain.as_str();
        if let Some((to, status)) = self.moved.get(address) {
            return Found::Moved(to, *status);
        }
        let alias = self.snapshot.aliases.iter().find(|alias| alias.from == address);
        let named = alias.map_or(address, |alias| alias.to.as_str());
        if let Some((named, page)) = self.snapshot.pages.get_key_value(named) {
            return Found::Page(named, page);
        }
        // Scripts put the time there, so that no cache answers; servers of files look at no query at all.
        let timeless = site_read::without_cache_buster(&plain);
        let mut bare = timeless.clone().into_owned();
        bare.set_query(None);
        let assets = &self.snapshot.assets;
        let asset = [named, timeless.as_str(), bare.as_str()].into_iter().find_map(|one| assets.get(one));
        match asset {
            Some(asset) => Found::File(asset),
            None if same_origin(url, &self.snapshot.home) => Found::Missing,
            None => Found::Nothing,
        }
    }

    /// `None` for what was never read and is of another site: that is not reached.
    pub(super) async fn answer(&self, url: &Url, form: Form) -> io::Result<Option<Answer>> {
        let (status, content_type, hash) = match self.find(url) {
            Found::Moved(to, status) => {
                return Ok(Some(Answer { status, location: to.to_owned(), ..Answer::default() }));
            }
            Found::Page(named, page) => {
                let as_sent = form == Form::Sent && self.repeatable.contains(named);
                (page.status, HTML, if as_sent { page.sent() } else { &page.html })
            }
            Found::File(asset) => (200, asset.content_type.as_str(), &asset.body),
            Found::Missing => match &self.snapshot.not_found {
                Some(page) => (404, HTML, &page.html),
                None => return Ok(Some(Answer { status: 404, ..Answer::default() })),
            },
            Found::Nothing => return Ok(None),
        };
        let (content_type, location) = (content_type.to_owned(), String::new());
        let body = self.archive.get(hash).await?;
        Ok(Some(Answer { status, content_type, location, body }))
    }

    /// Does a page that is answered as it was sent say less than half of the words that it was shown with? Then its scripts got
    /// something that nobody noted, by a socket perhaps.
    pub(super) async fn lacks_words(&self, url: &str, said: &[String]) -> io::Result<bool> {
        let Some(page) = self.snapshot.pages.get(url).filter(|_| self.repeatable.contains(url)) else {
            return Ok(false);
        };
        let shown = self.archive.get(&page.html).await?;
        Ok(said.len() * 2 < visible_text(&String::from_utf8_lossy(&shown)).len())
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
        answered_behind(requests, &[]).await
    }

    /// The same, if these walls were taken down.
    async fn answered_behind(requests: &[(&str, &str, u16)], walls: &[&str]) -> Bytes {
        let home = Url::parse(HOME).expect("a URL");
        let (mut snapshot, archive) = (Snapshot::empty(home.clone(), home.clone()), MemoryArchive::new());
        let keep = async |bytes: String| archive.put(bytes.into()).await.expect("kept in memory");
        let requests = requests.iter().map(|(method, url, status)| {
            json!({ "url": url, "kind": "Fetch", "method": method, "status": status })
        });
        let report = json!({ "requests": requests.collect::<Vec<_>>(), "walls": walls }).to_string();
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
        let mut original = Original::of(&snapshot, &archive);
        original.look_up([HOME].into_iter()).await;
        let shown = original.answer(&home, Form::Shown).await.expect("it can be read").expect("a page");
        assert_eq!(shown.body, "shown");
        original.answer(&home, Form::Sent).await.expect("it can be read").expect("a page").body
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
        assert_eq!(answered_behind(&[], &["#cookies"]).await, "shown", "the wall would stand there again");
        assert_eq!(answered(&[("GET", HOME, 200); MOST_REQUESTS]).await, "shown", "there may have been more");
    }
}
