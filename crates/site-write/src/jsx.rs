//! Prints trees as JSX that React renders back to the same trees.
//!
//! White space that shows is always said in a string, never left to JSX's own rules; each run of text is one string, so that
//! React puts no markers into it. What types refuse is collected in [`Needs`] for the project's own declarations.

mod attributes;
mod controls;
mod flags;
mod literal;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use crate::dom::{Element, Node, Space};

pub(crate) use attributes::{LONG, left_out};
pub use flags::FLAGS;
pub(crate) use literal::{object, string};

/// Lines no longer than this hold a whole element.
const WIDE: usize = 110;
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// What a file, and the project, need because of what was printed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Needs {
    /// Components of parts.
    pub(crate) parts: BTreeSet<String>,
    /// `next/link`.
    pub(crate) link: bool,
    /// The island that fills `<template>`s.
    pub(crate) template: bool,
    /// The function that types inline styles.
    pub(crate) css: bool,
    /// Class lists that are too long to stand in a tag, each a constant of the file.
    pub(crate) classes: Vec<String>,
    /// Elements that React's types do not know.
    pub(crate) elements: BTreeSet<String>,
    /// Attributes that React's types do not know on any HTML element.
    pub(crate) attributes: BTreeSet<String>,
}

/// How a page's links are printed.
pub(crate) struct Links<'a> {
    /// Addresses that may be reached without loading a new document.
    pub(crate) soft: &'a BTreeSet<String>,
}

/// What a long class list is called in its file.
fn classes_name(at: usize) -> String {
    if at == 0 { "classes".to_owned() } else { format!("classes{}", at + 1) }
}

/// The constants that a file's tree refers to.
pub(crate) fn constants(needs: &Needs) -> String {
    let constant = |(at, list): (usize, &String)| {
        let words: Vec<&str> = list.split(' ').collect();
        let lines: String =
            words.chunks(8).map(|words| format!("  {},\n", string(&words.join(" ")))).collect();
        format!("const {} = [\n{lines}].join(\" \");\n\n", classes_name(at))
    };
    needs.classes.iter().enumerate().map(constant).collect()
}

