//! Pages measured in Chromium as the site had them and as the project has them: the same boxes, the same computed styles.

use crate::{
    browser,
    server::{Served, serve, written},
    snapshot::Site,
};
use site_write::{Contents, Project};

/// Writes down what the browser made of every element that is marked.
const MEASURE: &str = r#"
var lines = [];
document.querySelectorAll("[data-m], [data-box]").forEach(function (element) {
  var style = getComputedStyle(element), box = element.getBoundingClientRect();
  var said = ["color", "display", "zoom", "opacity", "backgroundImage", "backgroundColor", "content", "textAlign", "fontSize", "fontWeight", "lineHeight", "listStylePosition", "float"];
  if (element.dataset.box) said = [];
  lines.push((element.dataset.m || element.dataset.box) + " " + [box.x, box.y, box.width, box.height].map(Math.round).join(" ") + " " +
    said.map(function (name) { return style[name]; }).join("|").split(location.origin).join(""));
});
var out = document.createElement("pre");
out.id = "measured";
out.textContent = "{{" + lines.join("\n") + "}}";
document.body.appendChild(out);
"#;

/// Style sheets of the kind that a bundler refuses or changes, each with the element that it is about.
const SHEETS: &[&str] = &[
    ".a{*zoom:1;color:rgb(1,2,3)}",
    ".a{color:red !ie;opacity:.5}",
    ".a:after .b{color:red}.b{color:rgb(4,5,6)}",
    ".a..b{color:red}.b{color:rgb(7,8,9)}",
    ".1col{color:red}.a{color:rgb(1,1,1)}",
    "#1a{color:red}.a{color:rgb(2,2,2)}",
    ".a{color:rgb(3,3,3)};.b{color:red}.a b{color:rgb(3,4,5)}",
    ".a{color:rgb(4,4,4)}@import url(/css/late.css);",
    ".a{background:url()}",
    ".a{color:rgb(5,5,5)}}.b{color:rgb(6,6,6)}",
    ".a{background-image:url(img/missing.png)}",
    ".a,.b:unknown-pseudo{color:red}",
    ".a{_height:9px;color:rgb(7,7,7)}",
    ".a{filter:progid:DXImageTransform.Microsoft.gradient(startColorstr='#80000000',endColorstr='#80000000');opacity:.4}",
    ".a{width:expression(document.body.clientWidth > 800 ? '800px' : 'auto');color:rgb(8,8,8)}",
    ".a{color:rgb(9,9,9);color:red\\9}",
    "@media screen and (min-width:0\\0){.a{color:red}}.b{color:rgb(10,10,10)}",
    "@-ms-viewport{width:device-width}.a{color:rgb(11,11,11)}",
    ".a{color:rgb(12,12,12);opacity:.7",
    "<!-- .a{color:rgb(13,13,13)} -->.b{color:rgb(14,14,14)}",
    ".a{background-image:url(/x)}",
    ".a{background-image:url(/missing.png)}",
    ".a{background-image:url(//127.0.0.1:9/x.png)}",
    "@font-face{font-family:f;src:url(/f.eot);src:url(/f.eot?#iefix) format('embedded-opentype')}.a{color:rgb(15,15,15)}",
    ".a{color:red;color:rgba(16,16,16,.5)}",
    ".a{display:-webkit-box;display:-moz-box;display:flex}",
    "@import '/css/early.css' screen;.a{opacity:.3}",
    "@import '/css/early.css' print;.a{opacity:.2}",
    "@import url('/css/early.css') layer(l);.a{opacity:.1}",
    "@charset 'utf-8';.a{color:rgb(17,17,17)}",
    ".a{behavior:url(pie.htc);filter:alpha(opacity=50);color:rgb(18,18,18)}",
    ".a{color:rgb(19,19,19)/* open",
    ".a{content:\"open;color:red}\n.b{color:rgb(20,20,20)}",
    ".\\31 a,.a{color:rgb(21,21,21)! important}.a{color:red}",
    "@media screen{.a{color:rgb(22,22,22)}}}.b{float:left;_display:inline}",
];

