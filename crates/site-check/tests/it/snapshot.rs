//! Snapshots made by hand, as a crawl would have stored them.

use bytes::Bytes;
use site_read::{Asset, ContentHash, Page, Redirect, Rendering, Snapshot, render::Reason};
use std::collections::HashMap;
use url::Url;

pub(crate) const ORIGIN: &str = "http://old.example";

/// A site in the making.
pub(crate) struct Site {
    pub(crate) snapshot: Snapshot,
    pub(crate) bodies: HashMap<ContentHash, Bytes>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let home = Url::parse(&format!("{ORIGIN}/")).expect("a URL");
        let snapshot = Snapshot::empty(home.clone(), home);
        Self { snapshot, bodies: HashMap::new() }
    }

    fn keep(&mut self, bytes: impl Into<Bytes>) -> ContentHash {
        let bytes = bytes.into();
        let hash = ContentHash::of(&bytes);
        self.bodies.insert(hash.clone(), bytes);
        hash
    }

    fn read(&mut self, html: &str) -> Page {
        let body = self.keep(html.to_owned());
        Page {
            status: 200,
            content_type: "text/html".into(),
            charset: "utf-8".into(),
            title: String::new(),
            html: body.clone(),
            body,
            depth: 0,
            rendered: None,
        }
    }

    /// What the site shows for an address that does not exist.
    pub(crate) fn not_found(mut self, html: &str) -> Self {
        let page = self.read(html);
        self.snapshot.not_found = Some(page);
        self
    }

    pub(crate) fn page(mut self, path: &str, html: &str) -> Self {
        let page = self.read(html);
        self.snapshot.pages.insert(address(path), page);
        self
    }

    /// A page that a browser showed as something else than it was sent; its scripts asked for nothing.
    pub(crate) fn rendered(mut self, path: &str, sent: &str, shown: &str) -> Self {
        let page = self.read(shown);
        let sent = self.keep(sent.to_owned());
        let report = self.keep(r#"{"requests":[]}"#);
        let rendering = Rendering { reason: Reason::NoText, sent, pictures: Vec::new(), report };
        self.snapshot.pages.insert(address(path), Page { rendered: Some(rendering), ..page });
        self
    }

    pub(crate) fn asset(mut self, path: &str, content_type: &str, bytes: &str) -> Self {
        let body = self.keep(bytes.to_owned());
        let asset = Asset {
            content_type: content_type.into(),
            body,
            bytes: bytes.len() as u64,
            width: None,
            height: None,
        };
        self.snapshot.assets.insert(address(path), asset);
        self
    }

    /// A picture of so many pixels.
    pub(crate) fn image(self, path: &str, width: u32, height: u32) -> Self {
        let mut site = self.asset(path, "image/png", path);
        let asset = site.snapshot.assets.get_mut(&address(path)).expect("it is there");
        (asset.width, asset.height) = (Some(width), Some(height));
        site
    }

    pub(crate) fn redirect(mut self, from: &str, to: &str, status: u16) -> Self {
        self.snapshot.redirects.push(Redirect { from: address(from), to: address(to), status, steps: 1 });
        self
    }
}

fn address(path: &str) -> String {
    Url::parse(ORIGIN).and_then(|origin| origin.join(path)).expect("a path").into()
}
