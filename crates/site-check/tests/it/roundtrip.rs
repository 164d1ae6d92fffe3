//! HTML becomes TSX, React renders that to HTML, and the parser finds the tree in it that it found in the original.

use crate::{
    generated, outline, react,
    server::written,
    snapshot::{ORIGIN, Site},
};
use proptest::{collection::vec, prelude::*};
use site_write::Contents;
use url::Url;

/// Every page that differs, and how.
pub(crate) fn differences(pages: &[(String, String)]) -> Vec<String> {
    let site = Site::new().asset("/a.png", "image/png", "a picture of unknown size");
    let site = pages.iter().fold(site, |site, (path, html)| site.page(path, html));
    let (plan, project) = written(&site);
    let rendered = react::render(&project);
    let hoisted = match project.files.get("public/_assets/inline-styles.css") {
        Some(Contents::Text(sheet)) => sheet,
        _ => "",
    };
    let mut found = Vec::new();
    for (path, html) in pages {
        let url = Url::parse(ORIGIN).and_then(|origin| origin.join(path)).expect("a URL");
        let route = plan.route(url.as_str()).unwrap_or_else(|| panic!("{path} has a route"));
        let page = &rendered[&route.file];
        for complaint in &page.complaints {
            found.push(format!("{path}: React says: {complaint}\n{html}"));
        }
        let (before, after) = (outline::of(html, &url, ""), outline::of(&page.html, &url, hoisted));
        if let Some(difference) = outline::difference(&before, &after) {
            found.push(format!("{path} differs\n{difference}\n"));
        }
    }
    found
}

fn numbered(pages: &[String]) -> Vec<(String, String)> {
    pages.iter().enumerate().map(|(at, html)| (format!("/page-{at}.html"), html.clone())).collect()
}

/// So many in the suite; as many as `PROPTEST_CASES` says for who has the time.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|told| told.parse().ok()).unwrap_or(12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn react_renders_the_tree_that_was_converted(pages in vec(generated::page(), 1..24)) {
        let differences = differences(&numbered(&pages));
        prop_assert!(differences.is_empty(), "{}", differences[0]);
    }
}
