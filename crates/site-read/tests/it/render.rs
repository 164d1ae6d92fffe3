//! Pages in a real Chromium, confined, against real local servers.

mod bounds;
mod hostile;
mod https;
mod need;
mod walls;
mod windows;

use std::collections::HashMap;
use std::net::SocketAddr;

use site_fetch::{Fetcher, Options as FetchOptions};
use site_read::render::{Error, Options, Rendered, Renderer, WIDTHS};
use url::Url;

use crate::server::{Reply, Site};

pub(crate) fn renderer(options: Options) -> Renderer {
    Renderer::find(options).expect("chromium, bubblewrap and socat are installed: `make setup`")
}

pub(crate) fn fetcher(open: &[SocketAddr]) -> Fetcher {
    let options = FetchOptions { allow: open.to_vec(), retries: 0, ..FetchOptions::default() };
    Fetcher::new(options).expect("a fetcher")
}

pub(crate) async fn render(site: &Site, path: &str) -> Result<Rendered, Error> {
    renderer(Options::default()).render(&fetcher(&[site.address]), &site.url(path)).await
}

const SHELL: &str = "<!doctype html><html lang=en><title>Shop</title><style>body{margin:0}.late{height:3000px}</style>\
    <div id=root></div><noscript>You need to enable JavaScript</noscript><script src=/app.js></script>";

const APP: &str = r"
    const root = document.getElementById('root');
    fetch('/api/products.json').then((answer) => answer.json()).then((products) => {
        root.innerHTML = '<h1>Products</h1>' + products.map((p) => `<p class=product>${p}</p>`).join('')
            + `<p id=width>${innerWidth}</p><div class=late></div><img id=lazy loading=lazy src=/lazy.png width=9 height=9>`;
        root.attachShadow ? document.querySelector('.late').attachShadow({ mode: 'open' }).innerHTML = '<b>in the shade</b>' : 0;
        addEventListener('scroll', () => { document.title = 'scrolled'; }, { once: true });
        fetch('/private/x.json').catch(() => {});
        console.error('something', 'is off');
        setTimeout(() => { throw new Error('thrown late'); }, 0);
    });
";

fn shop() -> Site {
    let paths = HashMap::from([
        ("/", Reply::html(SHELL)),
        ("/app.js", Reply::new("text/javascript", APP)),
        ("/api/products.json", Reply::new("application/json", r#"["Chair","Table"]"#)),
        ("/lazy.png", Reply::new("image/png", &b"\x89PNG\r\n\x1a\n"[..])),
        ("/private/x.json", Reply::new("application/json", "1")),
        ("/robots.txt", Reply::new("text/plain", "User-agent: *\nDisallow: /private/\n")),
    ]);
    Site::of(move |path| paths.get(path).cloned().unwrap_or_else(|| Reply::status(404)))
}

#[tokio::test]
async fn a_page_made_by_scripts_is_read_as_its_visitor_sees_it() {
    let site = shop();
    let rendered = render(&site, "/").await.expect("a rendered page");
    assert_eq!(rendered.url, site.url("/"));
    assert_eq!(rendered.status, Some(200));
    let html = &rendered.html;
    assert!(html.to_lowercase().starts_with("<!doctype html>"), "{html}");
    assert!(html.contains(r#"<p class="product">Table</p>"#), "{html}");
    assert!(html.contains(r#"<p id="width">1280</p>"#), "{html}");
    assert!(html.contains("in the shade"), "shadow trees are written out: {html}");
    assert_eq!(site.hits("/lazy.png"), 1, "what loads when it comes into view is loaded");
    assert!(rendered.console.iter().any(|line| line == "something is off"), "{:?}", rendered.console);
    assert!(rendered.console.iter().any(|line| line.contains("thrown late")), "{:?}", rendered.console);
    let asked = |path: &str| rendered.requests.iter().find(|request| request.url == site.url(path).as_str());
    assert_eq!(asked("/").map(|r| (r.kind.as_str(), r.status)), Some(("Document", Some(200))));
    assert_eq!(asked("/app.js").map(|r| (r.kind.as_str(), r.status)), Some(("Script", Some(200))));
    assert_eq!(asked("/api/products.json").map(|r| r.status), Some(Some(200)));
    assert_eq!(site.hits("/private/x.json"), 0, "robots.txt holds for what a page asks for too");
    let refused = rendered.refused.iter().find(|turned| turned.target.ends_with("/private/x.json"));
    assert!(refused.is_some_and(|turned| turned.rule.contains("robots.txt")), "{:?}", rendered.refused);
    assert_eq!(rendered.screenshots.iter().map(|shot| shot.width).collect::<Vec<_>>(), WIDTHS);
    for shot in &rendered.screenshots {
        let size = imagesize::blob_size(&shot.png).expect("a picture");
        assert_eq!((size.width as u32, size.height as u32), (shot.width, shot.height));
        assert!(shot.height > 3000, "the whole page: {}", shot.height);
    }
}

#[tokio::test]
async fn what_may_not_be_fetched_is_not_rendered() {
    let site = shop();
    let open = fetcher(&[site.address]);
    let renderer = renderer(Options::default());
    let forbidden = renderer.render(&open, &site.url("/private/page")).await;
    assert!(matches!(forbidden, Err(Error::RobotsForbid)), "{forbidden:?}");
    for address in
        ["http://127.0.0.1:1/", "http://169.254.169.254/", "file:///etc/passwd", "chrome://version/"]
    {
        let refused = renderer.render(&open, &Url::parse(address).expect("a URL")).await;
        assert!(
            matches!(refused, Err(Error::Fetch(site_fetch::Error::Refused(_)))),
            "{address}: {refused:?}"
        );
    }
}

#[test]
fn a_machine_without_a_browser_says_what_to_install() {
    let nowhere = Options { chromium: Some("/nowhere/chromium".into()), ..Options::default() };
    let said = Renderer::find(nowhere).expect_err("there is none").to_string();
    assert!(said.contains("install the package chromium"), "{said}");
}
