//! Cookie walls: told no in many forms, never yes.

use std::sync::Arc;

use site_fetch::{Fetcher, Options as FetchOptions};
use site_read::render::{Options, Rendered, Wall};
use url::Url;

use super::https::Here;
use super::{render, renderer};
use crate::server::{Reply, Site};

const HEAD: &str = "<!doctype html><html><body style='overflow:hidden'><main><h1>The page itself</h1></main>\
    <a href=/x>Decline</a><script>function said(what){document.title=what;\
    document.querySelectorAll('.wall').forEach((wall)=>wall.remove());document.body.style.overflow='auto'}</script>";

fn wall(buttons: &str) -> Reply {
    Reply::html(format!(
        "{HEAD}<div class=wall style='position:fixed;inset:0;background:#fff'><p>We use cookies.</p>\
         <button onclick=\"said('yes')\">Accept all</button><button onclick=\"said('yes')\">OK</button>{buttons}</div>"
    ))
}

#[tokio::test]
async fn walls_are_refused_by_their_tools_and_by_their_words() {
    let site = Site::with(vec![
        ("/onetrust", wall("<button id=onetrust-reject-all-handler onclick=\"said('no')\">x</button>")),
        ("/words", wall("<button onclick=\"said('no')\">Nur notwendige Cookies</button>")),
        (
            "/link",
            wall(
                "<a href=# role=button onclick=\"said('no')\">Continuer sans accepter &rarr;</a><a href=# onclick=\"said('no')\">Tout refuser</a>",
            ),
        ),
    ]);
    for (path, by) in
        [("/onetrust", "OneTrust"), ("/words", "nur notwendige cookies"), ("/link", "tout refuser")]
    {
        let rendered = render(&site, path).await.expect("a rendered page");
        assert_eq!(rendered.walls, [Wall::Refused { by: by.to_owned() }], "{path}");
        assert!(rendered.html.contains("<title>no</title>"), "{path}: {}", rendered.html);
        assert!(!rendered.html.contains("We use cookies"), "{path}");
        assert_eq!(rendered.url.path(), path, "no link of the page was followed");
    }
}

#[tokio::test]
async fn a_wall_that_takes_no_no_is_hidden_and_told() {
    let header = "<header style='position:sticky;top:0'>Our cookie recipes</header>";
    let walled = wall("<a href=/policy>Privacy policy</a>");
    let plain = Reply::html(format!("{header}<main><p>Cookies are baked at 180 degrees.</p></main>"));
    let site = Site::with(vec![("/", walled), ("/recipes", plain)]);
    let rendered = render(&site, "/").await.expect("a rendered page");
    assert_eq!(rendered.walls, [Wall::Hidden { by: "wall".to_owned() }]);
    assert!(!rendered.html.contains("<title>yes</title>"), "nothing was agreed to");
    assert!(rendered.html.contains("display: none !important"), "{}", rendered.html);
    assert!(rendered.html.contains("overflow: visible !important"), "{}", rendered.html);

    let recipes = render(&site, "/recipes").await.expect("a rendered page");
    assert!(recipes.walls.is_empty(), "a page about biscuits is no wall: {:?}", recipes.walls);
}

/// A page with a frame of a consent tool at another site, at another host of this one, or of its own.
async fn framed(host: &str, style: &str, inside: &'static str) -> (Rendered, Site) {
    let page = format!(
        "<!doctype html><html><body style='overflow:hidden'><main><h1>The page itself</h1></main>
        <div class=veil style='position:fixed;inset:0;background:#0008'></div>
        <script>onmessage = (event) => {{ document.title = event.data; document.querySelector('iframe').remove(); }};
        const frame = document.createElement('iframe');
        frame.src = `http://{host}:${{location.port}}/frame`;
        frame.style = '{style}';
        document.body.append(frame);</script>"
    );
    let site = Site::of(move |path| match path {
        "/" => Reply::html(page.clone()),
        "/frame" => Reply::html(inside),
        _ => Reply::status(404),
    });
    let options = FetchOptions { allow: vec![site.address], retries: 0, ..FetchOptions::default() };
    let fetcher = Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher");
    let url = Url::parse(&format!("http://www.page.test:{}/", site.address.port())).expect("a URL");
    let rendered = renderer(Options::default()).render(&fetcher, &url).await.expect("a rendered page");
    (rendered, site)
}

const OVER: &str = "position:fixed;left:0;bottom:0;width:100%;height:300px";

#[tokio::test]
async fn walls_in_frames_are_refused_whosever_frame_it_is() {
    let inside = "<p>We value your privacy and use cookies.</p>
        <button onclick=\"parent.postMessage('yes', '*')\">Accept all</button>
        <button onclick=\"parent.postMessage('no', '*')\">Reject all</button>";
    for host in ["consent.test", "www.page.test"] {
        let (rendered, _) = framed(host, OVER, inside).await;
        assert_eq!(rendered.walls, [Wall::Refused { by: "reject all".to_owned() }], "{host}");
        assert!(rendered.html.contains("<title>no</title>"), "{host}: {}", rendered.html);
        assert!(!rendered.html.contains("<iframe"), "{host}: {}", rendered.html);
    }
}

#[tokio::test]
async fn a_frame_that_takes_no_no_is_hidden_and_told() {
    let inside =
        "<p>This site uses cookies.</p><button onclick=\"parent.postMessage('yes', '*')\">OK</button>";
    for host in ["consent.test", "www.page.test"] {
        let (rendered, _) = framed(host, OVER, inside).await;
        assert_eq!(rendered.walls, [Wall::Hidden { by: format!("a frame of {host}") }]);
        assert!(!rendered.html.contains("<title>yes"), "{host}: nothing was agreed to");
        let hidden = rendered.html.matches("display: none !important").count();
        assert_eq!(hidden, 2, "{host}: the frame and the veil behind it: {}", rendered.html);
        assert!(rendered.html.contains("overflow: visible !important"), "{host}: {}", rendered.html);
    }
}

#[tokio::test]
async fn frames_that_are_no_walls_stay() {
    let badge =
        "<p>protected by reCAPTCHA</p><a href=/>Privacy</a> <a href=/>Terms</a><button>Reject</button>";
    let article = "<p>How cookies are baked, and who may refuse all of them.</p><button>Reject all</button>";
    for (style, inside) in [(OVER, badge), ("width:100%;height:300px", article)] {
        let (rendered, _) = framed("widget.test", style, inside).await;
        assert!(rendered.walls.is_empty(), "{:?}", rendered.walls);
        assert!(
            rendered.html.contains("<iframe") && !rendered.html.contains("!important"),
            "{}",
            rendered.html
        );
    }
}
