//! The bundled example website, served on this machine alone. A plain static server: what a migration is to read.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use include_dir::{Dir, include_dir};
use service_kit::{Lifecycle, http};
use std::{io, net::SocketAddr, time::Duration};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/example-site");

/// Not served: it is for those who read the source.
const LICENCE: &str = "LICENSE.md";

/// The same port each time, so that the project lands in the same folder; any other if that one is taken.
const PORT: u16 = 4100;

/// Serves it until the lifecycle stops; returns the address.
pub(crate) fn serve(lifecycle: &Lifecycle) -> io::Result<SocketAddr> {
    let on = |port| {
        let listen = SocketAddr::from(([127, 0, 0, 1], port));
        let server = http::Server { name: "example site", listen, workers: 1, grace: Duration::from_secs(1) };
        http::serve(lifecycle, server, mount)
    };
    on(PORT).or_else(|error| if error.kind() == io::ErrorKind::AddrInUse { on(0) } else { Err(error) })
}

fn mount(config: &mut ServiceConfig) {
    config.default_service(web::get().to(answer));
}

async fn answer(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    if let Some(file) = find(path) {
        return send(&request, HttpResponse::Ok(), file);
    }
    // A folder without its slash, as every web server does it.
    if find(&format!("{path}/")).is_some() {
        return HttpResponse::MovedPermanently()
            .insert_header((header::LOCATION, format!("{path}/")))
            .finish();
    }
    match FILES.get_file("404.html") {
        Some(file) => send(&request, HttpResponse::NotFound(), file),
        None => HttpResponse::NotFound().finish(),
    }
}

fn find(path: &str) -> Option<&'static include_dir::File<'static>> {
    let path = path.trim_start_matches('/');
    let index = if path.is_empty() || path.ends_with('/') { "index.html" } else { "" };
    FILES.get_file(format!("{path}{index}")).filter(|file| file.path() != LICENCE)
}

fn send(
    request: &HttpRequest,
    mut response: actix_web::HttpResponseBuilder,
    file: &'static include_dir::File<'static>,
) -> HttpResponse {
    let extension = file.path().extension().and_then(|e| e.to_str()).unwrap_or_default();
    response.insert_header((header::CONTENT_TYPE, content_type(extension)));
    match file.contents_utf8() {
        // Sitemaps and robots.txt name whole addresses.
        Some(text) if matches!(extension, "xml" | "txt") => {
            let connection = request.connection_info();
            let origin = format!("{}://{}", connection.scheme(), connection.host());
            response.body(text.replace("{origin}", &origin))
        }
        _ => response.body(file.contents()),
    }
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "xml" => "application/xml",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(dir: &'static Dir<'static>) -> Vec<&'static include_dir::File<'static>> {
        dir.files().chain(dir.dirs().flat_map(below)).collect()
    }

    #[test]
    fn pages_are_found_by_their_addresses() {
        let at = |path: &str| find(path).map(|file| file.path().display().to_string());
        assert_eq!(at("/").as_deref(), Some("index.html"));
        assert_eq!(at("/journal/").as_deref(), Some("journal/index.html"));
        assert_eq!(at("/journal/wood-firing.html").as_deref(), Some("journal/wood-firing.html"));
        assert_eq!(at("/journal"), None);
        assert_eq!(at("/LICENSE.md"), None);
    }

    #[test]
    fn every_file_has_a_type_and_every_page_is_in_the_sitemap() {
        let sitemap = FILES.get_file("sitemap.xml").and_then(|f| f.contents_utf8()).expect("a sitemap");
        let mut pages = 0;
        for file in below(&FILES) {
            let path = file.path().to_string_lossy();
            let extension = file.path().extension().and_then(|e| e.to_str()).unwrap_or_default();
            assert!(path == LICENCE || content_type(extension) != "application/octet-stream", "{path}");
            let hidden = path == "404.html" || path.starts_with("members/");
            if extension == "html" && !hidden {
                let address = path.trim_end_matches("index.html");
                assert!(sitemap.contains(&format!("{{origin}}/{address}</loc>")), "{path}");
                pages += 1;
            }
        }
        assert!(pages >= 7, "{pages} pages");
    }
}
