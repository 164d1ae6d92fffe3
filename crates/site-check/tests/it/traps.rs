//! A small site that holds every trap we know of, from stored bytes to the browser.

use crate::{
    browser,
    server::{Answer, Served, serve, written},
    snapshot::Site,
};
use site_write::Contents;

const HEAD: &str = r##"<link rel="stylesheet" href="/css/a.css"><link rel=stylesheet href="print.css?v=2" media=print>
<style>.inline{background:url(dot.png)} @media (min-width:1px){.inline{color:rgb(1,2,3)}}</style>"##;

const HEADER: &str = r##"<header id="top"><nav><ul><li><a href="/">Home</a></li><li><a href="/about.html">About &amp; us</a></li>
<li><a href="/search.php?q=a%2Fb&amp;n=1">Search</a></li></ul></nav></header>"##;

fn home() -> String {
    format!(
        r##"<!doctype html><html lang=en class="no-js"><head><meta charset=utf-8><title>Home &amp; "more"</title>
<meta name=description content="It's a <trap>"><meta property="og:title" content="Home"><meta name=viewport content="width=device-width, initial-scale=1">
<link rel=canonical href="http://old.example/"><script type="application/ld+json">{{"@type":"Thing","x":"</b>"}}</script>{HEAD}</head>
<body class="home" onload="order.push('onload'); document.getElementById('out').textContent = order.join(' ')">{HEADER}
<main><h1>Braces {{ and }} &lt;tags&gt; in   text</h1><p>One<b> two </b>three&nbsp;four &mdash; "five" 'six' \seven\</p>
<p class=x id=para style="color: RED !important; color:blue; --gap: 2px; *zoom:1; background:url('/dot.png;x')">styled</p>
<pre>  kept
    as is</pre><textarea name=t>two
lines &lt;b&gt;</textarea>
<form action="send.php" method=post><input name=a value="v" required><input type=checkbox name=c checked>
<select name=s><option value=1>one<option value=2 selected>two</select><button disabled>Send</button></form>
<table border=1 align=center bgcolor="#fff"><tr><td nowrap valign=middle width=10%>cell<td colspan=2>wide</table>
<center><font color=red size=3>old <marquee>style</marquee></font></center>
<svg viewBox="0 0 10 10" width=10 height=10><defs><linearGradient id=g gradientTransform="rotate(9)"><stop offset=0 stop-color=red /></linearGradient></defs><path d="M0 0h1" stroke-width=2 xlink:href="#g" fill-rule=evenodd /></svg>
<my-widget class=w for=z inert draggable data-x='{{"a":1}}'>custom</my-widget><a name=anchor>anchor</a>
<img src=/dot.png srcset="/dot.png 1x, /dot.png?v=2 2x" alt="" width=1 height=1><picture><source srcset="/dot.png" media="(min-width:1px)"><img src="/dot.png?v=2" alt=two></picture>
<button id=b onclick="this.textContent='clicked ' + event.type">press</button> <a id=j href="javascript:window.jumped=1">jump</a>
<noscript><p>without scripts</p></noscript><iframe src="/about.html" title=frame></iframe><p>para<div>in a paragraph</div></p>
<video poster=/dot.png muted playsinline></video><svg width=9 height=9><title>Icon words</title><a xlink:href="/about.html"><text y=9>svg</text></a></svg>
<table><tr><td align=middle>odd<td contenteditable="">edit</table><ol start=x><li ref=a key=b>ref</ol><button type=foo>foo</button>
<select multiple name=m><option selected>m1<option value=m2 selected>M2</select><script type="text/x-tmpl"><i>{{x}}</i></script>bare words in main<details open><summary>Sum</summary>mary</details><p hidden>hidden words</p>
<p>one <script>document.write("<b>" + 2 + '</b><script src=/js/third.js><\/script>')</script>four</p><p><script>document.currentScript.parentNode.id = "found"</script>here</p>
<p id=year>in <script>document.getElementById("year").append(2000 + 26)</script>, all</p>
<p><script>document.write("<u id=at>"); document.write("now</u>"); document.getElementById("at").title = "found"; document.write("<i>in "); document.write("bits</i>")</script></p>
<table><script>document.write("<tr class=r>"); document.write("<td>cell</td>"); document.write("</tr>")</script></table>
<div id=out>before</div><template><p>never</p></template></main>
bare words in body<footer id=foot><p>All of it</p><p>&copy; Ours</p><p>Third</p></footer>
<script async src="/js/whenever.js" data-site=9 crossorigin></script><script>window.dataLayer = [{{"page": "home"}}]; document.documentElement.dataset.counted = dataLayer[0].page;</script><script src="/js/last.js" defer></script><script src="/js/first.js" id=own data-key=k1></script><script>order.push("inline"); document.addEventListener("DOMContentLoaded", function (event) {{
 order.push("ready"); event.target.documentElement.dataset.told = event.type; document.getElementById("out").textContent = order.join(" "); document.getElementById("b").click(); }});
 order.push(document.readyState); document.write("<p>" + "written</p>");</script></body></html>"##
    )
}