/// Prints nodes, one item to a line, at this depth.
pub(crate) fn print(nodes: &[Node], depth: usize, links: &Links<'_>, needs: &mut Needs) -> String {
    let mut out = String::new();
    for node in nodes {
        let line = item(node, depth, links, needs);
        if !line.is_empty() {
            out.push_str(&indent(depth));
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

pub(crate) fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn item(node: &Node, depth: usize, links: &Links<'_>, needs: &mut Needs) -> String {
    match node {
        Node::Text(text) => literal::text(text),
        Node::Part(part) => {
            needs.parts.insert(part.name.clone());
            let given: Vec<String> =
                part.given.iter().map(|(name, value)| format!("{name}={}", literal::value(value))).collect();
            format!("{} />", opening(&part.name, &given, depth))
        }
        Node::Element(element) => print_element(element, depth, links, needs),
    }
}

fn print_element(element: &Element, depth: usize, links: &Links<'_>, needs: &mut Needs) -> String {
    let element = &controls::controlled(element);
    let soft = is_soft(element, links.soft);
    let template = element.is_html("template") && !element.children.is_empty();
    let tag = if soft {
        "Link"
    } else if template {
        "LegacyTemplate"
    } else {
        element.name.as_str()
    };
    needs.link |= soft;
    needs.template |= template;
    if !soft && !vocabulary::knows(element) {
        needs.elements.insert(element.name.clone());
    }
    let printed: Vec<String> = attributes::print(element, needs);
    let open = opening(tag, &printed, depth);
    let nothing_inside = element.children.is_empty()
        || (element.space == Space::Html && VOID.contains(&element.name.as_str()));
    if nothing_inside {
        return format!("{open} />");
    }
    let children = children(element, depth + 1, links, needs);
    let single = children.trim();
    let one_line = single.lines().count() == 1 && !open.contains('\n');
    if one_line && open.len() + single.len() + tag.len() + 2 * depth < WIDE {
        return format!("{open}>{single}</{tag}>");
    }
    format!("{open}>\n{children}{}</{tag}>", indent(depth))
}

/// Scripts and styles are text to the parser, whatever they hold: they become one string.
fn children(element: &Element, depth: usize, links: &Links<'_>, needs: &mut Needs) -> String {
    if matches!(element.name.as_str(), "script" | "style") {
        let text = element.text();
        // Only JSON has another way to say it; templates and the like are kept to the letter.
        let json = element.get("type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let text = if json { text.replace('<', "\\u003c") } else { text };
        return format!("{}{{{}}}\n", indent(depth), string(&text));
    }
    print(&element.children, depth, links, needs)
}

fn opening(tag: &str, attributes: &[String], depth: usize) -> String {
    let flat = attributes.iter().fold(format!("<{tag}"), |line, attribute| format!("{line} {attribute}"));
    if flat.len() + 2 * depth <= WIDE && !flat.contains('\n') || attributes.len() < 2 {
        return flat;
    }
    let broken: String =
        attributes.iter().map(|attribute| format!("\n{}{attribute}", indent(depth + 1))).collect();
    format!("<{tag}{broken}\n{}", indent(depth))
}

/// Does any text do as this attribute's value, printed as it is?
pub(crate) fn is_text(element: &Element, attribute: &str) -> bool {
    attribute == "class"
        || vocabulary::find(element, attribute).is_some_and(|known| known.kind == vocabulary::Kind::Text)
}

/// May the router take this link without loading a new document?
pub(crate) fn is_soft(element: &Element, soft: &BTreeSet<String>) -> bool {
    let plain =
        element.is_html("a") && !element.has("target") && !element.has("download") && !element.has("name");
    let href = element.get("href").unwrap_or_default();
    let address = href.split('#').next().unwrap_or_default();
    plain && soft.contains(address)
}

/// Attributes as TypeScript's object members, for the places where JSX is not at hand.
pub(crate) fn document_attributes(tag: &str, given: &[(String, String)], needs: &mut Needs) -> String {
    let mut element = Element::new(tag);
    element.attributes = given.to_vec();
    attributes::print(&element, needs).iter().map(|attribute| format!(" {attribute}")).collect()
}

/// The declarations that let the compiler take what React's types refuse.
pub(crate) fn declarations(needs: &Needs) -> Option<String> {
    if needs.elements.is_empty() && needs.attributes.is_empty() {
        return None;
    }
    // An element of the site's own has its attributes as they stand, flags as texts: React's types do not hold for it.
    let kind = |name: &String| if name.contains('-') { "Record<string, unknown>" } else { ANY_ELEMENT };
    let elements: BTreeMap<&String, &str> = needs.elements.iter().map(|name| (name, kind(name))).collect();
    let mut out = String::from(
        "// What the site's HTML uses and React's own types do not know.\nimport \"react\";\n\ndeclare module \"react\" {\n",
    );
    if !elements.is_empty() {
        out.push_str("  namespace JSX {\n    interface IntrinsicElements {\n");
        for (name, kind) in elements {
            out.push_str(&format!("      {}: {kind};\n", literal::key(name)));
        }
        out.push_str("    }\n  }\n");
    }
    if !needs.attributes.is_empty() {
        out.push_str("  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- a declaration that is merged repeats it\n  interface HTMLAttributes<T> {\n");
        for name in &needs.attributes {
            out.push_str(&format!("    {}?: unknown;\n", literal::key(name)));
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    Some(out)
}

const ANY_ELEMENT: &str =
    "DetailedHTMLProps<HTMLAttributes<HTMLElement>, HTMLElement> & Record<string, unknown>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    fn printed(html: &str) -> String {
        let document = parse::document(&format!("<!doctype html><body>{html}"));
        let none = BTreeSet::new();
        let mut needs = Needs::default();
        print(&document.body, 0, &Links { soft: &none }, &mut needs).trim_end().to_owned()
    }

    #[rstest]
    #[case("<p>plain</p>", "<p>plain</p>")]
    #[case("<p>a {b} &lt; &amp;</p>", "<p>{\"a {b} < &\"}</p>")]
    #[case("<p> edge</p>", "<p>{\" edge\"}</p>")]
    #[case("<p>a&nbsp;b</p>", "<p>{\"a\\u00a0b\"}</p>")]
    #[case(
        "<b class=x for=y tabindex=07>t</b>",
        "<b className=\"x\" htmlFor=\"y\" {...({ tabIndex: \"07\" } as object)}>t</b>"
    )]
    #[case("<input disabled value=v checked>", "<input defaultChecked disabled defaultValue=\"v\" />")]
    #[case(
        "<a href=\"/?a=1&amp;b=2\" title='say \"x\"'>t</a>",
        "<a href={\"/?a=1&b=2\"} title={'say \"x\"'}>t</a>"
    )]
    #[case("<img alt=\"\" src=/a.png width=10>", "<img alt=\"\" src=\"/a.png\" width=\"10\" />")]
    #[case("<td>", "")]
    #[case("<o:p>word</o:p><a:>odd</a:>", "<o:p>word</o:p>\n<span>odd</span>")]
    #[case("<label for=a>t</label>", "<label htmlFor=\"a\">t</label>")]
    #[case(
        "<svg viewbox='0 0 1 1'><path stroke-width=2 xlink:href='#a'/></svg>",
        "<svg viewBox=\"0 0 1 1\"><path strokeWidth=\"2\" xlinkHref=\"#a\" /></svg>"
    )]
    #[case("<x-card class=big>t</x-card>", "<x-card class=\"big\">t</x-card>")]
    #[case("<textarea>a &lt;\n b</textarea>", "<textarea defaultValue={\"a <\\n b\"} />")]
    #[case(
        "<select><option>a<option value=2 selected>b</select>",
        "<select defaultValue=\"2\">\n  <option>a</option>\n  <option value=\"2\">b</option>\n</select>"
    )]
    #[case(
        "<script type=application/ld+json>{\"a\":\"</b>\"}</script>",
        "<script type=\"application/ld+json\">{'{\"a\":\"\\\\u003c/b>\"}'}</script>"
    )]
    fn html_becomes_jsx(#[case] html: &str, #[case] jsx: &str) {
        assert_eq!(printed(html), jsx);
    }

    #[rstest]
    #[case(
        "<select multiple><option selected>a<option value=2 selected>b</select>",
        "<select multiple defaultValue={[\"a\", \"2\"]}>\n  <option>a</option>\n  <option value=\"2\">b</option>\n</select>"
    )]
    #[case(
        "<script type=text/x-tmpl><b>{{x}}</b></script>",
        "<script type=\"text/x-tmpl\">{\"<b>{{x}}</b>\"}</script>"
    )]
    #[case("<ol start=x ref=r key=k children=c></ol>", "<ol />")]
    #[case(
        "<p style='color:red!important;color:blue'></p>",
        "<p style={css({ color: \"red !important\" })} />"
    )]
    fn what_types_or_scripts_would_refuse_is_passed_on(#[case] html: &str, #[case] jsx: &str) {
        assert_eq!(printed(html), jsx);
    }

    #[test]
    fn styles_become_objects_of_strings() {
        assert_eq!(
            printed("<p style='COLOR: red; --x: 1px; -webkit-box-flex: 1; *zoom: 1'>t</p>"),
            "<p style={css({ color: \"red\", \"--x\": \"1px\", WebkitBoxFlex: \"1\" })}>t</p>"
        );
    }

    /// Pieces of HTML in which every rule of the parser and of JSX meets.
    const PIECES: &[&str] = &[
        "<p>",
        "</p>",
        "<div class=a>",
        "</div>",
        "<table>",
        "<tr>",
        "<td nowrap>",
        "</table>",
        "<a href='/x?a=1&b=2'>",
        "</a>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<svg viewBox='0 0 1 1'>",
        "<path d='M0 0' xlink:href='#a'/>",
        "</svg>",
        "<math><mi>",
        "</math>",
        "<select>",
        "<option selected>",
        "</select>",
        "<textarea>",
        "</textarea>",
        "<template>",
        "</template>",
        "<noscript>",
        "</noscript>",
        "<script type=text/x>",
        "</script>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<pre>\n",
        "</pre>",
        "<x-y z=1 class=q>",
        "</x-y>",
        "<input value='{' disabled>",
        "<img alt='' src=x onerror=f()>",
        "{",
        "}",
        "<",
        ">",
        "&",
        "&amp;",
        "&nbsp;",
        "\"",
        "'",
        "\\",
        "`",
        "${x}",
        "\n",
        "  ",
        "\u{0}",
        "\u{2028}",
        "é",
        "\u{1F600}",
        "*/",
        "//",
        "/*",
        "<p style='color:red;--x:{;background:url(\"a;b\")'>",
        "<form><form>",
        "<center><font color=red>",
        "<frameset>",
        "<body onload=x class=y>",
        "<ol start=x reversed>",
        "<1>",
        "</",
        "<a\u{b7}b c\"d=e>",
        "<p {...x} a.b=c :d=e @f=g>",
        "]]>",
        "<![CDATA[",
    ];

    fn parses(html: &str) {
        let text = printed(html);
        let source = format!("export const page = <>\n{text}\n</>;\n");
        let allocator = oxc::allocator::Allocator::default();
        let parsed = oxc::parser::Parser::new(&allocator, &source, oxc::span::SourceType::tsx()).parse();
        assert!(
            !parsed.panicked && parsed.diagnostics.is_empty(),
            "{html:?} became\n{source}\n{:?}",
            parsed.diagnostics
        );
    }

    proptest::proptest! {
        #[test]
        fn any_html_gives_tsx_that_parses(html in "\\PC{0,200}") {
            parses(&html);
        }

        #[test]
        fn any_mixture_of_tags_gives_tsx_that_parses(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
            parses(&pieces.concat());
        }
    }
}
