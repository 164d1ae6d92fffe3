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

/// The tables of RFC 9309, sections 2.2.2 and 2.2.3: a rule's path, and an address's.
#[test]
fn the_standards_own_examples() {
    for (rule, path) in [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"),
        ("/foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/\u{30c4}", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/\u{30c4}"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/foo-%24", "/path/foo-$"),
        ("/path/foo-%24$", "/path/foo-%24"),
    ] {
        let file = format!("User-agent: *\nDisallow: {rule}\n");
        assert!(!allowed(&file, path), "{rule} {path}");
    }
    // What differs stays different.
    for (rule, path) in [("/a%2Fb", "/a/b"), ("/a/b", "/a%2Fb"), ("/x%24", "/x"), ("/x%2A", "/xyz")] {
        let file = format!("User-agent: *\nDisallow: {rule}\n");
        assert!(allowed(&file, path), "{rule} {path}");
    }
    // Section 5.1 and 5.2: groups, and the longest match.
    let simple = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
        User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\n\
        User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\nUser-Agent: quxbot\n";
    for (agent, path, may) in [
        ("somebot", "/publications/x", true),
        ("somebot", "/example/page.html", false),
        ("somebot", "/x.gif", false),
        ("somebot", "/x.gif?y", true),
        ("foobot", "/", false),
        ("foobot", "/example/page.html", true),
        ("foobot", "/example/allowed.gif", true),
        ("barbot", "/example/page.html", false),
        ("bazbot", "/example/page.html", false),
        ("bazbot", "/x.gif", true),
        ("quxbot", "/example/x", true),
    ] {
        assert_eq!(as_bot(simple, agent, path), may, "{agent} {path}");
    }
    let longest = "User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n";
    assert!(as_bot(longest, "foobot", "/example/page/"));
    assert!(!as_bot(longest, "foobot", "/example/page/disallowed.gif"));
}

fn as_bot(file: &str, agent: &str, path: &str) -> bool {
    let url = Url::parse("https://foo.bar").and_then(|base| base.join(path)).expect("a path");
    Robots::parse(file.as_bytes(), agent).allows(&url)
}

/// What the tests of Google's parser say about names, lines and groups.
#[test]
fn names_lines_and_groups_as_the_big_crawlers_read_them() {
    for (file, agent, path, may) in [
        ("user-agent: FooBot\ndisallow: /\n", "FooBot", "/x/y", false),
        ("foo: FooBot\nbar: /\n", "FooBot", "/x/y", true),
        ("user-agent FooBot\ndisallow /\n", "FooBot", "/x/y", false),
        ("user-agent: FooBot\ndisallow: /\n", "foobot", "/x", false),
        ("USER-AGENT: FOOBOT\nALLOW: /x/\nDISALLOW: /\n", "foobot", "/x/y", true),
        ("user-agent: FooBot\ndisallow: /\n", "FooBot/2.1 (+http://x)", "/x", false),
        ("user-agent: FooBot/1.0 whatever\ndisallow: /\n", "FooBot", "/x", false),
        ("user-agent: FooBot-Images\ndisallow: /\n", "FooBot", "/x", true),
        ("user-agent: *\ndisallow: /\n\nuser-agent: FooBot\nallow: /\n", "FooBot", "/x", true),
        ("user-agent: * baz\ndisallow: /\n", "FooBot", "/x", false),
        ("user-agent: *baz\ndisallow: /\n", "FooBot", "/x", true),
        ("disallow: /\nuser-agent: FooBot\nallow: /\n", "FooBot", "/x", true),
        ("user-agent: a\n\n\nuser-agent: FooBot\n\ndisallow: /\n", "a", "/x", false),
        ("user-agent: a\nsitemap: /s\nuser-agent: FooBot\ndisallow: /\n", "a", "/x", false),
        ("user-agent: a\ncrawl-delay: 1\nuser-agent: FooBot\ndisallow: /\n", "a", "/x", false),
        ("user-agent: a\ndisallow: /\nuser-agent: FooBot\ndisallow: /y\n", "FooBot", "/x", true),
        (
            "user-agent: FooBot\ndisallow: /a\nuser-agent: b\ndisallow: /b\nuser-agent: FooBot\ndisallow: /c\n",
            "FooBot",
            "/c",
            false,
        ),
        ("user-agent: FooBot\r\ndisallow: /\r\n", "FooBot", "/x", false),
        ("user-agent: FooBot\rdisallow: /\r", "FooBot", "/x", false),
        ("\u{feff}user-agent: FooBot\ndisallow: /\n", "FooBot", "/x", false),
        ("\u{fffd}user-agent: FooBot\ndisallow: /\n", "FooBot", "/x", false),
        ("user-agent: FooBot\ndissallow: /\n", "FooBot", "/x", false),
        ("useragent: FooBot\ndisallow: /\n", "FooBot", "/x", false),
        ("user-agent: FooBot\ndisallow: / # all\n", "FooBot", "/x", false),
        ("user-agent: FooBot\ndisallow:\nallow: /y\n", "FooBot", "/x", true),
        ("user-agent: FooBot\ndisallow: /x/page.html\nallow: /x/\n", "FooBot", "/x/page.html", false),
        ("user-agent: FooBot\ndisallow: /x/\nallow: /x/page.html\n", "FooBot", "/x/page.html", true),
        ("user-agent: FooBot\ndisallow: /x/page.html\nallow: /x/page.html\n", "FooBot", "/x/page.html", true),
        ("user-agent: FooBot\nallow: /page\ndisallow: /*.html\n", "FooBot", "/page.html", false),
        ("user-agent: FooBot\nallow: /x/page.\ndisallow: /*.html\n", "FooBot", "/x/page.html", true),
        ("user-agent: *\ndisallow: /x\nuser-agent: FooBot\n", "FooBot", "/x", true),
        ("user-agent: FooBot\ndisallow: /X/\n", "FooBot", "/x/y", true),
    ] {
        assert_eq!(as_bot(file, agent, path), may, "{agent} {path} in {file:?}");
    }
}

/// The patterns of Google's documentation.
#[test]
fn fish_and_other_patterns() {
    for (rule, matching, others) in [
        (
            "/fish",
            "/fish /fish.html /fish/salmon.html /fishheads /fishheads/yummy.html /fish.php?id=a",
            "/Fish.asp /catfish /?id=fish /desert/fish",
        ),
        ("/fish*", "/fish /fish.html /fishheads/yummy.html /fish.php?id=a", "/Fish.bar /catfish /?id=fish"),
        (
            "/fish/",
            "/fish/ /fish/salmon /fish/?salmon /fish/salmon.html",
            "/fish /fish.html /animals/fish/ /Fish/Salmon.asp",
        ),
        (
            "/*.php",
            "/filename.php /folder/filename.php?parameters /folder/any.php.file.html /filename.php/ /index?f=x.php/",
            "/ /windows.PHP",
        ),
        (
            "/*.php$",
            "/filename.php /folder/filename.php",
            "/filename.php?parameters /filename.php/ /filename.php5 /php/ /filename?php",
        ),
        ("/fish*.php", "/fish.php /fishheads/catfish.php?parameters", "/Fish.PHP"),
        ("/$", "/", "/x /?x"),
        ("*", "/ /x", ""),
        ("/x/*$", "/x/ /x/y", "/x"),
    ] {
        let file = format!("User-agent: *\nDisallow: {rule}\n");
        for path in matching.split_whitespace() {
            assert!(!allowed(&file, path), "{rule} {path}");
        }
        for path in others.split_whitespace() {
            assert!(allowed(&file, path), "{rule} {path}");
        }
    }
}
