//! A class list of 256 characters or more: the builder cuts it, and no person reads it.

use std::collections::BTreeSet;

use oxc::ast::ast::{BinaryOperator, Expression};

use crate::lint::{
    element::{Element, Value},
    file::{Edit, File, Found},
};

/// The builder's limit, in characters.
const LIMIT: usize = 256;

pub(in crate::lint) fn check(element: &Element<'_>, _: &File<'_, '_>, found: &mut Found) {
    for name in ["className", "class"] {
        let Some(attribute) = element.get(name) else { continue };
        let length = match &attribute.value {
            Value::Text(text) => text.chars().count(),
            Value::Code(code) => longest(code, 0),
            Value::Flag | Value::Other => 0,
        };
        if length < LIMIT {
            continue;
        }
        let told = format!(
            "a {name} of {length} characters; the builder takes fewer than {LIMIT}: give the element one class of its own, with these as its rules"
        );
        let finding = found.at(attribute.span, told);
        let Some(text) = attribute.text() else { continue };
        finding.because_of(text, (!attribute.spread).then_some(attribute.span.start));
        let short = once_each(text);
        if short.chars().count() < LIMIT {
            let plain = !short.contains(['"', '&', '\\']);
            let quoted = serde_json::to_string(&short).expect("a string serialises");
            let quoted = if plain || attribute.spread { quoted } else { format!("{{{quoted}}}") };
            finding.mended_by(vec![Edit::replace(attribute.value_span, quoted)]);
        }
    }
}

/// The same list: order, doubles and white space mean nothing in it.
fn once_each(list: &str) -> String {
    let mut seen = BTreeSet::new();
    let words = list.split_ascii_whitespace().filter(|word| seen.insert(*word));
    words.collect::<Vec<_>>().join(" ")
}

/// The characters that an expression has at least, as far as they stand in it; of two branches the longer.
fn longest(expression: &Expression<'_>, depth: u8) -> usize {
    if depth > 16 {
        return 0;
    }
    let inner = |it: &Expression<'_>| longest(it, depth + 1);
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => text.value.chars().count(),
        Expression::TemplateLiteral(it) => {
            let text = it.quasis.iter().map(|quasi| quasi.value.raw.chars().count()).sum::<usize>();
            text + it.expressions.iter().map(inner).sum::<usize>()
        }
        Expression::ConditionalExpression(it) => inner(&it.consequent).max(inner(&it.alternate)),
        Expression::LogicalExpression(it) => inner(&it.left).max(inner(&it.right)),
        Expression::BinaryExpression(it) if it.operator == BinaryOperator::Addition => {
            inner(&it.left) + inner(&it.right)
        }
        _ => 0,
    }
}
