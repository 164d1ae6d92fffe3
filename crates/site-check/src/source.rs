//! What a written file says, read from its syntax tree: words, images, links, and the parts it uses. What must not be there
//! is the lint's to find.

use std::collections::BTreeMap;

use oxc::{
    allocator::Allocator,
    ast::ast::{
        Expression, ImportDeclaration, JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXChild,
        JSXElement, JSXElementName, JSXExpression, JSXFragment, JSXOpeningElement, ObjectPropertyKind,
        PropertyKey,
    },
    ast_visit::{Visit, walk},
    parser::{Parser, ParserReturn},
    span::SourceType,
};

/// One thing that a file shows, in the order of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A run of text, or a border between two elements.
    Text(String),
    /// What the component is given under this name.
    Given(String),
    /// A component of the project, by its name, and what it is given.
    Part(String, BTreeMap<String, String>),
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This.
    Text(String),
    /// What the component is given under this name.
    Given(String),
}

/// A file that was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// What its component shows.
    pub(crate) shown: Vec<Shown>,
    /// Addresses of images, and sets of them.
    pub(crate) images: Vec<Said>,
    /// Addresses in links, images, styles, scripts and forms.
    pub(crate) addresses: Vec<String>,
    /// How many frames it has.
    pub(crate) frames: usize,
    /// Modules that it imports.
    pub(crate) imports: Vec<String>,
}

/// Elements whose text is not shown as part of the page.
const SILENT: &[&str] = &[
    "script",
    "style",
    "template",
    "noscript",
    "title",
    "iframe",
    "noframes",
    "noembed",
    "head",
    "LegacyTemplate",
    "LegacyShadow",
    "Script",
];
const ADDRESSES: &[&str] = &["href", "src", "action", "formAction", "poster", "data", "xlinkHref"];

/// Reads a file; the parser's complaints if it is not TypeScript.
pub(crate) fn read(path: &str, text: &str) -> Result<Source, Vec<String>> {
    let allocator = Allocator::default();
    let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::tsx());
    let ParserReturn { program, diagnostics, panicked, .. } = Parser::new(&allocator, text, kind).parse();
    if panicked || !diagnostics.is_empty() {
        return Err(diagnostics.iter().map(ToString::to_string).collect());
    }
    let mut reader = Reader::default();
    reader.visit_program(&program);
    Ok(reader.source)
}

#[derive(Default)]
struct Reader {
    source: Source,
    /// Inside so many elements whose text is not shown.
    silent: usize,
    /// Inside so many SVGs.
    svg: usize,
}

impl<'a> Visit<'a> for Reader {
    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        self.source.imports.push(import.source.value.to_string());
    }

    fn visit_jsx_fragment(&mut self, fragment: &JSXFragment<'a>) {
        for child in &fragment.children {
            self.child(child);
        }
    }

    fn visit_jsx_element(&mut self, element: &JSXElement<'a>) {
        let name = name(&element.opening_element);
        let component =
            name.starts_with(|c: char| c.is_ascii_uppercase()) && !matches!(name.as_str(), "Link" | "Image");
        // An SVG's title and style are words of the page to the reader of its HTML, too; its scripts are not.
        let silent = name == "script" || SILENT.contains(&name.as_str()) && self.svg == 0;
        self.border();
        if component && self.silent == 0 {
            let at = self.source.shown.len();
            self.source.shown.push(Shown::Part(name.clone(), BTreeMap::new()));
            self.opening(&name, &element.opening_element, Some(at));
        } else {
            self.opening(&name, &element.opening_element, None);
        }
        let svg = usize::from(name == "svg");
        self.svg += svg;
        self.silent += usize::from(silent);
        for child in &element.children {
            self.child(child);
        }
        self.silent -= usize::from(silent);
        self.svg -= svg;
        self.border();
    }
}

impl Reader {
    fn border(&mut self) {
        self.source.shown.push(Shown::Text(" ".into()));
    }

    fn text(&mut self, text: &str) {
        if self.silent == 0 {
            self.source.shown.push(Shown::Text(text.to_owned()));
        }
    }

