//! A folder of files as a crawl would have stored it.

use bytes::Bytes;
use site_read::{Asset, ContentHash, Page, Snapshot};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};
use url::Url;

/// What is read of a site: what is known of it, and its bodies.
pub(crate) type Read = (Snapshot, HashMap<ContentHash, Bytes>);

pub(crate) fn read(folder: &Path) -> Result<Read, Box<dyn std::error::Error>> {
    let home = Url::parse("https://bench.example/")?;
    let (mut snapshot, mut bodies) = (Snapshot::empty(home.clone(), home.clone()), HashMap::new());
    for file in files(folder)? {
        let bytes = Bytes::from(fs::read(&file)?);
        let body = ContentHash::of(&bytes);
        let path = file.strip_prefix(folder)?.to_str().ok_or("a path that is no text")?.to_owned();
        let url = home.join(&path)?.to_string();
        let length = bytes.len() as u64;
        bodies.insert(body.clone(), bytes);
        if path.ends_with(".html") {
            snapshot.pages.insert(url, page(body));
        } else {
            let content_type = content_type(&path);
            let size = content_type.starts_with("image/").then_some(100);
            let (width, height) = (size, size);
            let asset = Asset { content_type: content_type.into(), body, bytes: length, width, height };
            snapshot.assets.insert(url, asset);
        }
    }
    Ok((snapshot, bodies))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

fn page(body: ContentHash) -> Page {
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

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
