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

use crate::{
    dom::{Element, Node, Space, Use},
    page::shadows,
};

pub(crate) use attributes::{LONG, left_out};
pub use flags::FLAGS;
pub(crate) use literal::{object, string};

/// What `next/link` calls its component.
const LINK: &str = "Link";
/// What the project calls its own, around `next/image`.
const IMAGE: &str = "Image";
/// An attribute that HTML cannot have, on an `<img>` that `next/image` shows.
pub(crate) const BY_NEXT: &str = "next/image";
/// What that attribute says of one whose size the page left to its file.
pub(crate) const NATURAL: &str = "natural";
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
    /// The component around `next/image`.
    pub(crate) image: bool,
    /// The island that fills `<template>`s.
    pub(crate) template: bool,
    /// The island that makes shadow trees.
    pub(crate) shadow: bool,
    /// The function that types inline styles.
    pub(crate) css: bool,
    /// Class lists that are too long to stand in a tag, each a constant of the file.
    pub(crate) classes: Vec<String>,
    /// Elements that React's types do not know.
    pub(crate) elements: BTreeSet<String>,
    /// Attributes that React's types do not know on any HTML element.
    pub(crate) attributes: BTreeSet<String>,
}

impl Needs {
    /// Adds what one of the project's files needs.
    pub(crate) fn take_in(&mut self, of_a_file: Self) {
        self.css |= of_a_file.css;
        self.image |= of_a_file.image;
        self.template |= of_a_file.template;
        self.shadow |= of_a_file.shadow;
        self.elements.extend(of_a_file.elements);
        self.attributes.extend(of_a_file.attributes);
    }
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

/// How a file's links lead to other pages; whatever is not here loads a new document.
#[derive(Debug, Default)]
pub(crate) struct Links<'l> {
    /// Addresses that may be reached without loading a new document; without any, none may.
    pub(crate) soft: Option<&'l BTreeSet<String>>,
    /// Those of them that are not fetched before somebody asks for them.
    pub(crate) late: BTreeSet<String>,
}

/// Prints nodes, one item to a line, at this depth.
pub(crate) fn print(nodes: &[Node], depth: usize, links: &Links<'_>, needs: &mut Needs) -> String {
    let mut printer = Printer { out: String::new(), links, needs };
    printer.nodes(nodes, depth);
    printer.out
}

/// What is printed so far, and what it is printed with.
struct Printer<'p> {
    out: String,
    links: &'p Links<'p>,
    needs: &'p mut Needs,
}

impl Printer<'_> {
    fn nodes(&mut self, nodes: &[Node], depth: usize) {
        for node in nodes {
            if matches!(node, Node::Text(text) if text.is_empty()) {
                continue;
            }
            self.indent(depth);
            match node {
                Node::Text(text) => literal::push_text(&mut self.out, text),
                Node::Part(part) => self.part(part, depth),
                Node::Element(element) => self.element(&controls::controlled(element), depth),
            }
            self.out.push('\n');
        }
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn part(&mut self, part: &Use, depth: usize) {
        self.needs.parts.insert(part.name.clone());
        let given: Vec<String> =
            part.given.iter().map(|(name, value)| format!("{name}={}", literal::value(value))).collect();
        self.opening(&part.name, &given, depth);
        self.close_itself();
    }

    fn element(&mut self, element: &Element, depth: usize) {
        let tag = self.tag(element);
        let mut attributes = attributes::print(element, self.needs);
        if tag == LINK && self.links.late.contains(target(element)) {
            attributes.push("prefetch={false}".to_owned());
        }
        if element.get(BY_NEXT) == Some(NATURAL) {
            attributes.push(NATURAL.to_owned());
        }
        let start = self.out.len();
        let broken = self.opening(tag, &attributes, depth);
        let nothing_inside = element.children.is_empty()
            || (element.space == Space::Html && VOID.contains(&element.name.as_str()));
        if nothing_inside {
            self.close_itself();
            return;
        }
        let opened = self.out.len();
        self.out.push_str(">\n");
        self.children(element, depth + 1);
        let room = WIDE.saturating_sub(opened - start + tag.len() + 2 * depth);
        if broken || !self.draw_together(opened + 1, room) {
            self.indent(depth);
        }
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    /// What the element is called in the file.
    fn tag<'e>(&mut self, element: &'e Element) -> &'e str {
        let soft = self.links.soft.is_some_and(|soft| is_soft(element, soft));
        let shadow = shadows::is_tree(element);
        let template = element.is_html("template") && !element.children.is_empty() && !shadow;
        let image = element.has(BY_NEXT);
        self.needs.link |= soft;
        self.needs.image |= image;
        self.needs.template |= template;
        self.needs.shadow |= shadow;
        if !soft && !vocabulary::knows(element) {
            self.needs.elements.insert(element.name.clone());
        }
        match element.name.as_str() {
            _ if soft => LINK,
            _ if image => IMAGE,
            _ if template => "LegacyTemplate",
            _ if shadow => "LegacyShadow",
            name => name,
        }
    }

    /// The tag and its attributes, without its end; is it broken into lines?
    fn opening(&mut self, tag: &str, attributes: &[String], depth: usize) -> bool {
        self.out.push('<');
        self.out.push_str(tag);
        let flat = 1 + tag.len() + attributes.iter().map(|attribute| 1 + attribute.len()).sum::<usize>();
        let lines = attributes.iter().any(|attribute| attribute.contains('\n'));
        if flat + 2 * depth <= WIDE && !lines || attributes.len() < 2 {
            for attribute in attributes {
                self.out.push(' ');
                self.out.push_str(attribute);
            }
            return lines;
        }
        for attribute in attributes {
            self.out.push('\n');
            self.indent(depth + 1);
            self.out.push_str(attribute);
        }
        self.out.push('\n');
        self.indent(depth);
        true
    }

    /// Ends a tag with nothing inside, behind its last attribute or on a line of its own.
    fn close_itself(&mut self) {
        if !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        self.out.push_str("/>");
    }

    /// Scripts and styles are text to the parser, whatever they hold: they become one string.
    fn children(&mut self, element: &Element, depth: usize) {
        if matches!(element.name.as_str(), "script" | "style") {
            let text = element.text();
            // Only JSON has another way to say it; templates and the like are kept to the letter.
            let json = element.get("type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
            let text = if json { text.replace('<', "\\u003c") } else { text };
            self.indent(depth);
            self.out.push('{');
            literal::push_string(&mut self.out, &text);
            self.out.push_str("}\n");
            return;
        }
        self.nodes(&element.children, depth);
    }

    /// Puts what was printed from here on, which begins with the end of its line, on that line if it is one line itself and
    /// shorter than this.
    fn draw_together(&mut self, from: usize, room: usize) -> bool {
        let line = self.out[from + 1..].trim();
        if line.is_empty() || line.len() >= room || line.contains('\n') {
            return false;
        }
        let line = line.to_owned();
        self.out.truncate(from);
        self.out.push_str(&line);
        true
    }
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
    plain && soft.contains(target(element))
}

/// The page that a link leads to.
pub(crate) fn target(link: &Element) -> &str {
    let href = link.get("href").unwrap_or_default();
    href.split('#').next().unwrap_or_default()
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
        print(&document.body, 0, &Links::default(), &mut Needs::default()).trim_end().to_owned()
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