fn sheet(number: usize) -> String {
    // Classes of its own for each, so that no case reaches another one's element.
    let own = |css: &str| css.replace(".a", &format!(".a{number}")).replace(".b", &format!(".b{number}"));
    own(SHEETS[number])
}

fn sheets_page() -> String {
    let links: String =
        (0..SHEETS.len()).map(|n| format!("<link rel=stylesheet href='/css/case-{n}.css'>")).collect();
    let cases: String = (0..SHEETS.len())
        .map(|n| format!("<p data-m={n}a class=a{n}>a <b data-m={n}b class=b{n}>b</b></p>"))
        .collect();
    format!(
        "<!doctype html><html><head><title>Sheets</title>{links}\
         <style media=print>@import '/css/early.css'; p{{color:red}}</style><style media=screen>@import '/css/print.css';p{{margin:3px}}</style></head>\
         <body>{cases}<p data-m=early class=early>early</p><script src='/js/measure.js'></script></body></html>"
    )
}

const DOT: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

fn quirks_page() -> String {
    format!(
        "<html><head><title>Quirks</title></head><body style='font-size:20px; font-weight:bold; line-height:40px'>
<h1 data-m=h1>First</h1><center><table height='90%' width=300 border=1 data-m=table><tr><td data-m=cell><p data-m=p>In a cell<p data-m=last>last
<td data-box=images><img data-box=image src='{DOT}' width=30 height=7><td data-box=linked><a href='#'><img data-box=link src='{DOT}' border=0 width=20 height=9></a></table></center>
<form data-box=form><input data-m=input style='width: 100; padding: 7'></form><p data-m=units style='color: 00ff00; margin-left: 30'>units
<ul><li data-m=li>inside<ul><li data-m=inner>outside</ul></ul><li data-m=lone>lone
<img src='{DOT}' align=left width=9 height=9 data-m=floated>text<p data-m=end>end
<script src='/js/measure.js'></script></body></html>"
    )
}

/// A short page that begins with a heading which stands deep.
const SHORT: &str = "<html data-box=html><head><title>Short</title></head><body data-box=body><a name=top></a><center data-box=center>\
    <div><h1 data-box=h1>First</h1></div></center><table><td><blockquote><p data-box=p>quoted</blockquote></table>\
    <script src='/js/measure.js'></script></body></html>";

/// Lines that hold no text of their block's own, under an old doctype.
fn lines_page() -> String {
    format!(
        "<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN' 'http://www.w3.org/TR/html4/loose.dtd'>
<html><head><title>Lines</title><style>body {{ font-family: 'DejaVu Sans', sans-serif; font-size: 19px }} code {{ font-size: 13px }} .name {{ font-family: 'DejaVu Sans Mono', monospace; font-size: 14px }} .remark {{ font-size: 11px }}</style></head><body>
<dl><dt data-box=dt><code>alone</code></dt><dd data-box=dd><a href='#'><code>in a link</code></a></dd><dd data-box=beside>beside <code>it</code></dd></dl>
<ul><li data-box=li><tt>item</tt></li><li data-box=last>words</li></ul><h2 data-box=h2><code>heading</code> <tt>two</tt></h2>
<p data-box=p><small>small</small> <code>code</code></p><table border=1><tr><td data-box=cell><code>cell</code><td data-box=words>words</tr>
<tr><td data-box=apart><img src='{DOT}' width=9 height=2> <img src='{DOT}' width=9 height=2></td><td></td></tr>
<tr><td data-box=images><img data-box=image src='{DOT}' width=30 height=7><img src='{DOT}' width=3 height=1></td><td data-box=spacer><a href='#'><img src='{DOT}' border=0 width=20 height=1></a></td></tr></table>
<table border=1><tr><td data-box=remark><a data-box=above href='#'>as high</a><br>\n<span class=remark>(in <a data-box=within href='#'>it</a>)</span></td>
<td data-box=name><a class=name href='#'>name</a><br> what it does, <a data-box=below class=name href='#'>and more</a></td></tr>
<tr><td><table cellpadding=0><tr><td data-box=first><span class=name>f(<a href='#'>x</a>)</span><br>and what it is for</td></tr></table></td><td data-box=still>still
<span class=name>beside</span></td></tr></table><p data-box=image-alone><img src='{DOT}' width=20 height=20></p><p data-box=end>end
<script src='/js/measure.js'></script></body></html>"
    )
}

