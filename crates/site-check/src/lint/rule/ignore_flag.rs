//! Checks that are switched off: `ignoreBuildErrors`, `@ts-nocheck`, `eslint-disable`, `"strict": false`.

use oxc::{
    allocator::Allocator,
    ast::{
        AstKind,
        ast::{Expression, ObjectProperty},
    },
    ast_visit::{Visit, walk},
    parser::Parser,
    span::{SourceType, Span},
};

use crate::lint::{
    file::{File, Finding, Found},
    registry,
};

const IN_NEXT_CONFIG: &[&str] = &["ignoreBuildErrors", "ignoreDuringBuilds"];
const IN_TSCONFIG: &[&str] = &[
    "strict",
    "noImplicitAny",
    "strictNullChecks",
    "strictFunctionTypes",
    "strictBindCallApply",
    "strictPropertyInitialization",
    "noImplicitThis",
    "useUnknownInCatchVariables",
];
const IN_COMMENTS: &[&str] = &["@ts-nocheck", "@ts-ignore", "@ts-expect-error", "eslint-disable"];

pub(in crate::lint) fn check(file: &File<'_, '_>, found: &mut Found) {
    for comment in file.semantic.comments() {
        let said =
            file.slice(comment.content_span()).trim_start_matches(|c: char| c.is_whitespace() || c == '*');
        let Some(flag) = IN_COMMENTS.iter().find(|flag| said.starts_with(**flag)) else { continue };
        if !is_excused(said) {
            found.at(comment.span, format!("`{flag}` hides what is wrong: mend it"));
        }
    }
    if !file.is_next_config() {
        return;
    }
    for node in file.semantic.nodes().iter() {
        let AstKind::ObjectProperty(property) = node.kind() else { continue };
        let name = property.key.static_name().unwrap_or_default();
        let on = matches!(&property.value, Expression::BooleanLiteral(it) if it.value);
        if on && IN_NEXT_CONFIG.contains(&&*name) {
            found
                .at(property.span, format!("`{name}` lets a broken project through the build: take it away"));
        }
    }
}

/// `eslint-disable-next-line RULE -- reason` says which check is meant, and why.
fn is_excused(said: &str) -> bool {
    let Some((what, reason)) = said.split_once("--") else { return false };
    what.starts_with("eslint-disable") && what.split_whitespace().nth(1).is_some() && reason.trim().len() >= 3
}

/// The same in a `tsconfig.json`, which may hold comments, and so is no JSON but an object of TypeScript.
pub(in crate::lint) fn of_tsconfig(text: &str) -> Vec<Finding> {
    let allocator = Allocator::default();
    let wrapped = format!("({text}\n)");
    let parsed = Parser::new(&allocator, &wrapped, SourceType::ts()).parse();
    if parsed.panicked || !parsed.diagnostics.is_empty() {
        let mut found = Found::new(registry::find(registry::UNREADABLE).expect("the table has this rule"));
        found.at(Span::new(0, 0), "it is not JSON");
        return found.list;
    }
    let mut flags = Flags(Found::new(registry::find("ignore_flag").expect("the table has this rule")));
    flags.visit_program(&parsed.program);
    flags.0.list
}

struct Flags(Found);

impl<'a> Visit<'a> for Flags {
    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        let name = property.key.static_name().unwrap_or_default();
        let off = matches!(&property.value, Expression::BooleanLiteral(it) if !it.value);
        if off && IN_TSCONFIG.contains(&&*name) {
            // One less: the text stands in parentheses.
            let span = Span::new(property.span.start - 1, property.span.end - 1);
            self.0.at(span, format!("`{name}` is off: types are checked strictly"));
        }
        walk::walk_object_property(self, property);
    }
}
