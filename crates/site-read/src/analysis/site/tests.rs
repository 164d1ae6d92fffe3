//! What the pages of a site tell together.

use url::Url;

use super::*;
use crate::ContentHash;
use crate::analysis::page::{Direction, PageInput, PartRole, analyse};
use crate::snapshot::Page;

const HOME: &str = "https://example.org/";

fn url(address: &str) -> Url {
    Url::parse(address).expect("an address")
}

fn fold(pages: &[(&str, String)]) -> SiteFold {
    let mut fold = SiteFold::new();
    for (path, html) in pages {
        let url = url(HOME).join(path).expect("a path");
        let headers = [("server".to_owned(), "nginx/1.22".to_owned())];
        let input = PageInput { url: &url, status: 200, headers: &headers };
        let page = analyse(&crate::markup::parse(html).expect("a tree"), &input);
        fold.page(url.as_str(), &page).expect("taken");
    }
    fold
}

fn finish(fold: SiteFold, snapshot: &Snapshot) -> SiteAnalysis {
    fold.finish(&SiteInput { head: snapshot, bounds: SizeBounds::default() }).expect("told")
}

fn site(pages: &[(&str, String)]) -> SiteAnalysis {
    finish(fold(pages), &Snapshot::empty(url(HOME), url(HOME)))
}

/// A text of its own for each number.
fn text(number: usize, words: usize) -> String {
    (0..words).map(|word| format!("w{} ", (word * 31 + number * 977) % 4_001)).collect()
}

#[test]
fn pages_are_counted_by_kind_and_template() {
    let page = |number| format!("<title>t</title><div class=x><p>{}</p></div>", text(number, 200));
    let mut pages: Vec<(String, String)> = (0..6).map(|n| (format!("/p{n}"), page(n))).collect();
    pages.push(("/".into(), format!("<title>Front</title><nav><a href=/p0>P</a></nav>{}", text(9, 200))));
    let pages: Vec<(&str, String)> = pages.iter().map(|(path, html)| (path.as_str(), html.clone())).collect();
    let site = site(&pages);
    assert_eq!((site.pages.total, site.pages.templates), (7, 2));
    assert_eq!((site.pages.by_kind[&PageKind::Document], site.pages.by_kind[&PageKind::Home]), (6, 1));
    assert_eq!(site.size_class, SizeClass::Medium);
    assert_eq!(site.ai_seconds, 60 + 2 * 12);
    assert_eq!(site.title.as_deref(), Some("Front"));
    assert_eq!(site.navigation, [NavigationItem { text: "P".into(), url: "https://example.org/p0".into() }]);
    assert!(site.technologies.iter().any(|technology| technology.name == "nginx" && technology.pages == 7));
    let no_viewport =
        site.problems.iter().find(|problem| problem.code == "no-viewport").expect("none has one");
    assert_eq!((no_viewport.places, no_viewport.examples.len()), (7, EXAMPLES));
    assert!(
        site.problems.is_sorted_by_key(|problem| std::cmp::Reverse(problem.severity)),
        "the gravest first"
    );
}

#[test]
fn equal_and_nearly_equal_texts_are_grouped() {
    let words = text(1, 300);
    let edited = words.replacen('w', "other", 1);
    let pages = [
        ("/a", format!("<p>{words}")),
        ("/b", format!("<div>{words}</div>")),
        ("/c", format!("<p>{edited}")),
        ("/d", format!("<p>{}", text(2, 300))),
        ("/e", "<p>short".into()),
        ("/f", "<p>brief".into()),
    ];
    let found = site(&pages).duplicates;
    let of =
        |paths: &[&str]| paths.iter().map(|path| format!("https://example.org{path}")).collect::<Vec<_>>();
    assert_eq!(found.exact, [Group { pages: 2, examples: of(&["/a", "/b"]) }]);
    assert_eq!(found.near, [Group { pages: 2, examples: of(&["/a", "/c"]) }]);
}

#[test]
fn parts_that_pages_share_are_told_with_their_variants() {
    let page = |here: &str, body: &str| {
        format!(
            "<header><b>Site</b></header><nav><a class='{here}' href=/a>A</a><a href=/b>B</a></nav>{body}<footer>f</footer>"
        )
    };
    let pages = [
        ("/a", page("active", "<p>1")),
        ("/b", page("", "<p>2")),
        ("/c", page("", "<p>3<p>4")),
        ("/d", "<p>alone".into()),
    ];
    let parts = site(&pages).shared_parts;
    let of = |role| parts.iter().find(|part| part.role == role).expect("it is shared");
    assert_eq!((of(PartRole::Header).pages, of(PartRole::Header).coverage), (3, 75));
    assert_eq!(of(PartRole::Navigation).variants, 1);
    assert_eq!(of(PartRole::Footer).variants, 1);
    assert_eq!(parts.len(), 3);
}

#[test]
fn languages_are_told_with_their_pairs() {
    let page = |language: &str, to: &str, html: &str| {
        let versions: String = to
            .split_whitespace()
            .map(|to| format!("<link rel=alternate hreflang=x href='/{to}/a'>"))
            .collect();
        format!("<html lang={language} {html}>{versions}<p>{}", text(language.len(), 30))
    };
    let pages = [
        ("/ar/a", page("ar", "de en", "dir=rtl")),
        ("/de/a", page("de", "ar", "")),
        ("/en/a", page("en-GB", "", "")),
        ("/en/b", page("en-GB", "", "")),
    ];
    let locales = site(&pages).locales;
    let told: Vec<_> =
        locales.languages.iter().map(|l| (&*l.language, l.pages, l.prefix.as_deref())).collect();
    assert_eq!(told, [("ar", 1, Some("/ar/")), ("de", 1, Some("/de/")), ("en-gb", 2, Some("/en/"))]);
    assert_eq!(locales.languages[0].direction, Some(Direction::Rtl));
    assert_eq!((locales.paired_pages, locales.one_way), (2, 1), "the English page names nobody back");
    assert_eq!(locales.one_way_examples, ["https://example.org/en/a"]);
}

#[test]
fn the_crawls_own_findings_are_problems_too() {
    let mut snapshot = Snapshot::empty(url(HOME), url(HOME));
    let finding = |code: &str, path: &str| Finding {
        code: code.into(),
        url: format!("https://example.org{path}"),
        note: "n".into(),
    };
    snapshot.findings =
        vec![finding("broken-page", "/x"), finding("soft-404", "/y"), finding("redirect-loop", "/z")];
    let redirect = |status, steps| Redirect { from: "a".into(), to: "b".into(), status, steps };
    snapshot.redirects = vec![redirect(301, 1), redirect(302, 3), redirect(308, 2)];
    let hash = ContentHash::of(b"");
    snapshot.not_found = Some(Page {
        status: 200,
        content_type: "text/html".into(),
        charset: "UTF-8".into(),
        title: String::new(),
        body: hash.clone(),
        html: hash,
        depth: 0,
        rendered: None,
    });
    let site = finish(fold(&[("/", "<p>x".into())]), &snapshot);
    assert_eq!(site.problems[0].severity, Severity::Error);
    let codes: Vec<_> = site.problems.iter().map(|problem| &*problem.code).collect();
    assert!(
        ["broken-page", "redirect-loop", "soft-404"].iter().all(|code| codes.contains(code)),
        "{codes:?}"
    );
    let redirects = Redirects {
        total: 3,
        permanent: 2,
        chains: 2,
        longest: 3,
        loops: vec!["https://example.org/z".into()],
    };
    assert_eq!(site.redirects, redirects);
    assert_eq!((site.soft_404s.probe_status, site.soft_404s.pages), (Some(200), 1));
}