const FRAMES: &str = "<html><head><title>Frames</title></head><frameset cols='120,*' rows='50,*' border=0 frameborder=0>\
    <frame src='/leaf.html' name=a><frame src='/leaf.html' name=b><frame src='/leaf.html' name=c><frame src='/leaf.html' name=d></frameset></html>";

/// With what browsers draw between frames.
const DIVIDED: &str = "<html><head><title>Divided</title></head><frameset cols='20%,80%'>\
    <frameset rows='30%,70%'><frame src='/leaf.html' name=a><frame src='/leaf.html' name=b></frameset>\
    <frameset rows='90,25%,*'><frame src='/leaf.html' name=c><frame src='/leaf.html' name=d><frame src='/leaf.html' name=e></frameset></frameset></html>";

const LEAF: &str = "<!doctype html><html><head><title>Leaf</title></head><body><p>leaf</p><script>\
    parent.document.documentElement.setAttribute('data-' + name, innerWidth + 'x' + innerHeight);</script></body></html>";

fn head_page() -> String {
    "<!doctype html><html><head><title>Head</title><noscript><img src='/pixel.gif' alt=''></noscript>\
     <meta property='og:site_name' content='After the pixel'><link rel=stylesheet href='/css/late.css'></head><body>\
     <script>document.write('<p id=constant>' + 'constant</p>');</script>\
     <table><tr><td><a href='/leaf.html'>outer <table><tr><td><a href='/frames.html'>inner</a></td></tr></table></a></td></tr></table>\
     <template id=t><p class=inside>kept <b>whole</b></p></template><p id=cloned></p>\
     <script>document.getElementById('cloned').appendChild(document.getElementById('t').content.cloneNode(true));</script></body></html>"
        .to_owned()
}

fn site() -> Site {
    let mut site = Site::new()
        .page("/", &head_page())
        .page("/sheets.html", &sheets_page())
        .page("/quirks.html", &quirks_page())
        .page("/short.html", SHORT)
        .page("/lines.html", &lines_page())
        .page("/frames.html", FRAMES)
        .page("/divided.html", DIVIDED)
        .page("/leaf.html", LEAF)
        .page("/leaf.html?print", "<!doctype html><title>Print</title><p>to print</p>")
        .asset("/js/measure.js", "text/javascript", MEASURE)
        .asset("/css/late.css", "text/css", "p{color:red}")
        .asset("/css/print.css", "text/css", ".early{float:left}")
        .asset("/css/early.css", "text/css", ".early{color:rgb(99,98,97)}")
        .redirect("/gone?id=7", "/leaf.html", 301)
        .not_found("<html lang=en><head><title>Gone</title></head><body class=gone><h1>Nothing here</h1></body></html>");
    for number in 0..SHEETS.len() {
        site = site.asset(&format!("/css/case-{number}.css"), "text/css", &sheet(number));
    }
    site
}

/// The pages as they were, beside the project's own.
fn with_originals(mut project: Project) -> Project {
    let pages = [("sheets", sheets_page()), ("quirks", quirks_page()), ("lines", lines_page())];
    let plain = [("short", SHORT), ("frames", FRAMES), ("divided", DIVIDED)]
        .map(|(name, html)| (name, html.to_owned()));
    for (name, html) in pages.into_iter().chain(plain) {
        project.files.insert(format!("public/original/{name}.html"), Contents::Text(html));
    }
    project
}

async fn seen(served: &Served, path: &str) -> browser::Seen {
    let url = format!("http://{}{path}", served.address);
    let seen = tokio::task::spawn_blocking(move || browser::open(&url)).await.expect("the browser ran");
    for wrong in ["ydrat", "Minified React error"] {
        assert!(!seen.console.contains(wrong), "{path}: the console says {wrong}: {}", seen.console);
    }
    seen
}

