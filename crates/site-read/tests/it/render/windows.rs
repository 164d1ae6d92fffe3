//! What a page opens beside itself: windows, documents that are none, files to keep.

use site_read::render::{Error, Options};

use super::{fetcher, render, renderer};
use crate::server::{Reply, Site};

#[tokio::test]
async fn windows_are_closed_before_they_ask_for_anything() {
    let page = "<p id=out>start</p><a id=blank target=_blank rel=noopener href=/blank>x</a>
        <form id=sent target=_blank action=/sent><input name=a></form><script>
        for (const features of ['', 'noopener', 'noreferrer', 'popup,width=100,height=100'])
            window.open('/window?' + features, '_blank', features);
        blank.click();
        sent.submit();
        const own = window.open('');
        try { own.document.write('<script>fetch(\"/written\")<' + '/script>'); } catch {}
        fetch('/late').then(() => out.textContent = 'went on');
        </script>";
    let site = Site::of(move |path| match path {
        "/" => Reply::html(page),
        // Long enough for a window to show what it does.
        "/late" => Reply::html("x").after(2000),
        _ => Reply::html("<p>a window"),
    });
    let rendered = render(&site, "/").await.expect("a rendered page");
    assert!(rendered.html.contains("went on"), "{}", rendered.html);
    let asked = site.all_requests();
    for path in ["/window", "/blank", "/sent", "/written"] {
        assert!(!asked.iter().any(|asked| asked.starts_with(path)), "{path}: {asked:?}");
    }
}

#[tokio::test]
async fn what_is_no_page_is_told_or_read_and_never_kept() {
    let site = Site::with(vec![
        (
            "/down",
            Reply {
                headers: "Content-Disposition: attachment\r\n".to_owned(),
                ..Reply::new("text/html", "x")
            },
        ),
        ("/packed", Reply::new("application/zip", "PK")),
        ("/embeds", Reply::html("<p>around</p><embed type=application/pdf src=/x.pdf width=300 height=300>")),
        (
            "/x.pdf",
            Reply::new("application/pdf", "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>"),
        ),
    ]);
    for path in ["/down", "/packed"] {
        let outcome = render(&site, path).await;
        assert!(matches!(outcome, Err(Error::NotOpened { .. })), "{path}: {outcome:?}");
    }
    let around = render(&site, "/embeds").await.expect("a rendered page");
    assert!(around.html.contains("<p>around</p>"), "{}", around.html);
}

/// A page that goes elsewhere by itself ends where the browser may be, and says where that is.
#[tokio::test]
async fn a_page_cannot_lead_the_browser_to_files_or_to_its_own_pages() {
    for to in ["file:///etc/hostname", "view-source:file:///etc/hostname", "chrome-untrusted://terminal/"] {
        let page = format!(
            "<p id=out>still here</p><script>setTimeout(() => {{ try {{ location = '{to}' }} catch {{}} }}, 50)</script>"
        );
        let site = Site::with(vec![("/", Reply::html(page))]);
        let open = fetcher(&[site.address]);
        let rendered = renderer(Options::default()).render(&open, &site.url("/")).await;
        let rendered = rendered.expect("a rendered page");
        let stayed = rendered.url == site.url("/") && rendered.html.contains("still here");
        // For some the browser puts an empty page in their place.
        let emptied =
            rendered.url.as_str() == "about:blank#blocked" && rendered.html.contains("<body></body>");
        assert!(stayed || emptied, "{to}: {} {}", rendered.url, rendered.html);
    }
}
