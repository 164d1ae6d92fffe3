//! The gate: whether a page of the project is the page of the site, and if not, why: two looks in, reasons out. It
//! touches nothing else but a clock, which ends the search for the words of a page that stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use similar::{ChangeTag, TextDiff};
use url::Url;

use super::{
    look::{Asked, Look},
    nodes, pixels,
    report::{ComparedPage, Elements, Reason, Traffic},
};
use crate::verify::difference;

/// The least share of visible elements that look the same.
const ALIKE: f64 = 0.99;
/// Longest time for finding out which words of a page stay.
const DIFFERENCE: Duration = Duration::from_secs(2);
/// The project's own bytes may be this many times the site's, and so many more: a page comes with its data, too, in which an
/// element of few letters takes twice as many as in HTML.
const TIMES: u64 = 4;
const MORE_BYTES: u64 = 256 * 1024;
/// The project may ask for so many things more, of its own: what stood in a page may have become a file.
const MORE_REQUESTS: u64 = 10;
/// So many characters of what a site says are repeated.
const SHORT: usize = 200;

/// A page that could not be shown on both sides.
pub(super) fn unmeasured(url: &str, why: &str) -> ComparedPage {
    let reason = Reason { code: "unmeasured".to_owned(), width: None, note: why.to_owned() };
    ComparedPage { url: url.to_owned(), reasons: vec![reason], ..ComparedPage::default() }
}

/// Holds the project's page against the site's; `address` is where the project has it.
pub(super) fn judge(url: &str, address: &Url, wanted: &Look, found: &Look) -> ComparedPage {
    let mut reasons = Reasons::default();
    reasons.answers(address, wanted, found);
    reasons.contents(wanted, found);
    let elements = reasons.elements(wanted, found);
    reasons.console(wanted, found);
    let spoken = |look: &Look| -> Vec<String> {
        look.spoken.iter().map(|(role, name)| format!("{role} \"{name}\"")).collect()
    };
    reasons.missing("accessibility", "for assistive technology", &spoken(wanted), &spoken(found));
    let (original, copy) = (traffic(&wanted.asked), traffic(&found.asked));
    reasons.traffic(wanted, found, original, copy);
    let reasons = reasons.0;
    let passed = reasons.is_empty();
    ComparedPage {
        url: url.to_owned(),
        passed,
        more_looks: 0,
        reasons,
        elements,
        original,
        copy,
        pictures: Vec::new(),
    }
}

#[derive(Default)]
struct Reasons(Vec<Reason>);

impl Reasons {
    fn add(&mut self, code: &str, width: Option<u32>, note: String) {
        self.0.push(Reason { code: code.to_owned(), width, note });
    }

    fn answers(&mut self, address: &Url, wanted: &Look, found: &Look) {
        let said = |status: Option<u16>| status.map_or("nothing".to_owned(), |status| status.to_string());
        if wanted.status != found.status {
            let note = format!("it answered {}, and answers {} now", said(wanted.status), said(found.status));
            self.add("status", None, note);
        }
        // Where the site's own scripts lead a visitor on, the project's do, too.
        if found.url != address.as_str() && found.url != wanted.url {
            self.add("address", None, format!("the browser ended at {}", short(&found.url)));
        }
    }

