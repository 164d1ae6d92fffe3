//! What is found in documents, sort by sort.

use proptest::prelude::*;

use super::*;

fn of(html: &str) -> PageAnalysis {
    at("https://example.org/a/page.html", html)
}

fn at(url: &str, html: &str) -> PageAnalysis {
    let url = Url::parse(url).expect("an address");
    analyse(&crate::markup::parse(html).expect("a tree"), &PageInput { url: &url, status: 200, headers: &[] })
}

fn codes(page: &PageAnalysis) -> Vec<&str> {
    page.problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn the_head_tells_of_the_document() {
    let page = of(r#"<!doctype html><html lang="ar" dir="rtl"><head><base href="/b/">
        <title> A
        title </title><title>second</title>
        <meta name="Description" content="what it is"><meta name=robots content="noindex, follow">
        <meta name=viewport content="width=device-width, user-scalable=no">
        <meta name=generator content="Hugo 0.1">
        <meta property="og:title" content="T"><meta property="og:image" content="1"><meta property="og:image" content="2">
        <meta name="twitter:card" content="summary">
        <link rel=canonical href="page/"><link rel="alternate" hreflang="en" href="/en/">
        <script type="application/ld+json">{"@graph":[{"@type":"Article"},{"@type":["Person","Article"]}]}</script>
        <script type="application/ld+json">{broken</script></head>
        <body><div itemscope itemtype="https://schema.org/Event"></div>"#);
    assert_eq!(page.title.as_deref(), Some("A title"));
    assert_eq!(page.description.as_deref(), Some("what it is"));
    assert_eq!(page.language.as_deref(), Some("ar"));
    assert_eq!(page.direction, Some(Direction::Rtl));
    assert_eq!(page.canonical.as_deref(), Some("https://example.org/b/page/"));
    assert_eq!(page.alternates, [Alternate { language: "en".into(), url: "https://example.org/en/".into() }]);
    assert_eq!(page.properties["og:image"], ["1", "2"]);
    assert_eq!(page.twitter["card"], "summary");
    assert_eq!(page.generator.as_deref(), Some("Hugo 0.1"));
    let data: Vec<_> =
        page.structured_data.iter().map(|d| (&*d.format, d.types.join(" "), d.valid)).collect();
    assert_eq!(
        data,
        [
            ("json-ld", "Article Person".into(), true),
            ("json-ld", String::new(), false),
            ("microdata", "https://schema.org/Event".into(), true)
        ]
    );
    assert!(page.accessibility.zoom_prevented);
    for code in ["noindex", "zoom-prevented", "broken-structured-data", "no-main-heading"] {
        assert!(codes(&page).contains(&code), "{code}: {:?}", codes(&page));
    }
    assert!(!codes(&page).contains(&"no-language"));
}

#[test]
fn the_outline_has_headings_landmarks_and_faults() {
    let page = of(r#"<header><h1>Top <em>one</em></h1></header><nav aria-label="Main"></nav>
        <main id=x><article><header>not the page's</header><h4 id=x>deep</h4></article></main>
        <section><h2>two</h2></section><section aria-label=S></section><div role="search form"></div>
        <footer></footer>"#);
    let headings: Vec<_> = page.headings.iter().map(|heading| (heading.level, &*heading.text)).collect();
    assert_eq!(headings, [(1, "Top one"), (4, "deep"), (2, "two")]);
    let landmarks: Vec<_> = page.landmarks.iter().map(|landmark| &*landmark.role).collect();
    assert_eq!(landmarks, ["banner", "navigation", "main", "region", "search", "contentinfo"]);
    assert_eq!(page.landmarks[1].label.as_deref(), Some("Main"));
    assert_eq!((page.accessibility.skipped_headings, page.accessibility.duplicate_ids), (1, 1));
}

#[test]
fn forms_are_listed_with_what_names_their_fields() {
    let page = of(r#"<form action="/send" method=POST enctype="multipart/form-data">
          <label>Name <input name=name required></label>
          <label for=m>Mail</label><input id=m type=EMAIL name=mail>
          <textarea name=text></textarea><select name=s aria-label="Which"></select>
          <input type=hidden name=token><button></button><button><img alt="Go"></button></form>
        <form><input type=search name=q placeholder="Search"></form>"#);
    assert_eq!(page.forms.len(), 2);
    let form = &page.forms[0];
    assert_eq!((&*form.action, &*form.method), ("https://example.org/send", "post"));
    assert_eq!(form.encoding.as_deref(), Some("multipart/form-data"));
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|field| (&*field.name, &*field.kind, field.required, field.labelled))
        .collect();
    assert_eq!(
        fields,
        [
            ("name", "text", true, true),
            ("mail", "email", false, true),
            ("text", "textarea", false, false),
            ("s", "select", false, true),
            ("token", "hidden", false, true)
        ]
    );
    assert_eq!(page.forms[1].action, "https://example.org/a/page.html");
    assert_eq!(page.accessibility.fields_without_label, 1);
    assert_eq!(page.accessibility.empty_buttons, 1);
    assert_eq!(page.kind, PageKind::Contact);
}

#[test]
fn scripts_are_told_apart() {
    let page = of(r##"<script src="https://code.jquery.com/jquery-3.7.1.min.js"></script>
        <script src="/js/site.js"></script>
        <script>window.dataLayer=[];function gtag(){};gtag('js')</script>
        <script>document.getElementById('x').innerHTML='y'</script>
        <script>document.write('<p>')</script>
        <script>var a = 1</script>
        <script type="application/json">{"a":1}</script>
        <a onclick="go()" href="javascript:void(0)">x</a><b onmouseover=y></b>"##);
    let kinds: Vec<_> = page.scripts.iter().map(|script| script.kind).collect();
    use ScriptKind::{Analytics, Data, DomMutation, Library, Own};
    assert_eq!(kinds, [Library, Own, Analytics, DomMutation, DomMutation, Own, Data]);
    assert_eq!(page.scripts[0].version.as_deref(), Some("3.7.1"));
    assert_eq!(page.scripts[0].name.as_deref(), Some("jQuery"));
    assert_eq!(page.scripts.iter().filter(|script| script.writes).count(), 1);
    assert_eq!(page.inline_handlers, 2);
    assert_eq!(
        page.third_parties,
        [ThirdParty { host: "code.jquery.com".into(), purpose: "libraries".into() }]
    );
}

#[test]
fn images_links_and_other_parties() {
    let page =
        of(r##"<a href="/in">in</a><a href="https://other.example/">out</a><a href="mailto:a@b.c">m</a>
        <a href="#top"></a><a href="/icon"><img src="i.png" alt="Icon"></a><a name=anchor></a>
        <img src="big.jpg" width=300 height="200px" loading=lazy><img src="data:image/gif;base64,R0" alt="">
        <img data-src="/late.png" src="/blank.gif" alt="x" srcset="a 1x"><img role=presentation src=z>
        <picture><source srcset="w.webp"><img src="p.jpg" alt="p" width="50%"></picture>
        <iframe src="https://www.youtube.com/embed/1"></iframe>
        <link rel=stylesheet href="https://fonts.googleapis.com/css?family=X">
        <link rel=stylesheet href="/wp-content/themes/t/style.css">
        <nav><a href="/one"> One </a><a href="/two">Two</a></nav>"##);
    assert_eq!(page.links, Links { internal: 5, external: 1, other: 1 });
    assert_eq!(page.accessibility.empty_links, 1, "a link of an image with a text is none");
    assert_eq!(page.accessibility.images_without_alt, 1);
    assert_eq!(page.accessibility.frames_without_title, 1);
    let images: Vec<_> = page.images.iter().map(|image| image.url.as_deref().unwrap_or("inside")).collect();
    let base = "https://example.org/a";
    assert_eq!(
        images,
        [
            &*format!("{base}/i.png"),
            &*format!("{base}/big.jpg"),
            "inside",
            "https://example.org/late.png",
            &*format!("{base}/z"),
            &*format!("{base}/p.jpg")
        ]
    );
    assert_eq!(page.images[1].declared, Some((300, 200)));
    assert_eq!((page.images[1].lazy, page.images[3].lazy, page.images[0].lazy), (true, true, false));
    assert_eq!((page.images[3].responsive, page.images[5].responsive), (true, true));
    assert_eq!(page.images[5].declared, None, "a share of the width is no size");
    let others: Vec<_> = page.third_parties.iter().map(|party| (&*party.host, &*party.purpose)).collect();
    assert_eq!(others, [("fonts.googleapis.com", "fonts"), ("www.youtube.com", "video")]);
    assert_eq!(page.fonts, ["https://fonts.googleapis.com/css?family=X"]);
    assert_eq!(page.platforms, ["WordPress"]);
    let menu: Vec<_> = page.menu.iter().map(|entry| (&*entry.text, &*entry.url)).collect();
    assert_eq!(menu, [("One", "https://example.org/one"), ("Two", "https://example.org/two")]);
}

#[test]
fn what_pages_share_has_one_shape_and_what_differs_another() {
    let part = |page: &PageAnalysis, role| {
        let found = page.parts.iter().find(|part| part.role == role);
        found.unwrap_or_else(|| panic!("{role:?} in {:?}", page.parts)).clone()
    };
    let with = |one: &str, two: &str, rest: &str| {
        of(&format!(
            "<nav class=m><a class='{one}' href=/1>1</a><a class='{two}' href=/2>2</a></nav><div id=footer><p>f</p></div>{rest}"
        ))
    };
    let (here, there) = (with("active", "", ""), with("", "active", "<p>more"));
    let (one, two) = (part(&here, PartRole::Navigation), part(&there, PartRole::Navigation));
    assert_eq!(one.structure, two.structure, "which entry is the current one is no matter of shape");
    assert_eq!(part(&here, PartRole::Footer).content, part(&there, PartRole::Footer).content);
    assert_ne!(here.template, there.template);
    let cards =
        |count: usize| of(&format!("<ul>{}</ul>", "<li class=c><a href=/x><b>n</b></a></li>".repeat(count)));
    assert_eq!(part(&cards(4), PartRole::Card).times, 4);
    assert_eq!(cards(4).template, cards(9).template, "a list is a list however long");
    assert!(cards(2).parts.is_empty());
    let menu = of(&format!("<nav>{}</nav>", "<li class=c><a href=/x><b>n</b></a></li>".repeat(4)));
    assert!(
        menu.parts.iter().all(|part| part.role == PartRole::Navigation),
        "entries of a menu are part of it"
    );
    let deep = |content: &str| {
        of(&format!("<div class=page><main><article><div>{content}</div></article></main></div>"))
    };
    assert_eq!(deep("<p>a").template, deep("<h2>b</h2><table></table>").template, "content is no template");
}

#[test]
fn pages_are_of_a_kind() {
    let long = "word ".repeat(200);
    let cases: Vec<(&str, String, PageKind)> = vec![
        ("/", "<p>hello".into(), PageKind::Home),
        ("/x", "<title>Page not found</title><p>sorry".into(), PageKind::Error),
        ("/x", "<form><input type=password></form>".into(), PageKind::Login),
        ("/x", r#"<meta property="og:type" content="article"><p>x"#.into(), PageKind::Article),
        (
            "/x",
            r#"<script type="application/ld+json">{"@type":"Product"}</script>"#.into(),
            PageKind::Product,
        ),
        ("/contact", "<form><input name=a></form>".into(), PageKind::Contact),
        ("/search", "<form><input name=q></form>".into(), PageKind::Search),
        ("/x", "<form><input name=a><input name=b><input name=c></form>".into(), PageKind::Form),
        ("/x", "<img src=a>".repeat(9), PageKind::Gallery),
        ("/x", "<li><a href=/p><b>n</b></a></li>".repeat(6), PageKind::Listing),
        ("/x", long.clone(), PageKind::Document),
        ("/x", "<frameset><frame src=a></frameset>".into(), PageKind::Frames),
        ("/x", r#"<meta http-equiv=refresh content="0; url=/y">"#.into(), PageKind::Redirect),
        ("/x", "<p>few words".into(), PageKind::Other),
        ("/x", format!("<h1>How we handle a 404</h1>{long}"), PageKind::Document),
    ];
    for (path, html, kind) in cases {
        assert_eq!(at(&format!("https://example.org{path}"), &html).kind, kind, "{path} {html:.80}");
    }
}

#[test]
fn pages_that_need_scripts_and_walls_of_cookies_are_seen() {
    let shell = of("<div id=root></div><script src=/app.js></script>");
    assert_eq!(shell.needs_script, Some(Reason::EmptyRoot { root: "root".into() }));
    assert!(codes(&shell).contains(&"needs-script"));
    assert!(of("<div id=root><p>filled</p></div>").needs_script.is_none());
    assert_eq!(of("<div class='cookie-banner'>x</div>").cookie_wall.as_deref(), Some("cookie-banner"));
    assert_eq!(
        of("<script src=https://consent.cookiebot.com/uc.js></script>").cookie_wall.as_deref(),
        Some("Cookiebot")
    );
    assert_eq!(of("<div class='cookies'>recipes</div>").cookie_wall, None);
}

#[test]
fn lists_and_texts_are_bounded() {
    let page = of(&format!(
        "<title>{}</title>{}",
        "x".repeat(100_000),
        "<h2>y</h2><img src=a><form></form>".repeat(5_000)
    ));
    assert_eq!(page.title.map(|title| title.len()), Some(500));
    assert_eq!((page.headings.len(), page.images.len(), page.forms.len()), (500, 500, 500));
    let deep = of(&"<div class=a>".repeat(500));
    assert!(deep.parts.len() <= 64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_document_is_analysed_the_same_each_time(
        html in proptest::string::string_regex("(<(/?)(div|a|p|script|form|input|nav|h[1-6]|img|title|noscript)( [a-z]+=\"?[a-z:/]*\"?)*>|[a-zé&;<>\"' ]{0,8}){0,60}").expect("a pattern"),
    ) {
        let once = of(&html);
        prop_assert_eq!(&once, &of(&html));
        let json = serde_json::to_string(&once).expect("facts are plain data");
        prop_assert_eq!(serde_json::from_str::<PageAnalysis>(&json).expect("they read back"), once);
    }
}
