//! Each place where a document can refer to something.

use url::Url;

use super::{Facts, Kind, read};
use crate::allowance::MAX_REFERENCES;

fn facts(html: &str) -> Facts {
    read(
        &crate::markup::parse(html).expect("a tree"),
        &Url::parse("http://e.com/dir/page.html").expect("a URL"),
    )
}

fn found(html: &str, kind: Kind) -> Vec<String> {
    let facts = facts(html);
    let urls = if kind == Kind::Link { facts.links } else { facts.assets };
    urls.iter().map(|url| url.as_str().replace("http://e.com", "")).collect()
}

#[test]
fn links() {
    for (html, expected) in [
        ("<a href=' x.html '>x</a>", "/dir/x.html"),
        ("<map><area href=/y></map>", "/y"),
        ("<iframe src=f.html></iframe>", "/dir/f.html"),
        ("<frameset><frame src=f.html></frameset>", "/dir/f.html"),
        ("<meta http-equiv=Refresh content=\"0; URL='next.html'\">", "/dir/next.html"),
        ("<link rel=canonical href=/c>", "/c"),
        ("<link rel='alternate' hreflang=de href=/de/>", "/de/"),
        ("<a href='a&amp;b.html?x=1&amp;y=2'>x</a>", "/dir/a&b.html?x=1&y=2"),
        ("<noscript><a href=n.html>x</a></noscript>", "/dir/n.html"),
        ("<svg><a xlink:href=s.html><text>x</text></a></svg>", "/dir/s.html"),
        ("<a href='\\other'>x</a>", "/other"),
        ("<a href='x.html#a'>x</a><a href='x.html#b'>x</a>", "/dir/x.html"),
        ("<link rel=next href=?page=2>", "/dir/page.html?page=2"),
        ("<link rel=prev href=p.html>", "/dir/p.html"),
        ("<link rel=amphtml href=/amp>", "/amp"),
        ("<link rel=alternate type='application/rss+xml' href=/feed>", "/feed"),
        ("<link rel=alternate type='application/feed+json' href=/feed.json>", "/feed.json"),
        ("<link rel=sitemap type='application/xml' href=/map.xml>", "/map.xml"),
        ("<object data=o.html type='text/html'></object>", "/dir/o.html"),
        ("<iframe srcdoc='<a href=in.html>x</a>'></iframe>", "/dir/in.html"),
        ("<img longdesc=long.html>", "/dir/long.html"),
        ("<meta property='og:url' content='/own'>", "/own"),
        ("<script type='application/ld+json'>{\"@id\":\"http://e.com/#org\",\"name\":1}</script>", "/"),
        ("<template><a href=t.html>x</a></template>", "/dir/t.html"),
    ] {
        assert_eq!(found(html, Kind::Link), [expected], "{html}");
    }
    for html in [
        "<a href='mailto:x@e.com'>",
        "<a href='javascript:void(0)'>",
        "<a href='#top'>",
        "<a href=''>",
        "<a name=x>",
        "<link rel='dns-prefetch' href='//x'>",
        "<link rel=alternate type='application/json+oembed' href='/oembed?url=x'>",
        "<iframe srcdoc=\"<iframe srcdoc='<a href=x>y</a>'></iframe>\"></iframe>",
        "<form action=/search><input name=q></form>",
        "<!-- <a href=x> -->",
        "<script>'<a href=x>'</script>",
        "<a href='http://[bad'>",
    ] {
        assert_eq!(found(html, Kind::Link), [""; 0], "{html}");
    }
}

