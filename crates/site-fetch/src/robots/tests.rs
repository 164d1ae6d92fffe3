//! The standard's own examples and the corners of it.

use std::time::Duration;

use url::Url;

use super::Robots;

fn allowed(file: &str, path: &str) -> bool {
    let url = Url::parse("https://example.com").and_then(|base| base.join(path)).expect("a path");
    Robots::parse(file.as_bytes(), "Resettle/0.1 (+x)").allows(&url)
}

#[test]
fn the_longest_rule_decides_and_allow_wins_a_tie() {
    let file = "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b/c\nAllow: /tie\nDisallow: /tie\n";
    assert!(!allowed(file, "/a"));
    assert!(!allowed(file, "/abc"));
    assert!(allowed(file, "/a/b/x"));
    assert!(!allowed(file, "/a/b/c/d"));
    assert!(allowed(file, "/tie"));
    assert!(allowed(file, "/"));
}

#[test]
fn stars_and_end_marks() {
    let file = "user-agent: *\ndisallow: *.gif$\ndisallow: /p*/x\ndisallow: /q$\ndisallow: /*?session=\nallow: /p1/x/ok\n";
    assert!(!allowed(file, "/img/a.gif"));
    assert!(allowed(file, "/img/a.gif?x"));
    assert!(!allowed(file, "/photos/x"));
    assert!(!allowed(file, "/p/x/y"));
    assert!(allowed(file, "/p1/x/ok"));
    assert!(!allowed(file, "/q"));
    assert!(allowed(file, "/q/"));
    assert!(!allowed(file, "/list?session=1"));
    assert!(allowed(file, "/list?page=1"));
}

#[test]
fn groups_are_chosen_by_name_and_merged() {
    let file = "User-agent: *\nDisallow: /\n\nUser-Agent: other\nUser-agent: RESETTLE\nDisallow: /one\n\nuser-agent: resettle/2.0\nDisallow: /two\n";
    assert!(allowed(file, "/"));
    assert!(!allowed(file, "/one"));
    assert!(!allowed(file, "/two"));
    let other = "User-agent: resettlement\nDisallow: /\n";
    assert!(allowed(other, "/x"));
}

#[test]
fn rules_after_a_sitemap_or_blank_lines_stay_in_their_group() {
    let file = "\u{feff}User-agent: *\r\nSitemap: https://example.com/s.xml\r\n\r\nDisallow: /x # why\r\nCrawl-delay: 1.5\r\n";
    assert!(!allowed(file, "/x"));
    let robots = Robots::parse(file.as_bytes(), "Resettle");
    assert_eq!(robots.sitemaps, ["https://example.com/s.xml"]);
    assert_eq!(robots.crawl_delay, Some(Duration::from_millis(1500)));
}

#[test]
fn both_sides_are_compared_in_one_spelling() {
    let file = "User-agent: *\nDisallow: /b%61r\nDisallow: /caf\u{e9}\nDisallow: /x%2fy\nDisallow: /~tilde\n";
    assert!(!allowed(file, "/bar"));
    assert!(!allowed(file, "/caf%c3%a9"));
    assert!(!allowed(file, "/caf\u{e9}/menu"));
    assert!(!allowed(file, "/x%2Fy"));
    assert!(allowed(file, "/x/y"));
    assert!(!allowed(file, "/%7Etilde"));
}

#[test]
fn nothing_forbidden_by_empty_or_broken_lines() {
    assert!(allowed("User-agent: *\nDisallow:\n", "/x"));
    assert!(allowed("Disallow: /\n", "/x"));
    assert!(allowed("<html>not robots: at all</html>", "/x"));
    assert!(allowed("User-agent: *\nDisallow: /\n", "/robots.txt"));
    assert!(allowed("", "/x"));
}

#[test]
fn many_stars_stay_cheap() {
    let pattern = "/*a".repeat(2000);
    let file = format!("User-agent: *\nDisallow: {pattern}$\n");
    let path = format!("/{}", "a/".repeat(20_000));
    assert!(allowed(&file, &path));
}