fn plain(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>{title}</title><meta name=viewport content='width=device-width'>{HEAD}</head>\
         <body>{HEADER}<main><h1>{title}</h1>{body}</main><footer id=foot><p>All of it</p><p>&copy; Ours</p><p>Third</p></footer></body></html>"
    )
}

fn site() -> Site {
    Site::new()
        .page("/", &home())
        .page(
            "/about.html",
            &plain(
                "About",
                "<p>See <a href='/caf%C3%A9/'>the café</a> and <a href='team/'>the team</a>.</p>",
            ),
        )
        .page(
            "/team/",
            &plain("Team", "<base href='/elsewhere/'><p>People</p><a href='../about.html#top'>back</a>"),
        )
        .page("/caf%C3%A9/", &plain("Café", "<p>Espresso</p>"))
        .page("/_odd/(a)/[b]@c", &plain("Odd", "<p>Odd path</p>"))
        .page("/search.php?q=a%2Fb&n=1", &plain("Found", "<p>Results for a/b</p>"))
        .page("/search.php", &plain("Search", "<p>Nothing asked</p>"))
        .page("/docs/index.html", &plain("Docs", "<p>Same as its folder</p>"))
        .page("/docs/", &plain("Docs", "<p>Same as its folder</p>"))
        .asset(
            "/css/a.css",
            "text/css",
            "@import 'b.css';\n*{*zoom:1}\n.x{color:red !ie}\n};\n.home{color:rgb(9,9,9)}",
        )
        .asset("/css/b.css", "text/css", "footer{border:1px solid}")
        .asset("/print.css?v=2", "text/css", "body{color:black}")
        .asset("/dot.png", "image/png", "not really a picture")
        .asset("/dot.png?v=2", "image/png", "another one")
        .asset(
            "/js/first.js",
            "text/javascript",
            "window.order=['first', document.currentScript.dataset.key];",
        )
        .asset("/js/third.js", "text/javascript", "document.write(' three ');")
        .asset("/js/last.js", "text/javascript", "order.push('last');")
        .asset(
            "/js/whenever.js",
            "text/javascript",
            "document.documentElement.dataset.whenever = document.currentScript.dataset.site;",
        )
        .page("/e.html?print", &plain("Print", "<p>To print</p>"))
        .asset("/img/b%20c(1)@2x.png", "image/png", "odd name")
        .redirect("/to-odd", "/_odd/(a)/[b]@c", 301)
        .redirect("/old(1).html", "/about.html", 301)
        .redirect("/gone?id=7", "/team/", 302)
}

#[test]
fn the_same_snapshot_gives_the_same_bytes_on_any_number_of_threads() {
    let (site, again) = (site(), site());
    let (plan, project) = written(&site);
    assert_eq!(project, written(&again).1);
    for threads in [1, 2, 8] {
        let threads = std::num::NonZeroUsize::new(threads).expect("not zero");
        let on_so_many = site_write::transform_on(threads, &plan, &site.snapshot, &site.bodies);
        assert_eq!(project, on_so_many.expect("a project"), "on {threads} threads");
    }
}

