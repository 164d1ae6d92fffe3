//! Both ways give the same tree.

use proptest::prelude::*;
use scraper::{Html, Node};

use super::fast;

/// Every node in order, with all that it holds.
fn tree(document: &Html) -> String {
    use std::fmt::Write as _;
    let mut out = format!("{:?}\n", document.quirks_mode);
    for node in document.tree.root().descendants() {
        let _ = write!(out, "{} ", node.ancestors().count());
        let _ = match node.value() {
            Node::Element(element) => {
                let attributes: Vec<_> = element.attrs.iter().map(|(name, value)| (name, &**value)).collect();
                writeln!(out, "{:?} {attributes:?}", element.name)
            }
            Node::Text(text) => writeln!(out, "text {:?}", &**text),
            Node::Comment(comment) => writeln!(out, "comment {:?}", &**comment),
            Node::Doctype(doctype) => {
                writeln!(out, "{:?} {:?} {:?}", doctype.name(), doctype.public_id(), doctype.system_id())
            }
            other => writeln!(out, "{other:?}"),
        };
    }
    out
}

/// Whether the fast way took the document; if it did, the tree is the right one.
fn same(html: &str) -> bool {
    let Some(document) = fast(html) else { return false };
    assert_eq!(tree(&document), tree(&Html::parse_document(html)), "{html:?}");
    true
}

#[test]
fn the_common_is_fast_and_right() {
    for html in [
        "",
        "text only",
        "<!DOCTYPE html><html lang=en><head><title>A &amp; B</title></head><body class='a b'><p>x<p>y</body></html>",
        "<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\"><p>x",
        "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN'><table><p>x",
        "<!DOCTYPE html SYSTEM 'about:legacy-compat'>",
        "<a href='x?a=1&b=2&amp;c=3&copy=4'>a < b && c > d</a>",
        "<IMG SRC=a.png ALT=\"\" alt=twice disabled/><br/><input value = 'a\nb' / checked>",
        "<script>if (a < b && c) { '</p>' }</script><style>a > b {}</style><textarea>\n<b>&lt;</textarea>",
        "<script><!--\nold()\n//--></script>x",
        "<!-- a comment <b> - - --><p><!----></p><!------ x ------><!-- <!-- -->y",
        "<?xml version='1.0' encoding='ascii'?><!DOCTYPE html><p>x<?php echo 1 ?>y",
        "<table><tr><td>a<tr><td>b</table><p>&eacute;&#233;&#xE9;&hellip;&notanentity;",
        "<b><p>x</b>y</p><a><a>z",
        "<svg viewBox='0 0 1 1'><path d='M0'/><foreignObject><p>x</p></foreignObject></svg><math><mi>x</math>",
        "<select><option>a<option>b</select><noscript><p>x</noscript><iframe><p></iframe>",
        "a\r\nb\rc",
        "\u{feff}<p>x",
        "<p title=\"\u{e9} &amp; \u{1f600}\">\u{3042}",
    ] {
        let rare = html.contains("&notanentity;");
        assert!(same(html) || rare, "{html}");
    }
}

#[test]
fn the_rare_is_left_to_the_other_way() {
    for html in [
        "a\0b",
        "<!-->x-->",
        "<!-- x --!> y -->",
        "</ x>",
        "<svg><![CDATA[x]]></svg>",
        "<plaintext>x",
        "<script><!-- <script> </script> --></script>",
        "<a =x>",
        "<p class=",
        "<p",
        "&copy2 &#128; &amp",
        "<!DOCTYPE>",
    ] {
        assert!(!same(html), "{html}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_taken_is_right(
        html in r#"(</?(p|b|a|i|div|table|tr|td|ul|li|select|option|svg|math|script|style|title|textarea|template|form|body|html|head|frameset|pre|h1|br|noscript)( [a-c]=?['"]?[x&;<]{0,3}['"]?)?/?>|[a-z ]{0,4}|&[a-z]{1,4};?|&#x?[0-9]{1,4};?|<!--|-->|--|<|>|"|'|\n|\r|é|<!doctype html>|<!\[CDATA\[|<\?|\]\]>){0,25}"#
    ) {
        same(&html);
    }
}
