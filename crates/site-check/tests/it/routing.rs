//! Every kind of address that sites have, in one project: built by the real `next build`, asked at the real `next start`. What
//! its pages say to search engines, and the menus that they share, are looked at in the same project.

use crate::{
    menus, seo,
    server::{Served, serve, written},
    snapshot::Site,
};

/// What the copy must answer for an address of the site.
enum Wanted {
    /// The page or file that says these words.
    Says(&'static str),
    /// Exactly one redirect: its status, and the address that says these words.
    Leads(u16, &'static str, &'static str),
    Missing,
}

use Wanted::{Leads, Missing, Says};

/// Pages: address and words.
const PAGES: &[(&str, &str)] = &[
    ("/", "home words"),
    // Clean addresses, endings, and both beside each other.
    ("/about/", "about words"),
    ("/about.html", "about with an ending"),
    ("/contact.php", "contact words"),
    ("/index.html", "an old home"),
    ("/docs/", "docs words"),
    ("/docs/index.html", "docs words"),
    ("/docs/v1.2/", "a dot in a folder"),
    // Queries and pagination.
    ("/list/", "list words"),
    ("/list/?page=2", "second list"),
    ("/list/?page=2&sort=up", "second list sorted"),
    ("/shop.php?id=7", "shop seven"),
    ("/shop.php?id=7&id=8", "shop seven and eight"),
    ("/shop.php?id=a%20b%2Fc", "shop with a space"),
    ("/shop.php?print", "shop to print"),
    // Locales.
    ("/de/", "Startseite"),
    ("/de/ueber-uns/", "Wer wir sind"),
    ("/en-GB/colour/", "colour words"),
    // Case.
    ("/Case/", "capital case"),
    ("/case/", "small case"),
    ("/CamelCase/Deep/", "camel words"),
    // Letters of other scripts, encoded in every way that sites have.
    ("/caf%C3%A9/", "espresso"),
    ("/lower%c3%a9/", "lower espresso"),
    ("/%E6%97%A5%E6%9C%AC/", "nihon"),
    ("/latin%E9/", "latin espresso"),
    ("/a%20b/", "a space"),
    // Characters that the router, patterns or file systems take for something else.
    ("/(group)/", "round brackets"),
    ("/[slug]/", "square brackets"),
    ("/[...all]/", "three dots in brackets"),
    ("/@slot/", "an at sign"),
    ("/(.)near/", "a dot in brackets"),
    ("/app/", "app words"),
    ("/app/login/", "app login words"),
    ("/_private/", "an underscore"),
    ("/a_b/_c/", "underscores"),
    ("/~user/", "a tilde"),
    ("/100%25/", "a percent sign"),
    ("/a%2Fb/", "a slash in a name"),
    ("/c++/", "plus signs"),
    ("/what!/x;y=1,2/", "other signs"),
    ("/:id/*/", "a colon and a star"),
    ("/.well-known/about/", "a dot in front"),
    ("/.../", "only dots"),
    // Names that mean something to Next.js.
    ("/api/users/", "no interface"),
    ("/_next/page/", "underscore next"),
    ("/404/", "a page about an error"),
    ("/500/", "a page about another error"),
    ("/404.html", "a file about an error"),
    ("/500.html", "a file about another error"),
    ("/page/", "called page"),
    ("/route/", "called route"),
    ("/layout/", "called layout"),
    ("/not-found/", "called not found"),
    ("/icon/", "called icon"),
    ("/sitemap/", "called sitemap"),
    ("/manifest/", "called manifest"),
    // Beside files of the same name, and in folders of files.
    ("/files/", "a page about files"),
    ("/logo.png/", "a page about the logo"),
    ("/logo.png/large/", "below the name of a file"),
];

/// Every address that was ever asked, and what it must answer.
const ASKED: &[(&str, Wanted)] = &[
    // What the site itself led on: straight to the end, each with its own status.
    ("/old.html", Leads(301, "/about/", "about words")),
    ("/older.html", Leads(301, "/about/", "about words")),
    ("/docs/index.html", Leads(301, "/docs/", "docs words")),
    ("/manual", Leads(302, "/docs/", "docs words")),
    ("/old(1).html", Leads(301, "/docs/", "docs words")),
    ("/gr%C3%B6%C3%9Fe", Leads(308, "/caf%C3%A9/", "espresso")),
    ("/gone?id=7", Leads(301, "/shop.php?id=7", "shop seven")),
    ("/CAMELCASE/deep/", Leads(301, "/CamelCase/Deep/", "camel words")),
    ("/shop.php", Leads(301, "/list/", "list words")),
    ("/anchor", Leads(301, "/docs/#top", "docs words")),
    // The slash, as the server was seen to do it: for what was asked then, and for the rest.
    ("/about", Leads(301, "/about/", "about words")),
    ("/de/ueber-uns", Leads(301, "/de/ueber-uns/", "Wer wir sind")),
    ("/caf%C3%A9", Leads(301, "/caf%C3%A9/", "espresso")),
    ("/[slug]", Leads(301, "/[slug]/", "square brackets")),
    ("/Case", Leads(301, "/Case/", "capital case")),
    ("/about?utm=1", Leads(301, "/about/?utm=1", "about words")),
    // Queries: in another order, and with more than was asked for.
    ("/list/?sort=up&page=2", Says("second list sorted")),
    ("/list/?page=2&utm=1", Says("second list")),
    ("/list/?page=3", Says("list words")),
    ("/logo.png", Says("bytes of the logo")),
    ("/files/a.txt", Says("bytes of a text")),
    ("/files//b.txt", Leads(308, "/files/b.txt", "bytes behind two slashes")),
    ("/nowhere", Missing),
    ("/nowhere/at/all.html", Missing),
    ("/ABOUT/", Missing),
    ("/de/nirgends/", Missing),
    ("/api/", Missing),
];

fn html(path: &str, words: &str) -> String {
    let language = if path.starts_with("/de/") { "de" } else { "en" };
    format!(
        "<!doctype html><html lang={language}><head><title>{words}</title></head><body><main><h1>{words}</h1></main></body></html>"
    )
}

fn site() -> Site {
    let with_pages =
        PAGES.iter().fold(Site::new(), |site, (path, words)| site.page(path, &html(path, words)));
    with_pages
        .asset("/logo.png", "image/png", "bytes of the logo")
        .asset("/files/a.txt", "text/plain", "bytes of a text")
        .asset("/files//b.txt", "text/plain", "bytes behind two slashes")
        .redirect("/about", "/about/", 301)
        .redirect("/docs", "/docs/", 301)
        .redirect("/old.html", "/about/", 301)
        .redirect("/older.html", "/old.html", 301)
        .redirect("/manual", "/docs/index.html", 302)
        .redirect("/old(1).html", "/docs/", 301)
        .redirect("/gr%C3%B6%C3%9Fe", "/caf%C3%A9/", 308)
        .redirect("/gone?id=7", "/shop.php?id=7", 301)
        .redirect("/CAMELCASE/deep/", "/CamelCase/Deep/", 301)
        .redirect("/shop.php", "/list/", 301)
        .redirect("/anchor", "/docs/#top", 301)
        .not_found("<!doctype html><html><head><title>Gone</title></head><body><h1>the site's own words for it</h1></body></html>")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_answers_with_the_page_that_it_had() {
    let site = menus::with_pages(seo::with_pages(site()));
    let (plan, project) = written(&site);
    assert_eq!(
        plan.findings.iter().filter(|finding| finding.code == "same_route").count(),
        0,
        "{:?}",
        plan.findings
    );
    menus::written_once(&plan, &project);
    let served = serve(&site, &project).await;
    let mut wrong = Vec::new();
    for (path, words) in PAGES {
        let led_on = ASKED.iter().any(|(asked, _)| asked == path);
        if !led_on {
            wrong.extend(complaint(&served, path, &Says(words)).await);
        }
    }
    for (path, wanted) in ASKED {
        wrong.extend(complaint(&served, path, wanted).await);
    }
    wrong.extend(seo::complaints(&served).await);
    wrong.extend(menus::complaints(&served).await);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn complaint(served: &Served, path: &str, wanted: &Wanted) -> Option<String> {
    let answer = served.get(path).await;
    let says = |body: &str, words: &str| body.contains(&format!(">{words}<")) || body.ends_with(words);
    let right = match wanted {
        Says(words) => answer.status == 200 && says(&answer.body, words),
        Missing => answer.status == 404 && answer.body.contains("the site&#x27;s own words for it"),
        Leads(status, to, words) => {
            let location = answer.location.split_once("://").map_or(answer.location.clone(), |(_, rest)| {
                rest.find('/').map_or(String::new(), |at| rest[at..].to_owned())
            });
            let target = served.get(to.split('#').next().unwrap_or_default()).await;
            answer.status == *status && location == *to && target.status == 200 && says(&target.body, words)
        }
    };
    (!right).then(|| format!("{path}: {} {} {}", answer.status, answer.location, answer.body.len()))
}
