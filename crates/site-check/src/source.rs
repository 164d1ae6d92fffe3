//! What a written file says, read from its syntax tree: words, images, links, and the parts it uses. What must not be there
//! is the lint's to find.

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
    /// A component of the project, by its name.
    Part(String),
}

/// A file that was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// What its component shows.
    pub(crate) shown: Vec<Shown>,
    /// Addresses of images, and sets of them.
    pub(crate) images: Vec<String>,
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
        let component = name.starts_with(|c: char| c.is_ascii_uppercase()) && name != "Link";
        // An SVG's title and style are words of the page to the reader of its HTML, too.
        let silent = SILENT.contains(&name.as_str()) && self.svg == 0;
        self.border();
        if component && self.silent == 0 {
            self.source.shown.push(Shown::Part(name.clone()));
        }
        self.opening(&name, &element.opening_element);
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
                JSXExpression::EmptyExpression(_) => {}
                other => walk::walk_jsx_expression(self, other),
            },
            other => walk::walk_jsx_child(self, other),
        }
    }

    fn opening(&mut self, element: &str, opening: &JSXOpeningElement<'_>) {
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
                    if let Some(value) = value(attribute.value.as_ref()) {
                        self.attribute(element, &name, value);
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
                self.attribute(element, &name, value.value.to_string());
            }
        }
    }

    fn attribute(&mut self, element: &str, name: &str, value: String) {
        if element == "textarea" && name == "defaultValue" {
            self.text(&value);
        }
        if matches!(
            (element, name),
            ("img", "src" | "srcSet") | ("source", "srcSet") | ("image", "href" | "xlinkHref")
        ) {
            self.source.images.push(value.clone());
        }
        if ADDRESSES.contains(&name) {
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

/// An attribute's value, if it is plain text.
fn value(value: Option<&JSXAttributeValue<'_>>) -> Option<String> {
    match value? {
        JSXAttributeValue::StringLiteral(text) => Some(text.value.to_string()),
        JSXAttributeValue::ExpressionContainer(container) => match &container.expression {
            JSXExpression::StringLiteral(text) => Some(text.value.to_string()),
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
                Shown::Part(name) => format!("[{name}]"),
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
        assert_eq!(source.images, ["/i.png?a=1&b"]);
        assert_eq!(source.addresses, ["/a", "/i.png?a=1&b"]);
        assert_eq!(source.imports, ["next/link"]);
    }

    #[test]
    fn what_is_no_typescript_is_told() {
        assert!(read("a.tsx", "export const = <p>").is_err());
    }
}