#[test]
fn assets() {
    for (html, expected) in [
        ("<link rel='stylesheet' href=s.css>", vec!["/dir/s.css"]),
        ("<link rel='shortcut icon' href=/favicon.ico>", vec!["/favicon.ico"]),
        ("<link rel='alternate stylesheet' href=s.css>", vec!["/dir/s.css"]),
        ("<link rel=manifest href=m.json>", vec!["/dir/m.json"]),
        ("<link rel=preload as=image imagesrcset='a.png 1x, b.png 2x'>", vec!["/dir/a.png", "/dir/b.png"]),
        ("<script src=x.js></script>", vec!["/dir/x.js"]),
        ("<img src=a.png srcset='b.png 1x,c.png 2x'>", vec!["/dir/a.png", "/dir/b.png", "/dir/c.png"]),
        ("<picture><source srcset='a.webp'></picture>", vec!["/dir/a.webp"]),
        (
            "<video src=v.mp4 poster=p.jpg><source src=v.webm><track src=t.vtt></video>",
            vec!["/dir/v.mp4", "/dir/p.jpg", "/dir/v.webm", "/dir/t.vtt"],
        ),
        ("<object data=o.swf></object><embed src=e.swf>", vec!["/dir/o.swf", "/dir/e.swf"]),
        ("<p style='background:url(&quot;b.png&quot;)'>", vec!["/dir/b.png"]),
        ("<style>@import 'i.css';a{b:url(c.png)}</style>", vec!["/dir/i.css", "/dir/c.png"]),
        ("<input type=IMAGE src=go.gif><input type=text src=no.gif>", vec!["/dir/go.gif"]),
        (
            "<svg><image xlink:href=i.png /><use href='sprite.svg#x'/></svg>",
            vec!["/dir/i.png", "/dir/sprite.svg"],
        ),
        ("<meta property='og:image' content='/og.png'>", vec!["/og.png"]),
        ("<meta property='og:video' content='/og.mp4'>", vec!["/og.mp4"]),
        ("<meta name='msapplication-TileImage' content='/tile.png'>", vec!["/tile.png"]),
        ("<link rel='apple-touch-icon' sizes=180x180 href=/touch.png>", vec!["/touch.png"]),
        ("<link rel=mask-icon href=/mask.svg color=red>", vec!["/mask.svg"]),
        ("<script type='application/ld+json'>{\"image\":[\"/ld.png\"]}</script>", vec!["/ld.png"]),
        ("<html manifest=old.appcache>", vec!["/dir/old.appcache"]),
        ("<iframe srcdoc='<style>a{b:url(in.png)}</style>'></iframe>", vec!["/dir/in.png"]),
        ("<svg><style>a{fill:url(f.svg#g)}</style></svg>", vec!["/dir/f.svg"]),
        (
            "<div style='background-image: image-set(\"a.avif\" 1x, url(b.png) 2x)'>",
            vec!["/dir/a.avif", "/dir/b.png"],
        ),
        ("<link rel=preload as=font href=f.woff2 crossorigin>", vec!["/dir/f.woff2"]),
        ("<img data-src=l.png data-srcset='m.png 2x'>", vec!["/dir/l.png", "/dir/m.png"]),
        ("<div data-bg=\"url('b.png')\"></div><div data-bg=c.png></div>", vec!["/dir/b.png", "/dir/c.png"]),
        ("<body background=bg.gif>", vec!["/dir/bg.gif"]),
        ("<script type=module>import './m.js'; import x from 'bare'</script>", vec!["/dir/m.js"]),
        ("<script type=importmap>{\"imports\":{\"x\":\"./x.js\"}}</script>", vec!["/dir/x.js"]),
        (
            "<script>new Worker('w.js'); navigator.serviceWorker.register('/sw.js')</script>",
            vec!["/dir/w.js", "/sw.js"],
        ),
        ("<script type=text/plain>import './m.js'</script>", vec![]),
        ("<p data-bg=dark data-lazy=true data-original='Read. More'>", vec![]),
        ("<noscript><img src=n.png></noscript>", vec!["/dir/n.png"]),
        ("<img src='data:image/png;base64,AA'>", vec![]),
    ] {
        let mut found = found(html, Kind::Asset);
        let mut expected = expected;
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{html}");
    }
}