async fn measured(served: &Served, path: &str) -> Vec<String> {
    let dom = seen(served, path).await.dom;
    let text = dom.rsplit_once("{{").and_then(|(_, rest)| rest.split_once("}}")).map(|(text, _)| text);
    text.unwrap_or_else(|| panic!("{path} was measured: {dom}")).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_shows_what_it_showed() {
    let site = site();
    let (_, project) = written(&site);
    let served = serve(&site, &with_originals(project)).await;
    for (page, least) in [("sheets", 12), ("quirks", 12), ("short", 4), ("lines", 12)] {
        let before = measured(&served, &format!("/original/{page}.html")).await;
        let after = measured(&served, &format!("/{page}.html")).await;
        assert!(before.len() > least, "{page}: {before:?}");
        let differences: Vec<_> =
            before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        assert!(differences.is_empty() && before.len() == after.len(), "{page} differs: {differences:#?}");
    }
    let begins = [("quirks", "<html "), ("lines", "<!DOCTYPE html PUBLIC "), ("leaf", "<!DOCTYPE html><")];
    for (page, begin) in begins {
        let body = served.get(&format!("/{page}.html")).await.body;
        assert!(body.starts_with(begin), "{page}, after `next build` alone: {body}");
    }
    frames_have_their_sizes(&served).await;
    nothing_of_the_head_is_lost(&served).await;
    let answer = served.get("/gone?id=7").await;
    assert_eq!((answer.status, answer.location.as_str()), (301, "/leaf.html"));
    assert!(served.get("/leaf.html?print").await.body.contains("to print"));
    assert!(served.get("/leaf.html").await.body.contains("<p>leaf</p>"));
    let answer = served.get("/nowhere").await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.starts_with("<html "), "it had no doctype: {}", answer.body);
    assert!(
        answer.body.contains("Nothing here") && answer.body.contains("class=\"gone\""),
        "{}",
        answer.body
    );
}

async fn frames_have_their_sizes(served: &Served) {
    for (page, names) in [("frames", "abcd"), ("divided", "abcde")] {
        let before = frame_sizes(&seen(served, &format!("/original/{page}.html")).await.dom, names);
        let after = frame_sizes(&seen(served, &format!("/{page}.html")).await.dom, names);
        // A set of frames is divided at whole pixels.
        let alike =
            before.iter().zip(&after).all(|(a, b)| a[0].abs_diff(b[0]) <= 1 && a[1].abs_diff(b[1]) <= 1);
        assert!(alike, "{page}: {before:?} became {after:?}");
    }
}

/// The inner width and height of each frame.
fn frame_sizes(dom: &str, names: &str) -> Vec<[u32; 2]> {
    let size = |name: char| {
        let (_, rest) =
            dom.split_once(&format!("data-{name}=\"")).unwrap_or_else(|| panic!("{name} was shown: {dom}"));
        let (size, _) = rest.split_once('"').expect("an attribute");
        let (width, height) = size.split_once('x').expect("two numbers");
        [width, height].map(|number| number.parse().expect("a number"))
    };
    names.chars().map(size).collect()
}

async fn nothing_of_the_head_is_lost(served: &Served) {
    let html = served.get("/").await.body;
    let (head, body) = html.split_once("</head>").expect("a head");
    assert!(head.contains("og:site_name") && head.contains("/css/late.css"), "{head}");
    assert!(body.contains("<noscript><img alt=\"\" src=\"/pixel.gif\"/></noscript>"), "{body}");
    assert!(body.contains("<p id=\"constant\">constant</p>"), "{body}");
    let dom = seen(served, "/").await.dom;
    for kept in [
        "<a href=\"/frames.html\">inner</a>",
        "<p id=\"cloned\"><p class=\"inside\">kept <b>whole</b></p></p>",
        "<template id=\"t\"><p class=\"inside\">kept <b>whole</b></p></template>",
    ] {
        assert!(dom.contains(kept), "{kept} is in the document: {dom}");
    }
}