#[test]
fn the_checks_pass_and_each_finds_what_it_is_for() {
    let site = site();
    let (plan, project) = written(&site);
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:#?}");
    let home = plan.route("http://old.example/").expect("a route").file.clone();
    let broken = |name: &str, change: &dyn Fn(&mut site_write::Project)| {
        let mut project = project.clone();
        change(&mut project);
        let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
        let check = report.checks.iter().find(|check| check.name == name).expect("a check of that name");
        assert!(!check.problems.is_empty(), "{name} finds nothing");
    };
    let edit = |from: &'static str, to: &'static str| {
        let home = home.clone();
        move |project: &mut site_write::Project| {
            let Some(Contents::Text(text)) = project.files.get_mut(&home) else { panic!("the page is text") };
            assert!(text.contains(from), "{from} is in the page:\n{text}");
            *text = text.replace(from, to);
        }
    };
    broken("syntax", &edit("export default", "export default default"));
    broken("text", &edit("styled", "restyled"));
    broken("images", &edit("/dot.png?v=2", "/dot.png?v=3"));
    broken("lint", &edit("id=\"para\"", "dangerouslySetInnerHTML={{ __html: '' }}"));
    broken("forbidden", &|project| {
        drop(project.files.insert("app/[[...all]]/page.tsx".into(), Contents::Text(String::new())))
    });
    broken("routes", &|project| drop(project.files.remove(&home)));
    broken("links", &|project| drop(project.files.remove("public/css/a.css")));
    broken("package", &|project| drop(project.files.remove("package.json")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_old_address_answers_and_the_browser_shows_it() {
    let site = site();
    let (_, project) = written(&site);
    let served = serve(&site, &project).await;
    every_address_answers(&served).await;
    files_are_served_as_they_were(&served).await;
    let url = format!("http://{}/", served.address);
    let seen = tokio::task::spawn_blocking(move || browser::open(&url)).await.expect("the browser ran");
    for wrong in ["Hydration", "hydrat", "Minified React error", "SyntaxError"] {
        assert!(!seen.console.contains(wrong), "the console says {wrong}: {}", seen.console);
    }
    assert!(
        seen.dom.contains("first k1 inline loading last ready onload</div>"),
        "scripts ran in order: {}",
        seen.dom
    );
    assert!(seen.dom.contains("clicked click</button>"), "inline handlers work");
    assert!(seen.dom.contains("data-whenever=\"9\""), "independent scripts run: {}", seen.dom);
    assert!(seen.dom.contains("data-counted=\"home\""), "what Next.js loads runs: {}", seen.dom);
    for kept in ["<i>{x}</i>", "http://old.example/\"", "bare words in body"] {
        assert!(seen.dom.contains(kept), "{kept} is in the document: {}", seen.dom);
    }
    for written in [
        "<b>2</b><script src=\"/js/third.js\"></script> three four</p>",
        "</script><p>written</p>",
        "<p id=\"found\">",
        "</script>2026, all</p>",
        "</script><u id=\"at\" title=\"found\">now</u><i>in bits</i></p>",
        "<tr class=\"r\"><td>cell</td></tr>",
        "data-told=\"DOMContentLoaded\"",
    ] {
        assert!(
            seen.dom.contains(written),
            "scripts know their places, and write there: {written}: {}",
            seen.dom
        );
    }
    let position = |text: &str| seen.dom.find(text).unwrap_or_else(|| panic!("{text} is in the document"));
    let sheets = [position("/css/a.css"), position("print.css?v=2"), position(".inline{")];
    assert!(sheets.is_sorted(), "style sheets keep their order: {sheets:?}");
    assert!(
        served.folder.path().join("legacy-html.d.ts").is_file(),
        "legacy attributes are declared, not ignored"
    );
}

async fn every_address_answers(served: &Served) {
    let pages = [
        ("/", "Braces { and } &lt;tags&gt; in text"),
        ("/about.html", "the café"),
        ("/team/", "People"),
        ("/team", "People"),
        ("/caf%C3%A9/", "Espresso"),
        ("/_odd/(a)/[b]@c", "Odd path"),
        ("/search.php?q=a%2Fb&n=1", "Results for a/b"),
        ("/search.php", "Nothing asked"),
        ("/docs/", "Same as its folder"),
        ("/e.html?print", "To print"),
        ("/img/b%20c(1)@2x.png", "odd name"),
    ];
    for (path, text) in pages {
        let Answer { status, body, .. } = served.get(path).await;
        assert_eq!(status, 200, "{path}");
        assert!(body.contains(text), "{path} shows {text:?}:\n{body}");
    }
    for (path, status, to) in [
        ("/old(1).html", 301, "/about.html"),
        ("/gone?id=7", 302, "/team/"),
        ("/docs/index.html", 301, "/docs/"),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.location.starts_with(to), "{path} leads to {}", answer.location);
    }
    assert_eq!(served.get("/nowhere").await.status, 404);
}

async fn files_are_served_as_they_were(served: &Served) {
    for (path, bytes) in [
        ("/css/a.css", "@import 'b.css';\n*{*zoom:1}\n.x{color:red !ie}\n};"),
        ("/print.css?v=2", "body{color:black}"),
        ("/dot.png", "not really a picture"),
        ("/dot.png?v=2", "another one"),
    ] {
        let answer = served.get(path).await;
        assert!(
            answer.status == 200 && answer.body.contains(bytes),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
    }
}
