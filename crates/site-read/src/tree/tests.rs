//! Walks over a tree.

use super::{Document, Step};
use crate::markup::parse;

fn document() -> Document<'static> {
    parse("<!DOCTYPE html><title>T</title><div ID=a class='b c'><p>x &amp; y<!-- c -->z<br></div>")
        .expect("a tree")
}

#[test]
fn a_walk_meets_starts_texts_and_ends_in_order() {
    let document = document();
    let met: Vec<String> = document
        .steps()
        .map(|step| match step {
            Step::Open(element) => element.name().to_owned(),
            Step::Text(text) => format!("'{}'", text.text()),
            Step::Close(element) => format!("/{}", element.name()),
        })
        .collect();
    assert_eq!(
        met.join(" "),
        "html head title 'T' /title /head body div p 'x & y' 'z' br /br /p /div /body /html"
    );
    assert_eq!(Document::empty().steps().count(), 0);
}

#[test]
fn an_element_knows_itself_and_what_is_in_and_around_it() {
    let document = document();
    let div = document.elements().find(|element| element.name() == "div").expect("a div");
    assert_eq!((div.attr("id"), div.attr("title")), (Some("a"), None));
    assert_eq!(div.classes().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(div.parent().map(|parent| parent.name()), Some("body"));
    assert_eq!(div.elements().map(|element| element.name()).collect::<Vec<_>>(), ["p", "br"]);
    assert_eq!(div.texts().map(|text| text.text()).collect::<String>(), "x & yz");
    assert!(div.is_html() && document.texts().all(|text| text.parent().is_some()));
}
