//! Both ways give the same tree.

use proptest::prelude::*;
use scraper::Html;

use super::{normal, parse, tidy, untidy};
use crate::tree::{Document, Step, Strings};

/// Everything that the tree says, in order.
fn said(document: &Document<'_>) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for step in document.steps() {
        let _ = match step {
            Step::Open(element) => {
                let mut attributes: Vec<_> = element.attrs().collect();
                attributes.sort_unstable();
                let around = element.parent().map(|parent| parent.name().to_owned());
                writeln!(out, "{} {} {attributes:?} in {around:?}", element.name(), element.is_html())
            }
            Step::Text(text) => writeln!(out, "{:?}", text.text()),
            Step::Close(element) => writeln!(out, "/{}", element.name()),
        };
    }
    out
}

/// By which way a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Rare,
    Untidy,
    Tidy,
}

/// The quickest way that takes the document; each way that does gives the same tree as html5ever alone.
fn way(html: &str) -> Way {
    let right = said(&untidy::copy(&Html::parse_document(html)));
    let parsed = parse(html).expect("no tower of elements");
    assert_eq!(said(&parsed), right, "{html:?}");
    let text = normal(html);
    if text.contains('\0') {
        return Way::Rare;
    }
    let handed = untidy::parse(&text);
    if let Some(handed) = &handed {
        assert_eq!(said(&untidy::copy(handed)), right, "{html:?}");
    }
    match tidy(&text) {
        Some((tree, made)) => {
            assert_eq!(said(&tree.finish(Strings::with(text, made))), right, "{html:?}");
            Way::Tidy
        }
        None if handed.is_some() => Way::Untidy,
        None => Way::Rare,
    }
}

#[test]
fn what_holds_nothing_rare_is_read_fast_and_right() {
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
        assert!(way(html) >= Way::Untidy || rare, "{html}");
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
        assert_eq!(way(html), Way::Rare, "{html}");
    }
}

#[test]
fn tidy_documents_are_read_at_once() {
    for html in [
        "",
        "text only",
        "\n <!-- c --> \n<!DOCTYPE html>\n<html lang=en>\n<head>\n<title>A &amp; B</title> <meta charset=utf-8>\n</head>\n <body class='a b'>\n<p>x<p>y</p>\n</body>\n<!-- c -->\n</html>\n<!-- d -->\n",
        "<title>x</title><p>y",
        "<script>a</script>x<link rel=x>y<style>z</style>",
        "<body><div><p>a<div>b</div>c</div><ul><li>a<li>b<ul><li>c</ul></ul><dl><dt>a<dd>b<dt>c</dl>",
        "<!DOCTYPE html><p>x<table><caption>c<p>d</caption><col><tr><td>a<b>b<td>c<tr><th>d</table>y",
        "<p>x<table><colgroup><col></colgroup><thead><tr><td>a</thead><tbody><tr><td><table><tr><td>b</table></table>y",
        "<table><tr><td>a</th></td></caption></tr></thead></tbody></table></table></td>b",
        "<a href=x>a</a><b><i>c</i></b></b></i></span></div>d</body>e<p>f</html> <p>g",
        "<h1>a<h2>b</h3>c<pre>\n\nd</pre><textarea>\n<e></textarea><form><form><input></form></form>",
        "<select><option>a<optgroup><option>b<option>c</optgroup></select><option>d<option>e",
        "<svg viewBox='0 0 1 1' xmlns:xlink=x><a xlink:href=y xml:lang=z><path d=M0 /><linearGradient/><title>t</title></a></svg>x",
        "<object><param><b>x<div></object>y</div><button>a</button><button>b</button><hr><p>a<hr>b",
        "<P CLASS=A>x<IMG SRC=y></P>z &lt;&amp;&gt; < a",
        "x</y>z &eacute;</y>a",
        "<noscript><p>x</noscript><iframe><p></iframe><ruby2>x</ruby2><a><table><tr><td></a></table></a>",
    ] {
        assert_eq!(way(html), Way::Tidy, "{html}");
    }
}

#[test]
fn what_is_moved_about_is_put_right() {
    for html in [
        "<b><p>x</b>y</p>",
        "<a>x<a>y",
        "<table>x<tr><td>y</table>",
        "<table><form><tr><td>y</form></table>",
        "<p><b>x</p>y",
        "<form><div></form>x</div>",
        "<body></p>x",
        "a</br>b",
        "<template><td>x</template>",
        "<frameset><frame></frameset>",
        "<math><mi>x</math><ruby>a<rt>b</ruby>",
        "<svg><p>x</p></svg>",
        "<html a=b><body c=d><html e=f><body g=h>",
        "</head><link>x",
        "<p><table quirks></table><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN'>",
    ] {
        assert_eq!(way(html), Way::Untidy, "{html}");
    }
}

#[test]
fn towers_are_not_read_and_long_lists_are() {
    assert!(parse(&"<div>".repeat(20_000)).is_none());
    assert!(parse(&"<div>".repeat(1_000)).is_some());
    assert_eq!(parse(&"<p>x".repeat(50_000)).expect("a tree").texts().count(), 50_000);
    // Text around tags without effect grows together, and must not be copied each time.
    let text: String =
        parse(&"a&amp;</x>".repeat(50_000)).expect("a tree").texts().map(|text| text.text()).collect();
    assert_eq!(text, "a&".repeat(50_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_tree_is_the_right_one(
        html in r#"(</?(p|b|a|i|div|table|tr|td|th|tbody|caption|col|colgroup|ul|li|dl|dd|select|option|optgroup|svg|math|script|style|title|textarea|template|form|body|html|head|frameset|pre|h1|h2|br|hr|img|input|button|object|noscript|span|q|meta|link|address)( [a-c]=?['"]?[x&;<]{0,3}['"]?)?/?>|[a-z ]{0,4}|&[a-z]{1,4};?|&#x?[0-9]{1,4};?|<!--|-->|--|<|>|"|'|\n|\r|é|<!doctype html>|<!\[CDATA\[|<\?|\]\]>){0,25}"#
    ) {
        way(&html);
    }

    /// Mostly in order, so that the quick way goes far.
    #[test]
    fn any_nearly_tidy_tree_is_the_right_one(
        html in r#"(<!doctype html>)?(<html>)?(<head>)?(<title>x</title>|<meta>|\n|<!-- c -->)?(</head>)?\n?(<body>)?(<p>x(</p>)?|<b>x</b>|<a>x</a>|<div>|</div>|<ul>(<li>x(</li>)?)?(</ul>)?|<li>|<table>(<tr>(<td>)?x?(</td>)?(</tr>)?|<tbody>|</tbody>|\n|<caption>)?(</table>)?|</table>|<td>|</td>|<tr>|<select><option>x(</option>)?(</select>)?|<svg><path/>(</svg>)?|<h1>|</h1>|<span>|</span>|</body>|</html>|<!-- c -->|\n| y |<br>|<dt>|<dd>|<form>|</form>|<pre>\n|</pre>|<button>|</button>|<object>|</object>|<em>|</em>|</address>|<address>){0,16}"#
    ) {
        way(&html);
    }
}
