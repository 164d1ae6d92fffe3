//! What must hold for any page whatever, asked twice: by tests beside the code, and by the fuzz target `tsx` in `tests/fuzz`.
//! Not part of the crate otherwise. Panics where a promise is broken.

use std::{collections::BTreeMap, num::NonZeroUsize};

use bytes::Bytes;
use oxc::{allocator::Allocator, parser::Parser, span::SourceType};
use site_read::{ContentHash, Page, Snapshot};
use url::Url;

use crate::{Contents, Project, plan, transform_on};

/// So many threads write the same bytes as one.
const THREADS: [usize; 2] = [1, 3];

/// Any HTML gives a project whose every file parses, and the same one each time.
pub fn html(text: &str) {
    let (snapshot, bodies) = site(text);
    let plan = plan(&snapshot, &bodies).expect("a site of two pages has a plan");
    let written = THREADS.map(|threads| {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        transform_on(threads, &plan, &snapshot, &bodies).expect("a plan of ours is a project")
    });
    assert_eq!(written[0], written[1], "two runs write the same");
    parses(&written[0], text);
}

/// A site whose two pages are this text: one of them alone has nothing in common with others.
fn site(text: &str) -> (Snapshot, BTreeMap<ContentHash, Bytes>) {
    let body = Bytes::copy_from_slice(text.as_bytes());
    let hash = ContentHash::of(&body);
    let home = Url::parse("https://example.com/").expect("a URL");
    let mut snapshot = Snapshot::empty(home.clone(), home);
    for url in ["https://example.com/", "https://example.com/other.html"] {
        let page = Page {
            status: 200,
            content_type: "text/html".into(),
            charset: "utf-8".into(),
            title: String::new(),
            html: hash.clone(),
            body: hash.clone(),
            depth: 0,
            rendered: None,
        };
        snapshot.pages.insert(url.into(), page);
    }
    (snapshot, BTreeMap::from([(hash, body)]))
}

fn parses(project: &Project, text: &str) {
    for (path, contents) in &project.files {
        let Contents::Text(source) = contents else { continue };
        let Ok(kind) = SourceType::from_path(path) else { continue };
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, source, kind).parse();
        let whole = !parsed.panicked && parsed.diagnostics.is_empty();
        assert!(whole, "{text:?} gave {path}:\n{source}\n{:?}", parsed.diagnostics);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_every_kind_give_files_that_parse() {
        for text in [
            "",
            "<p>plain",
            "<html {x} lang='\"'><body onload=\"a('</script>')\" class='{' onresize=`${x}`><p onclick='f(\"\\\\\")'>{`",
            "<script>var a = '\\u2028 `${b}` </scr' + 'ipt>'</script><script async src='//x/{a}`'></script><style>a{}</style>",
            "<head><meta name=viewport content='{'><link rel=icon href='\"'><title>*/ {x} `</title><body><!-- --><table><form><input>",
            "<template><p>{a}</template><svg><a xlink:href='javascript:{'></svg><frameset><frame src='{'>",
        ] {
            super::html(text);
        }
    }
}
