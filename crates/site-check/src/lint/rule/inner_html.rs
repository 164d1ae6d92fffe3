//! `dangerouslySetInnerHTML` outside LegacyBlock, as an attribute or as a key of an object that becomes properties.

use oxc::{
    ast::{AstKind, ast::JSXAttributeName},
    semantic::AstNode,
    span::GetSpan,
};

use crate::lint::file::{File, Found, Role};

const NAME: &str = "dangerouslySetInnerHTML";

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    let span = match node.kind() {
        AstKind::JSXAttribute(it) => match &it.name {
            JSXAttributeName::Identifier(name) if name.name == NAME => name.span,
            _ => return,
        },
        AstKind::ObjectProperty(it) if it.key.is_specific_static_name(NAME) => it.key.span(),
        _ => return,
    };
    if file.role == Role::Declaration || is_legacy_block(node, file) {
        return;
    }
    found.at(span, "HTML as a string is invisible to the builder and to React: write it as elements, or put it into a LegacyBlock");
}

fn is_legacy_block(node: &AstNode<'_>, file: &File<'_, '_>) -> bool {
    let named = |name: &str| name.starts_with("LegacyBlock");
    named(file.name())
        || file.around(node).any(|outer| match outer.kind() {
            AstKind::Function(it) => it.id.as_ref().is_some_and(|id| named(&id.name)),
            AstKind::VariableDeclarator(it) => {
                it.id.get_binding_identifier().is_some_and(|id| named(&id.name))
            }
            _ => false,
        })
}
