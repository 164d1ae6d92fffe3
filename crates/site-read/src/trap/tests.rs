//! What is followed and what is not.

use url::Url;

use super::{Answer, Families, Trap, Verdict, is_growing};

fn url(path: &str) -> Url {
    Url::parse("http://ex.com").and_then(|base| base.join(path)).expect("a path")
}

/// Asks for addresses one after the other: how many until one is left out, and why.
fn ask(
    paths: impl Iterator<Item = String>,
    says: impl Fn(usize) -> u64,
    cap: usize,
) -> (usize, Option<Trap>) {
    let mut families = Families::default();
    let mut asked = 0;
    for path in paths {
        match families.judge(&url(&path), cap).expect("judged") {
            Verdict::Ask => families.settle(&url(&path), Answer::says(&says(asked))).expect("settled"),
            Verdict::Wait => panic!("nothing is under way"),
            Verdict::Leave(trap) => return (asked, Some(trap)),
        }
        asked += 1;
    }
    (asked, None)
}

#[test]
fn paths_that_repeat_are_growing() {
    assert!(is_growing(&url("/a/b/a/b/a/b/a/")));
    assert!(is_growing(&url(&"/x1/y".repeat(25))));
    assert!(is_growing(&url(&format!("/{}", "a".repeat(3000)))));
    assert!(!is_growing(&url("/2026/11/11/11.html")));
    assert!(!is_growing(&url("/a//b///c/")));
}

#[test]
fn a_family_that_repeats_itself_is_left() {
    let months = (0..1000).map(|n| format!("/calendar?month={n}"));
    assert_eq!(ask(months, |_| 1, 50), (13, Some(Trap::Calendar)));
    let pages = (0..1000).map(|n| format!("/blog?page={n}"));
    // Thirty pages of a list, then the same for ever.
    assert_eq!(ask(pages, |n| n.min(30) as u64, 50), (46, Some(Trap::Pagination)));
    let sessions = (0..1000).map(|n| format!("/s/{n}a{n}f/"));
    assert_eq!(ask(sessions, |_| 1, 50), (51, Some(Trap::Alike)));
}

#[test]
fn a_family_that_says_new_things_is_followed_to_its_end() {
    let pages = (0..5000).map(|n| format!("/index.php?id={n}"));
    assert_eq!(ask(pages, |n| n as u64, 50), (5000, None));
    let news = (0..5000).map(|n| format!("/news/{n}"));
    assert_eq!(ask(news, |n| n as u64 * 3 / 4, 50), (5000, None), "some repetition is natural");
}

#[test]
fn tables_may_differ_in_numbers_alone_and_months_may_not() {
    for (path, trap) in [("/table", None), ("/calendar", Some(Trap::Calendar))] {
        let mut families = Families::default();
        let left = (0..500).find_map(|n| {
            let url = url(&format!("{path}/{n}"));
            match families.judge(&url, 50).expect("judged") {
                Verdict::Leave(trap) => Some(trap),
                _ => {
                    families.settle(&url, Answer::page(&n, Some(7))).expect("settled");
                    None
                }
            }
        });
        assert_eq!(left, trap, "{path}");
    }
}

#[test]
fn combined_filters_are_left_although_each_page_is_new() {
    let alone = ["/shop?color=red", "/shop?size=m"].map(str::to_owned).into_iter();
    let both = (0..1000).map(|n| format!("/shop?color={n}&size={n}"));
    assert_eq!(ask(alone.chain(both), |n| n as u64, 50), (52, Some(Trap::Facets)));
    let sorted = (0..1000).map(|n| format!("/shop?id={n}&sort=price"));
    assert_eq!(ask(sorted, |n| n as u64, 50), (50, Some(Trap::Facets)));
    let plain = (0..1000).map(|n| format!("/index.php?section=news&id={n}"));
    assert_eq!(ask(plain, |n| n as u64, 50), (1000, None));
}

#[test]
fn more_than_may_be_alike_are_never_under_way() {
    let mut families = Families::default();
    for n in 0..5 {
        assert_eq!(families.judge(&url(&format!("/a/{n}")), 5).expect("judged"), Verdict::Ask);
    }
    assert_eq!(families.judge(&url("/a/5"), 5).expect("judged"), Verdict::Wait);
    families.settle(&url("/a/0"), Answer::says(&0)).expect("settled");
    assert_eq!(families.judge(&url("/a/5"), 5).expect("judged"), Verdict::Ask);
    families.settle(&url("/a/1"), Answer::Nothing).expect("settled");
    assert_eq!(families.judge(&url("/a/6"), 5).expect("judged"), Verdict::Ask, "a dead link is no likeness");
    assert_eq!(families.judge(&url("/b/6"), 5).expect("judged"), Verdict::Ask, "another family");
    assert_eq!(families.judge(&url("/plain"), 0).expect("judged"), Verdict::Ask);
}