#[test]
fn what_a_script_writes_is_read_off_its_code() {
    for (code, assets) in [
        (r#"window.jQuery || document.write('<script src="js/jq.js"><\/script>')"#, vec!["/dir/js/jq.js"]),
        (
            r#"document.write('<scr' + 'ipt src=a.js>\x3C/script>' + "<img src=\u0062.png>")"#,
            vec!["/dir/a.js", "/dir/b.png"],
        ),
        ("/* it's */ document.write(`<link\nrel=stylesheet href=c.css>`) // don't\n", vec!["/dir/c.css"]),
        ("document.write('<script src=' + base + '/x.js><\\/script>')", vec![]),
        ("document.write('<img src=\"' + name + '.png\">')", vec![]),
        ("document.write(`<img src=${base}/x.png>` + '<img src=y.png>')", vec!["/dir/y.png"]),
        ("element.innerHTML = '<img src=later.png>'", vec![]),
    ] {
        assert_eq!(found(&format!("<p>x<script>{code}</script>"), Kind::Asset), assets, "{code}");
    }
    let html = r#"<p>x<script>document.write("<a href='next.html'>next</a>")</script>"#;
    assert_eq!(found(html, Kind::Link), ["/dir/next.html"]);
}

#[test]
fn base_moves_every_reference() {
    let html = "<base href='/other/'><a href=x>x</a><img src=i.png>";
    assert_eq!(found(html, Kind::Link), ["/other/x"]);
    assert_eq!(found(html, Kind::Asset), ["/other/i.png"]);
    let broken = "<base href='javascript:x'><a href=x>x</a>";
    assert_eq!(found(broken, Kind::Link), ["/dir/x"]);
}

#[test]
fn title_and_what_is_visible() {
    let page = facts("<svg><title>no</title></svg><title> A\n b </title><p>x");
    assert_eq!(page.title, "A b");
    for (html, visible) in [
        ("<p>text</p>", true),
        ("<img src=x>", true),
        ("<frameset><frame src=x></frameset>", true),
        ("<meta http-equiv=refresh content='0;url=x'>", true),
        ("", false),
        ("<title>only</title><style>a{}</style><script>x()</script>", false),
        ("<div id=root> \n </div><noscript>need script <img src=x></noscript>", false),
        ("<!-- comment -->", false),
    ] {
        assert_eq!(facts(html).visible, visible, "{html}");
    }
}

#[test]
fn deep_nesting_is_read() {
    let html = format!("{}<a href=x>x", "<b>".repeat(4_000));
    assert_eq!(found(&html, Kind::Link).len(), 1);
}

#[test]
fn too_many_references_are_cut_and_said() {
    let html: String = (0..MAX_REFERENCES + 1000).map(|n| format!("<a href={n}></a>")).collect();
    let facts = facts(&html);
    assert_eq!(facts.links.len(), MAX_REFERENCES);
    assert!(facts.cut);
    let same = "<a href=x></a>".repeat(MAX_REFERENCES + 1000);
    let facts = self::facts(&same);
    assert_eq!((facts.links.len(), facts.cut), (1, false));
}

/// As short as the references are, what they mean is not.
#[test]
fn short_references_behind_a_long_base_are_cut_by_their_bytes() {
    let base = format!("<base href='/{}/'>", "b".repeat(8000));
    let html: String = (0..20_000).map(|n| format!("<a href={n}></a><img src={n}>")).collect();
    let facts = facts(&(base + &html));
    let bytes: usize = facts.links.iter().chain(&facts.assets).map(|url| url.as_str().len()).sum();
    assert!(facts.cut && bytes < 11 * 1024 * 1024 && bytes > 9 * 1024 * 1024, "{bytes} bytes");
}

#[test]
fn an_attribute_of_megabytes_is_passed_over() {
    let long = "x".repeat(2 * 1024 * 1024);
    let html =
        format!("<a href=before></a><a href='{long}'></a><img srcset='{long}' style='{long}'><a href=after>");
    assert_eq!(found(&html, Kind::Link), ["/dir/before", "/dir/after"]);
}
