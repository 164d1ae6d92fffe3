//! Style, picture and scripts of the pages: compiled in, and served under the hash of them all, so that browsers may
//! keep them for good and a page never meets the script of another release.

use crate::{Problem, routes};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::Path,
};
use std::sync::LazyLock;

pub(super) const ROUTE: &str = "/assets/{release}/{name:.*}";

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:expr),+ $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../../assets/", $name)))),+]
    };
}

/// The scripts are `clients/typescript`, compiled; `npm run embed` there writes them.
const FILES: &[(&str, &str, &str)] = files! {
    "style.css": STYLE,
    "mark.svg": "image/svg+xml",
    "js/connection.js": SCRIPT,
    "js/envelope.js": SCRIPT,
    "js/index.js": SCRIPT,
    "js/sse.js": SCRIPT,
    "js/pages/look.js": SCRIPT,
    "js/pages/main.js": SCRIPT,
    "js/pages/operations.js": SCRIPT,
    "js/pages/progress.js": SCRIPT,
    "js/pages/result.js": SCRIPT,
    "js/pages/share.js": SCRIPT,
    "js/pages/view.js": SCRIPT,
};

/// The hash of all files: scripts name one another by their place beside each other.
static RELEASE: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for (name, _, content) in FILES {
        hasher.update(name.as_bytes()).update(b"\0").update(content.as_bytes()).update(b"\0");
    }
    hasher.finalize().to_hex()[..16].to_owned()
});

/// Where a file is found.
pub(super) fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *RELEASE)
}

pub(super) async fn serve(
    request: HttpRequest,
    named: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (release, name) = named.as_ref();
    let found = FILES.iter().find(|(known, ..)| known == name).filter(|_| release == &*RELEASE);
    let Some((_, kind, content)) = found else { return routes::nothing_here(request).await };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, *kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(*content))
}
