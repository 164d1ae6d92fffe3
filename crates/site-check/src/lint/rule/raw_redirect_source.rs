//! A source of a redirect, a rewrite or headers that is not percent-encoded: requests are, so it never matches.

use oxc::{
    ast::{AstKind, ast::ObjectPropertyKind},
    semantic::AstNode,
    span::GetSpan,
};

use crate::lint::{
    element::plain,
    file::{Edit, File, Found},
};

const COMPANIONS: &[&str] = &["destination", "headers", "permanent", "statusCode"];

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    let AstKind::ObjectExpression(object) = node.kind() else { return };
    if !file.is_next_config() {
        return;
    }
    let properties = || object.properties.iter().filter_map(ObjectPropertyKind::as_property);
    let has = |name: &str| properties().any(|property| property.key.is_specific_static_name(name));
    if !COMPANIONS.iter().any(|name| has(name)) {
        return;
    }
    for property in properties().filter(|property| property.key.is_specific_static_name("source")) {
        let Some(source) = plain(&property.value).filter(|source| !source.bytes().all(is_said_raw)) else {
            continue;
        };
        let encoded = encode(source);
        let told = format!("requests are percent-encoded, so this never matches: write {encoded:?}");
        let quoted = serde_json::to_string(&encoded).expect("a string serialises");
        found.at(property.value.span(), told).mended_by(vec![Edit::replace(property.value.span(), quoted)]);
    }
}

fn is_said_raw(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

fn encode(source: &str) -> String {
    let encoded = source
        .bytes()
        .map(|byte| if is_said_raw(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    encoded.collect()
}