    fn contents(&mut self, wanted: &Look, found: &Look) {
        let (a, b) = (&wanted.facts, &found.facts);
        self.text(wanted, found);
        if a.cut || b.cut {
            self.add("unmeasured", None, "it has more words than are compared".to_owned());
        }
        for (code, what, a, b) in [
            ("images", "images", &a.images, &b.images),
            ("links", "links", &a.links, &b.links),
            ("frames", "frames", &a.frames, &b.frames),
            ("forms", "forms", &a.forms, &b.forms),
        ] {
            self.missing(code, what, a, b);
            self.added(code, what, a, b);
        }
        self.added("images", "images that are not shown", &a.broken, &b.broken);
        let pairs = |seo: &[(String, String)]| -> Vec<String> {
            seo.iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}: {value}"))
                .collect()
        };
        let (a, b) = (pairs(&a.seo), pairs(&b.seo));
        self.missing("seo", "for search engines", &a, &b);
        // The framework gives every page a viewport; what that changes shows in the elements. Linked data says no more if it is
        // said again: scripts that keep a head up to date look for it there alone.
        let is_no_more = |it: &String| {
            it.starts_with("meta viewport: ") || (it.starts_with("linked data: ") && a.contains(it))
        };
        let b: Vec<String> = b.into_iter().filter(|it| !is_no_more(it)).collect();
        self.added("seo", "for search engines", &a, &b);
    }

    /// What a page changes by itself, a clock or a count, is held against nobody: only what stays, or what comes of it.
    fn text(&mut self, wanted: &Look, found: &Look) {
        let (a, b) = (&wanted.facts.words, &found.facts.words);
        let a_last = wanted.last_words.as_ref().unwrap_or(a);
        let b_last = found.last_words.as_ref().unwrap_or(b);
        if a == b || a_last == b_last {
            return;
        }
        match (lasting(a, a_last), lasting(b, b_last)) {
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => self.add("text", None, difference(&a, &b)),
            _ => self.add("unmeasured", None, "its text changes too much to be compared".to_owned()),
        }
    }

    fn elements(&mut self, wanted: &Look, found: &Look) -> Vec<Elements> {
        let mut all = Vec::new();
        let mut modes = wanted.boxes.iter().zip(&found.boxes).map(|(a, b)| (a.mode, b.mode));
        if let Some((a, b)) = modes.find(|(a, b)| a != b) {
            self.add("doctype", None, format!("browsers laid it out {a}, and do so {b} now"));
        }
        for (a, b) in wanted.boxes.iter().zip(&found.boxes) {
            let (mut elements, example) = nodes::compare(a, b);
            let pictures = wanted.pictures.get(&a.width).zip(found.pictures.get(&a.width));
            elements.pixels = pictures.and_then(|(a, b)| pixels::compare(a, b));
            if elements.share < ALIKE {
                let example = example.unwrap_or_else(|| "there are more elements now".to_owned());
                let note = format!(
                    "{:.2} % of its elements look the same; {}",
                    elements.share * 100.0,
                    short(&example)
                );
                self.add("elements", Some(a.width), note);
            }
            all.push(elements);
        }
        all
    }

    fn console(&mut self, wanted: &Look, found: &Look) {
        let new = beyond(&found.console, &wanted.console);
        let (hydration, other): (Vec<&String>, Vec<&String>) =
            new.into_iter().partition(|line| line.contains("ydrat") || line.contains("Minified React error"));
        for (code, lines) in [("hydration", hydration), ("console", other)] {
            if let Some(first) = lines.first() {
                self.add(
                    code,
                    None,
                    format!("{} new errors in the console, first: {}", lines.len(), short(first)),
                );
            }
        }
    }

    fn traffic(&mut self, wanted: &Look, found: &Look, original: Traffic, copy: Traffic) {
        // Each once: how often the browser asks again for what did not come is its own affair.
        let failed = |asked: &[Asked]| -> Vec<String> {
            let failed = asked.iter().filter(|it| it.status == 0 || it.status >= 400);
            failed.map(|it| it.url.clone()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        self.added("requests", "requests that fail", &failed(&wanted.asked), &failed(&found.asked));
        let own = |asked: &[Asked]| asked.iter().filter(|it| !framework(&it.url)).count() as u64;
        let (before, after) = (own(&wanted.asked), own(&found.asked));
        if after > before + MORE_REQUESTS {
            self.add("requests", None, format!("it asked for {before} things, and asks for {after} now"));
        }
        if copy.own_bytes > original.own_bytes.saturating_mul(TIMES) + MORE_BYTES {
            let note = format!(
                "it took {} bytes of the site's own, and takes {} now",
                original.own_bytes, copy.own_bytes
            );
            self.add("bytes", None, note);
        }
    }

    fn missing(&mut self, code: &str, what: &str, wanted: &[String], found: &[String]) {
        let gone = beyond(wanted, found);
        if let Some(first) = gone.first() {
            let note =
                format!("{} of {} {what} are missing, first: {}", gone.len(), wanted.len(), short(first));
            self.add(code, None, note);
        }
    }

    fn added(&mut self, code: &str, what: &str, wanted: &[String], found: &[String]) {
        let new = beyond(found, wanted);
        if let Some(first) = new.first() {
            self.add(code, None, format!("{} {what} are new, first: {}", new.len(), short(first)));
        }
    }
}

/// Stands for words that a page changed by itself. No word of a page has white space.
const CHANGED: &str = "(what changes)";

/// The words that are in both, in their order, with a mark wherever others stood; nothing if that took too long to find out.
fn lasting(first: &[String], last: &[String]) -> Option<Vec<String>> {
    if first == last {
        return Some(first.to_vec());
    }
    let began = Instant::now();
    let (first, last) = (texts(first), texts(last));
    let diff = TextDiff::configure().timeout(DIFFERENCE).diff_slices(&first, &last);
    let mut lasting: Vec<String> = Vec::new();
    for change in diff.iter_all_changes() {
        if change.tag() == ChangeTag::Equal {
            lasting.push(change.value().to_owned());
        } else if lasting.last().is_none_or(|word| word != CHANGED) {
            lasting.push(CHANGED.to_owned());
        }
    }
    (began.elapsed() < DIFFERENCE).then_some(lasting)
}

fn texts(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// What is in the first list more often than in the second.
fn beyond<'a>(these: &'a [String], those: &[String]) -> Vec<&'a String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for one in those {
        *left.entry(one).or_default() += 1;
    }
    let more = these.iter().filter(|one| match left.get_mut(one.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    more.collect()
}

fn traffic(asked: &[Asked]) -> Traffic {
    let sum = |of: &dyn Fn(&Asked) -> bool| asked.iter().filter(|it| of(it)).map(|it| it.bytes).sum();
    Traffic { requests: asked.len() as u64, bytes: sum(&|_| true), own_bytes: sum(&|it| !framework(&it.url)) }
}

/// Is it the framework's own, or fetched ahead by it?
fn framework(url: &str) -> bool {
    url.contains("/_next/") || url.contains("?_rsc=") || url.contains("&_rsc=")
}

fn short(text: &str) -> String {
    text.chars().take(SHORT).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::look::{Boxes, Mode},
        *,
    };

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn page() -> Look {
        let mut look = Look { status: Some(200), url: "http://a.example/x".into(), ..Look::default() };
        look.facts.words = words("all that it says");
        look.facts.links = words("http://a.example/1 http://a.example/1 http://a.example/2");
        let seo = [("title", "X"), ("meta robots", "noindex"), ("linked data", "{}")];
        look.facts.seo = seo.map(|(name, said)| (name.to_owned(), said.to_owned())).to_vec();
        look.console = words("an-old-error");
        look.spoken = vec![("link".into(), "One".into())];
        look.asked = vec![Asked { url: "http://a.example/x".into(), status: 200, bytes: 1000 }];
        look.boxes = vec![Boxes::default()];
        look
    }

    /// The codes of the reasons once the copy was changed.
    fn codes(change: impl FnOnce(&mut Look)) -> Vec<String> {
        let (wanted, mut found) = (page(), page());
        change(&mut found);
        let address = Url::parse("http://a.example/x").expect("a URL");
        let judged = judge("http://a.example/x", &address, &wanted, &found);
        assert_eq!(judged.passed, judged.reasons.is_empty());
        judged.reasons.into_iter().map(|reason| reason.code).collect()
    }

    #[test]
    fn the_same_passes_and_every_difference_has_its_own_word() {
        assert_eq!(codes(|_| {}), [""; 0]);
        assert_eq!(codes(|it| it.status = Some(404)), ["status"]);
        assert_eq!(codes(|it| it.url = "http://a.example/y".into()), ["address"]);
        assert_eq!(codes(|it| it.facts.words = words("all it says that")), ["text"]);
        assert_eq!(
            codes(|it| {
                it.facts.links.pop();
            }),
            ["links"]
        );
        assert_eq!(codes(|it| it.facts.links[0] = "http://a.example/3".into()), ["links", "links"]);
        assert_eq!(codes(|it| it.facts.frames = words("http://b.example/")), ["frames"]);
        assert_eq!(codes(|it| it.boxes[0].mode = Mode::Quirks), ["doctype"]);
        assert_eq!(codes(|it| it.facts.broken = words("http://a.example/i.png")), ["images"]);
        assert_eq!(codes(|it| it.facts.seo[1].1 = "index".into()), ["seo", "seo"]);
        assert_eq!(codes(|it| it.facts.seo.push(("meta viewport".into(), "w".into()))), [""; 0]);
        assert_eq!(codes(|it| it.facts.seo.push(("linked data".into(), "{}".into()))), [""; 0], "said twice");
        assert_eq!(codes(|it| it.facts.seo.push(("linked data".into(), "{\"a\":1}".into()))), ["seo"]);
        assert_eq!(codes(|it| it.console.push("Minified React error #418".into())), ["hydration"]);
        assert_eq!(codes(|it| it.console.push("TypeError: x".into())), ["console"]);
        assert_eq!(codes(|it| it.console.clear()), [""; 0], "fewer errors are no reason");
        assert_eq!(codes(|it| it.spoken.clear()), ["accessibility"]);
        assert_eq!(codes(|it| it.spoken.push(("button".into(), "More".into()))), [""; 0]);
    }

    #[test]
    fn what_a_page_changes_by_itself_is_held_against_nobody() {
        let looked_at = |first: &str, last: &str| {
            let mut look = page();
            (look.facts.words, look.last_words) = (words(first), Some(words(last)));
            look
        };
        let address = Url::parse("http://a.example/x").expect("a URL");
        let passes = |a: &Look, b: &Look| judge("http://a.example/x", &address, a, b).passed;
        let clock = looked_at("it is 10:01 now", "it is 10:03 now");
        assert!(passes(&clock, &looked_at("it is 10:07 now", "it is 10:09 now")));
        assert!(!passes(&clock, &looked_at("it was 10:07 now", "it was 10:09 now")));
        let count = looked_at("5 of 9", "9 of 9");
        assert!(passes(&count, &looked_at("7 of 9", "9 of 9")), "it got there on both sides");
        assert!(!passes(&clock, &looked_at("it is always now", "it is always now")));
        assert!(!passes(&clock, &looked_at("it is now", "it is now")), "the clock is lost");
    }

    #[test]
    fn what_the_framework_takes_is_told_and_not_held_against_it() {
        let asked = |url: &str, status, bytes| Asked { url: url.to_owned(), status, bytes };
        let framework = "http://a.example/_next/static/chunks/main.js";
        assert_eq!(codes(|it| it.asked.push(asked(framework, 200, 9_000_000))), [""; 0]);
        assert_eq!(codes(|it| it.asked.push(asked("http://a.example/big.js", 200, 9_000_000))), ["bytes"]);
        assert_eq!(codes(|it| it.asked.push(asked(framework, 404, 0))), ["requests"]);
        let (mut once, address) = (page(), Url::parse("http://a.example/x").expect("a URL"));
        once.asked.push(asked("http://cdn.example/i.png", 0, 0));
        let mut twice = once.clone();
        twice.asked.push(asked("http://cdn.example/i.png", 0, 0));
        let judged = judge("http://a.example/x", &address, &once, &twice);
        assert!(judged.passed, "it failed before, too: {:?}", judged.reasons);
        let many =
            |it: &mut Look| it.asked.extend((0..11).map(|n| asked(&format!("http://a.example/{n}"), 200, 1)));
        assert_eq!(codes(many), ["requests"]);
    }
}
