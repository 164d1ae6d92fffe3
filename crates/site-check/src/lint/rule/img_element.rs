//! `<img>` from a host that nobody allowed, or where `next/image` would do as well.

use std::collections::BTreeSet;

use oxc::{
    allocator::Allocator,
    ast::ast::{Expression, ObjectProperty},
    ast_visit::{Visit, walk},
    parser::Parser,
    span::SourceType,
};

use crate::lint::{
    element::{Element, Value, plain},
    file::{File, Found},
};

pub(in crate::lint) fn check(element: &Element<'_>, file: &File<'_, '_>, found: &mut Found) {
    if element.name != "img" {
        return;
    }
    let Some(src) = element.text("src") else { return };
    if let Some(host) = host(src) {
        if !is_allowed(host, &file.options.image_hosts) {
            let told = format!(
                "an image from {host}, which is not allowed: take it over, or name the host in `images.remotePatterns` of next.config"
            );
            found.at(element.span, told).because_of(host, element.behind_name);
        }
        return;
    }
    let known = |name| {
        element.get(name).is_some_and(|it| match &it.value {
            Value::Text(text) => text.parse::<u32>().is_ok(),
            Value::Code(Expression::NumericLiteral(_)) => true,
            Value::Code(_) | Value::Flag | Value::Other => false,
        })
    };
    let drawn = src.split(['?', '#']).next().is_some_and(|path| path.to_ascii_lowercase().ends_with(".svg"));
    if !src.starts_with("data:") && !drawn && known("width") && known("height") && !element.has("srcSet") {
        let told = "its size is known: <Image> of next/image would load it lazily and in the right size, if the page measures the same";
        found.at(element.span, told).as_advice();
    }
}

/// The host of an address that names one.
fn host(src: &str) -> Option<&str> {
    let src = src.trim_start();
    let lower = src.get(..8).unwrap_or(src).to_ascii_lowercase();
    let rest = ["https://", "http://", "//"]
        .iter()
        .find(|scheme| lower.starts_with(**scheme))
        .map(|it| &src[it.len()..])?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(host.split(':').next().unwrap_or_default())
}

/// Patterns are those of `remotePatterns`: `*.` stands for one label, `**.` for any number of them.
fn is_allowed(host: &str, allowed: &BTreeSet<String>) -> bool {
    let host = host.to_ascii_lowercase();
    allowed.iter().any(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        if let Some(end) = pattern.strip_prefix("**.") {
            return host.strip_suffix(end).is_some_and(|start| start.ends_with('.') && start.len() > 1);
        }
        if let Some(end) = pattern.strip_prefix("*.") {
            let start = host.strip_suffix(end).and_then(|start| start.strip_suffix('.'));
            return start.is_some_and(|label| !label.is_empty() && !label.contains('.'));
        }
        host == pattern
    })
}

/// The hosts that a configuration allows: each `hostname` in it, and the strings of `domains`.
pub(in crate::lint) fn configured_hosts(path: &str, text: &str) -> BTreeSet<String> {
    let allocator = Allocator::default();
    let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::ts());
    let parsed = Parser::new(&allocator, text, kind).parse();
    let mut hosts = Hosts::default();
    if !parsed.panicked {
        hosts.visit_program(&parsed.program);
    }
    hosts.0
}

#[derive(Default)]
struct Hosts(BTreeSet<String>);

impl<'a> Visit<'a> for Hosts {
    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        match property.key.static_name().as_deref() {
            Some("hostname") => self.0.extend(plain(&property.value).map(str::to_owned)),
            Some("domains") => {
                if let Expression::ArrayExpression(list) = &property.value {
                    let texts = list.elements.iter().filter_map(|it| it.as_expression().and_then(plain));
                    self.0.extend(texts.map(str::to_owned));
                }
            }
            _ => {}
        }
        walk::walk_object_property(self, property);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_and_matched() {
        assert_eq!(host("https://u@Cdn.Example:8080/x"), Some("Cdn.Example"));
        assert_eq!(
            (host("//cdn.example?x"), host("/a//b"), host("a.png")),
            (Some("cdn.example"), None, None)
        );
        let allowed =
            BTreeSet::from(["one.example".to_owned(), "*.two.example".into(), "**.three.example".into()]);
        for (host, wanted) in [
            ("ONE.example", true),
            ("x.one.example", false),
            ("a.two.example", true),
            ("a.b.two.example", false),
            ("two.example", false),
            ("a.b.three.example", true),
            ("xthree.example", false),
        ] {
            assert_eq!(is_allowed(host, &allowed), wanted, "{host}");
        }
    }
}