    fn child<'a>(&mut self, child: &JSXChild<'a>) {
        match child {
            JSXChild::Text(text) => self.text(&text.value),
            JSXChild::ExpressionContainer(container) => match &container.expression {
                JSXExpression::StringLiteral(string) => self.text(&string.value),
                JSXExpression::Identifier(name) if self.silent == 0 => {
                    self.source.shown.push(Shown::Given(name.name.to_string()));
                }
                JSXExpression::EmptyExpression(_) => {}
                other => walk::walk_jsx_expression(self, other),
            },
            other => walk::walk_jsx_child(self, other),
        }
    }

    /// `part` is the place of the component among what is shown, if it is one.
    fn opening(&mut self, element: &str, opening: &JSXOpeningElement<'_>, part: Option<usize>) {
        self.source.frames += usize::from(element == "iframe" || element == "frame");
        for item in &opening.attributes {
            match item {
                JSXAttributeItem::Attribute(attribute) => {
                    let name = match &attribute.name {
                        JSXAttributeName::Identifier(name) => name.name.to_string(),
                        JSXAttributeName::NamespacedName(name) => {
                            format!("{}:{}", name.namespace.name, name.name.name)
                        }
                    };
                    match (value(attribute.value.as_ref()), part) {
                        (Some(Said::Text(value)), Some(at)) => self.given(at, name, value),
                        (Some(value), None) => self.attribute(element, &name, value),
                        (Some(Said::Given(_)), Some(_)) | (None, _) => {}
                    }
                }
                JSXAttributeItem::SpreadAttribute(spread) => self.spread(element, &spread.argument),
            }
        }
    }

    fn spread(&mut self, element: &str, argument: &Expression<'_>) {
        let Expression::ObjectExpression(object) = argument.get_inner_expression() else { return };
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else { continue };
            let name = match &property.key {
                PropertyKey::StaticIdentifier(name) => name.name.to_string(),
                PropertyKey::StringLiteral(name) => name.value.to_string(),
                _ => continue,
            };
            if let Expression::StringLiteral(value) = &property.value {
                self.attribute(element, &name, Said::Text(value.value.to_string()));
            }
        }
    }

    /// What a component of the project is given may be an address: one of the site's own begins with a slash.
    fn given(&mut self, at: usize, name: String, value: String) {
        if value.starts_with('/') {
            self.source.addresses.push(value.clone());
        }
        if let Some(Shown::Part(_, given)) = self.source.shown.get_mut(at) {
            given.insert(name, value);
        }
    }

    fn attribute(&mut self, element: &str, name: &str, value: Said) {
        if let (Said::Text(text), "textarea", "defaultValue") = (&value, element, name) {
            self.text(text);
        }
        if matches!(
            (element, name),
            ("img" | "Image", "src" | "srcSet") | ("source", "srcSet") | ("image", "href" | "xlinkHref")
        ) {
            self.source.images.push(value.clone());
        }
        if let (Said::Text(value), true) = (value, ADDRESSES.contains(&name)) {
            self.source.addresses.push(value);
        }
    }
}

fn name(opening: &JSXOpeningElement<'_>) -> String {
    match &opening.name {
        JSXElementName::Identifier(name) => name.name.to_string(),
        JSXElementName::IdentifierReference(name) => name.name.to_string(),
        JSXElementName::NamespacedName(name) => format!("{}:{}", name.namespace.name, name.name.name),
        JSXElementName::MemberExpression(_) | JSXElementName::ThisExpression(_) => String::new(),
    }
}

/// An attribute's value, if it is plain text or a name.
fn value(value: Option<&JSXAttributeValue<'_>>) -> Option<Said> {
    match value? {
        JSXAttributeValue::StringLiteral(text) => Some(Said::Text(text.value.to_string())),
        JSXAttributeValue::ExpressionContainer(container) => match &container.expression {
            JSXExpression::StringLiteral(text) => Some(Said::Text(text.value.to_string())),
            JSXExpression::Identifier(name) => Some(Said::Given(name.name.to_string())),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &Source) -> Vec<String> {
        let text: String = source
            .shown
            .iter()
            .map(|shown| match shown {
                Shown::Text(text) => text.clone(),
                Shown::Part(name, _) => format!("[{name}]"),
                Shown::Given(name) => format!("<{name}>"),
            })
            .collect();
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn words_images_and_parts_are_read_in_order() {
        let text = r#"
import Link from "next/link";
export default function P() {
  return (
    <>
      <SiteHeader />
      <p>One <b>{"two {x}"}</b> three</p>
      <Link href="/a">four</Link>
      <img src={"/i.png?a=1&b"} alt="" />
      <textarea defaultValue={"five"} />
      <script type="application/ld+json">{"silent"}</script>
    </>
  );
}
"#;
        let source = read("app/page.tsx", text).expect("it parses");
        assert_eq!(words(&source), ["[SiteHeader]", "One", "two", "{x}", "three", "four", "five"]);
        assert_eq!(source.images, [Said::Text("/i.png?a=1&b".into())]);
        assert_eq!(source.addresses, ["/a", "/i.png?a=1&b"]);
        assert_eq!(source.imports, ["next/link"]);
    }

    #[test]
    fn what_a_component_is_given_and_where_it_says_it_is_read() {
        let page = read("app/page.tsx", r#"const page = <ul><Card href="/a" title={"two words"} /></ul>;"#);
        let page = page.expect("it parses");
        let given = BTreeMap::from([("href".into(), "/a".into()), ("title".into(), "two words".into())]);
        assert!(page.shown.contains(&Shown::Part("Card".into(), given)));
        assert_eq!(page.addresses, ["/a"]);
        let text = "export function Card() { return <li><img src={src} /><b>{title}</b></li>; }";
        let card = read("components/Card.tsx", text).expect("it parses");
        assert_eq!(words(&card), ["<title>"]);
        assert_eq!(card.images, [Said::Given("src".into())]);
    }

    #[test]
    fn what_is_no_typescript_is_told() {
        assert!(read("a.tsx", "export const = <p>").is_err());
    }
}
