//! Inline styles that React cannot keep: its style objects hold a property once and, in the browser, no `!important`. Such
//! declarations become a class of their own, in a sheet that the project serves beside the site's.
//!
//! A class loses to whatever is more specific, an inline style to nothing: so the rule is made more specific than any that a
//! person writes. Declarations of one family (`margin`, `margin-left`) go together, because their order matters.

use std::collections::BTreeMap;

use crate::{
    css::{self, Declaration},
    dom::{Element, Node},
    page::shadows,
};

/// Where the sheet is served.
const ADDRESS: &str = "/_assets/inline-styles.css";
/// Holds for every element, and counts as three ids.
const SPECIFIC: &str = ":not(#\\_#\\_#\\_)";

/// Rules by their class.
pub(crate) type Rules = BTreeMap<String, String>;

/// The path and the content of the sheet, if there is a rule.
pub(crate) fn file<'a>(pages: impl Iterator<Item = &'a Rules>) -> Option<(String, String)> {
    let rules: BTreeMap<&String, &String> = pages.flatten().collect();
    if rules.is_empty() {
        return None;
    }
    let mut sheet = String::from("/* Inline styles of the site's HTML that a style object cannot hold. */\n");
    sheet.push_str(&written(rules.into_iter()));
    Some((format!("public{ADDRESS}"), sheet))
}

fn written<'a>(rules: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    rules.map(|(class, declarations)| format!(".{class}{SPECIFIC} {{\n{declarations}}}\n")).collect()
}

/// The element that brings the sheet to a page.
pub(crate) fn link() -> Node {
    let mut link = Element::new("link");
    for (name, value) in [("rel", "stylesheet"), ("href", ADDRESS), ("precedence", "site-inline")] {
        link.set(name, value);
    }
    Node::Element(link)
}

/// Takes such declarations out of these nodes' styles.
pub(super) fn lift(nodes: &mut [Node], rules: &mut Rules) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        one(element, rules);
        if shadows::is_tree(element) {
            lift_in_a_tree(&mut element.children);
        } else {
            lift(&mut element.children, rules);
        }
    }
}

/// The document's sheets do not reach into a shadow tree: it has its own.
fn lift_in_a_tree(nodes: &mut Vec<Node>) {
    let mut rules = Rules::new();
    lift(nodes, &mut rules);
    if !rules.is_empty() {
        let mut style = Element::new("style");
        style.children.push(Node::Text(written(rules.iter())));
        nodes.push(Node::Element(style));
    }
}

/// The same for attributes that stand without their element.
pub(super) fn lift_from(attributes: &mut Vec<(String, String)>, rules: &mut Rules) {
    let mut element = Element::new("body");
    element.attributes = std::mem::take(attributes);
    one(&mut element, rules);
    *attributes = element.attributes;
}

fn one(element: &mut Element, rules: &mut Rules) {
    let Some(style) = element.get("style").filter(|style| style.contains(';') || style.contains('!')) else {
        return;
    };
    let all = css::declarations(style);
    let told_twice =
        |one: &Declaration| all.iter().any(|other| other.name == one.name && other.value != one.value);
    let families: Vec<&str> =
        all.iter().filter(|one| one.important || told_twice(one)).map(|one| family(&one.name)).collect();
    if families.is_empty() {
        return;
    }
    let (out, rest): (Vec<&Declaration>, Vec<&Declaration>) =
        all.iter().partition(|one| families.contains(&family(&one.name)));
    let lines: String = out.iter().map(|one| format!("  {};\n", text(one))).collect();
    let class = format!("inline-{}", &blake3::hash(lines.as_bytes()).to_hex()[..8]);
    let rest = rest.iter().map(|one| text(one)).collect::<Vec<_>>().join("; ");
    if rest.is_empty() {
        element.remove("style");
    } else {
        element.set("style", rest);
    }
    let classes = element.get("class").map(|classes| format!("{classes} {class}"));
    element.set("class", classes.unwrap_or_else(|| class.clone()));
    rules.insert(class, lines);
}

fn text(declaration: &Declaration) -> String {
    let important = if declaration.important { " !important" } else { "" };
    format!("{}: {}{important}", declaration.name, declaration.value)
}

/// What a property shares with those that set a part of it, or that it sets.
fn family(property: &str) -> &str {
    if property.starts_with("--") {
        return property;
    }
    let bare = ["-webkit-", "-moz-", "-ms-", "-o-"].iter().find_map(|prefix| property.strip_prefix(prefix));
    let bare = bare.unwrap_or(property);
    match bare {
        "line-height" => "font",
        "top" | "right" | "bottom" | "left" => "inset",
        "row-gap" | "column-gap" => "gap",
        _ => bare.split('-').next().unwrap_or(bare),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dom::parse, page};
    use rstest::rstest;

    #[rstest]
    #[case("color: red; margin: 0", None, Some("color: red; margin: 0"))]
    #[case("color: red; COLOR: red", None, Some("color: red; COLOR: red"))]
    #[case("color: red !important; top: 0", Some("  color: red !important;\n"), Some("top: 0"))]
    #[case("color: red; color: rgb(0 0 0 / 1)", Some("  color: red;\n  color: rgb(0 0 0 / 1);\n"), None)]
    // The order of a shorthand and its parts matters.
    #[case(
        "margin: 0; margin-left: 1px !important; z-index: 1",
        Some("  margin: 0;\n  margin-left: 1px !important;\n"),
        Some("z-index: 1")
    )]
    #[case("--a: 1; --a: 2; --b: 3", Some("  --a: 1;\n  --a: 2;\n"), Some("--b: 3"))]
    fn only_what_an_object_cannot_hold_is_lifted(
        #[case] style: &str,
        #[case] rule: Option<&str>,
        #[case] left: Option<&str>,
    ) {
        let mut element = Element::new("p");
        // Of these only the blanks part classes.
        element.set("class", " a\u{2028} ");
        element.set("style", style);
        let mut rules = Rules::new();
        one(&mut element, &mut rules);
        assert_eq!(rules.values().next().map(String::as_str), rule);
        assert_eq!(element.get("style"), left);
        let classes: Vec<_> = element.get("class").unwrap_or_default().split_ascii_whitespace().collect();
        assert_eq!((classes[0], classes.len()), ("a\u{2028}", 1 + rules.len()), "{classes:?}");
    }

    #[test]
    fn a_shadow_tree_has_a_sheet_of_its_own() {
        let html = "<!doctype html><body><p style='top: 0 !important'><template shadowrootmode=open><i style='color: red !important'></i></template>";
        let mut body = parse::document(html).body;
        let mut rules = Rules::new();
        lift(&mut body, &mut rules);
        assert_eq!(rules.values().collect::<Vec<_>>(), ["  top: 0 !important;\n"]);
        let mut sheets = Vec::new();
        page::each(&body, &mut |element| sheets.extend(element.is_html("style").then(|| element.clone())));
        let [Node::Text(sheet)] = &*sheets[0].children else { panic!("{sheets:?}") };
        assert!(sheet.contains("color: red !important"), "{sheet}");
    }
}
