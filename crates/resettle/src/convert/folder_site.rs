//! A folder of a site's files, served on this machine alone, so that it is read just like a site: one crawl, one guard.
//!
//! Whichever port of the loopback is free, the address that it stands for is the one that was said, or always the same, so
//! that the same folder gives the same project. Nothing outside the folder is ever served, also not by a link that leads there.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use async_trait::async_trait;
use futures::stream;
use percent_encoding::percent_decode_str;
use service_kit::{Lifecycle, http};
use site_fetch::{Fetcher, Options, Resolve};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use url::Url;

/// A name that nobody can own (RFC 2606).
const HOST: &str = "site.example";
const PORT: u16 = 4180;
/// A larger file is not served: the fetcher would not take it either.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The address of a folder that stands for no other.
pub(super) fn address() -> Url {
    Url::parse(&format!("http://{HOST}:{PORT}/")).expect("a URL that is written here")
}

/// A folder that is served until it is stopped.
pub(super) struct Served {
    lifecycle: Lifecycle,
    address: SocketAddr,
}

impl Served {
    /// Serves it on a free port of the loopback.
    pub(super) fn start(folder: &Path) -> io::Result<Self> {
        let lifecycle = Lifecycle::new(Duration::from_secs(5));
        let folder = Arc::new(folder.canonicalize()?);
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = http::Server { name: "site's files", listen, workers: 1, grace: Duration::from_secs(1) };
        let address = http::serve(&lifecycle, server, move |config| mount(config, &folder))?;
        Ok(Self { lifecycle, address })
    }

    /// A fetcher that finds the folder at that address, and is let to it.
    pub(super) fn fetcher(&self, site: &Url, mut allow: Vec<SocketAddr>) -> site_fetch::Result<Fetcher> {
        allow.push(self.address);
        // Whoever has the files may read them all; what crawlers are told goes into the project.
        let builder = Fetcher::builder(Options { allow, heed_robots: false, ..Options::default() });
        builder.resolver(Arc::new(Nowhere)).stand_in(site, self.address).build()
    }

    pub(super) async fn stop(self) -> Result<(), service_kit::Fatal> {
        self.lifecycle.stop();
        self.lifecycle.wait_with(stream::pending()).await
    }
}

/// Knows no name: what the folder's pages take from elsewhere is named in the findings.
struct Nowhere;

#[async_trait]
impl Resolve for Nowhere {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// The file that is asked for by a path.
pub(super) fn file(path: &str) -> String {
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
    let index = if path.is_empty() || path.ends_with('/') { "index.html" } else { "" };
    format!("{path}{index}")
}

/// Does the folder have a file for this address?
pub(super) fn has(folder: &Path, start: &Url) -> bool {
    named(folder, start.path(), "").is_some()
}

fn mount(config: &mut ServiceConfig, folder: &Arc<PathBuf>) {
    config.app_data(web::Data::from(Arc::clone(folder))).default_service(web::get().to(answer));
}

async fn answer(request: HttpRequest, folder: web::Data<PathBuf>) -> HttpResponse {
    let (path, query) = (request.path().to_owned(), request.query_string().to_owned());
    let found = web::block(move || find(&folder, &path, &query)).await;
    match found {
        Ok(Ok(Found::File { path, bytes })) => respond(HttpResponse::Ok(), &path, bytes),
        Ok(Ok(Found::Folder)) => {
            let to = format!("{}/", request.path());
            HttpResponse::MovedPermanently().insert_header((header::LOCATION, to)).finish()
        }
        Ok(Ok(Found::Nothing { page: Some((path, bytes)) })) => {
            respond(HttpResponse::NotFound(), &path, bytes)
        }
        Ok(Ok(Found::Nothing { page: None })) => HttpResponse::NotFound().finish(),
        Ok(Err(_)) | Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn respond(mut response: actix_web::HttpResponseBuilder, path: &Path, bytes: Vec<u8>) -> HttpResponse {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    // No charset: as with files on a disk, the page itself says which one it is.
    response.insert_header((header::CONTENT_TYPE, kind.essence_str().to_owned())).body(bytes)
}

/// What there is at an address.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File {
        path: PathBuf,
        bytes: Vec<u8>,
    },
    /// A folder, asked for without its slash.
    Folder,
    /// With the site's own page for it, if it has one.
    Nothing {
        page: Option<(PathBuf, Vec<u8>)>,
    },
}

/// Looks an address up as hosts of static files do.
fn find(folder: &Path, path: &str, query: &str) -> io::Result<Found> {
    if let Some(path) = named(folder, path, query) {
        return Ok(Found::File { bytes: read(&path)?, path });
    }
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
    if inside(folder, &path).is_some_and(|path| path.join("index.html").is_file()) {
        return Ok(Found::Folder);
    }
    let page = inside(folder, "404.html").filter(|path| path.is_file());
    let page = page.map(|path| read(&path).map(|bytes| (path, bytes))).transpose()?;
    Ok(Found::Nothing { page })
}

/// The file that an address names: one with the query in its name, as mirrors save them, goes first; `.html` at its end may
/// be unsaid (so GitHub Pages, Netlify and Cloudflare Pages have it, and `wget --adjust-extension`).
fn named(folder: &Path, path: &str, query: &str) -> Option<PathBuf> {
    let queried = (!query.is_empty()).then(|| {
        let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
        format!("{path}?{}", percent_decode_str(query).decode_utf8_lossy())
    });
    let names = queried.into_iter().chain([file(path)]).flat_map(|name| {
        let html = format!("{name}.html");
        [name, html]
    });
    names.filter_map(|name| inside(folder, &name)).find(|path| path.is_file())
}

/// The file of that name, if it is there and in the folder when every link is followed.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name).canonicalize().ok()?;
    path.starts_with(folder).then_some(path)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_as_web_servers_do_and_nothing_outside_is() {
        let outer = tempfile::tempdir().expect("scratch");
        fs::write(outer.path().join("secret"), "irreplaceable").expect("written");
        let folder = outer.path().join("site");
        for (name, text) in [
            ("index.html", "home"),
            ("a b/index.html", "inner"),
            ("list.php?page=2", "second"),
            ("list.php", "first"),
            ("about.html", "us"),
            ("cgi/find?q=x.html", "x"),
            ("404.html", "gone"),
        ] {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().expect("below")).expect("made");
            fs::write(file, text).expect("written");
        }
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).expect("a link");
        let folder = folder.canonicalize().expect("there");
        let at = |path: &str, query: &str| match find(&folder, path, query).expect("readable") {
            Found::File { bytes, .. } => String::from_utf8(bytes).expect("text"),
            Found::Folder => "->".to_owned(),
            Found::Nothing { page } => {
                format!("404 {}", String::from_utf8(page.expect("its page").1).expect("text"))
            }
        };
        assert_eq!(at("/", ""), "home");
        assert_eq!(at("/", "utm=1"), "home");
        assert_eq!(at("/a%20b/", ""), "inner");
        assert_eq!(at("/a%20b", ""), "->");
        assert_eq!(at("/about.html", ""), "us");
        assert_eq!(at("/about", ""), "us");
        assert_eq!(at("/about/", ""), "404 gone");
        assert_eq!(at("/cgi/find", "q=x"), "x");
        assert_eq!(at("/list.php", "page=2"), "second");
        assert_eq!(at("/list.php", "page=3"), "first");
        for outside in ["/nowhere", "/link", "/../secret", "/%2e%2e/secret", "//etc/passwd", "/%2fetc/passwd"]
        {
            assert_eq!(at(outside, ""), "404 gone", "{outside}");
        }
    }
}
