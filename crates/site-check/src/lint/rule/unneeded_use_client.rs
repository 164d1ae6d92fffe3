//! 'use client' in a file that needs no browser, or in one that is no leaf: all that it imports is sent along.

use oxc::{
    ast::{
        AstKind,
        ast::{Expression, JSXAttributeName, JSXAttributeValue},
    },
    semantic::AstNode,
    span::Span,
};

use crate::lint::{
    file::{Edit, File, Found},
    ssr::BROWSER,
};

/// Routes' own files, with much below them.
const ROOTS: &[&str] = &["page", "layout", "template", "default", "not-found", "loading"];

pub(in crate::lint) fn check(file: &File<'_, '_>, found: &mut Found) {
    let Some(directive) = file.client else { return };
    if !needs_a_browser(file) {
        let told = "nothing here needs a browser: without 'use client' it costs visitors nothing";
        found.at(directive, told).mended_by(vec![Edit::replace(with_line_end(file, directive), "")]);
        return;
    }
    let stem = file.name().split('.').next().unwrap_or_default();
    let routed = file.path.starts_with("app/") || file.path.starts_with("src/app/");
    if routed && ROOTS.contains(&stem) {
        found.at(
            directive,
            format!("a {stem} is no leaf: move what needs the browser into a component of its own"),
        );
    }
}

/// The directive and the end of its line, so that no empty line is left.
fn with_line_end(file: &File<'_, '_>, directive: Span) -> Span {
    let rest = file.text.get(directive.end as usize..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let ends = rest[blank..].bytes().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    Span::new(directive.start, directive.end + if ends > 0 { (blank + ends) as u32 } else { 0 })
}

fn needs_a_browser(file: &File<'_, '_>) -> bool {
    let references = file.semantic.scoping().root_unresolved_references();
    file.island
        || BROWSER
            .iter()
            .chain(&["navigator", "setTimeout", "setInterval"])
            .any(|name| references.contains_key(*name))
        || file.imports().any(|import| is_foreign(&import.source.value))
        || file.semantic.nodes().iter().any(|node| is_of_browsers(node))
}

/// A package that may be for browsers only. The project's own files say so themselves.
fn is_foreign(source: &str) -> bool {
    let own = source.starts_with('.') || source.starts_with("@/") || source.starts_with("~/");
    let known = matches!(
        source,
        "react" | "next/link" | "next/image" | "next/script" | "clsx" | "classnames" | "next"
    );
    !own && !known
}

fn is_of_browsers(node: &AstNode<'_>) -> bool {
    match node.kind() {
        AstKind::CallExpression(call) => match call.callee.get_inner_expression() {
            Expression::Identifier(name) => is_hook(&name.name) || name.name == "createContext",
            other => other
                .get_member_expr()
                .and_then(|it| it.static_property_name())
                .is_some_and(|name| is_hook(name) || name == "createContext"),
        },
        AstKind::JSXAttribute(attribute) => {
            let handler = match &attribute.name {
                JSXAttributeName::Identifier(name) => {
                    name.name == "ref" || name.name.starts_with("on") && name.name.len() > 2
                }
                JSXAttributeName::NamespacedName(_) => false,
            };
            let function = match &attribute.value {
                Some(JSXAttributeValue::ExpressionContainer(it)) => {
                    it.expression.as_expression().is_some_and(|it| it.get_inner_expression().is_function())
                }
                _ => false,
            };
            handler || function
        }
        // Handlers may hide in what is spread.
        AstKind::JSXSpreadAttribute(_)
        | AstKind::ExportAllDeclaration(_)
        | AstKind::ExportFromDeclaration(_) => true,
        AstKind::Class(class) => class.heritage.is_some(),
        _ => false,
    }
}

fn is_hook(name: &str) -> bool {
    name == "use"
        || name.strip_prefix("use").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}
