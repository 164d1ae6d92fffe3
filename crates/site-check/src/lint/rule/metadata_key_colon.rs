//! `metadata.other` with a key such as `og:title`: Next prints it as `name=`, where readers look for `property=`.

use oxc::{
    ast::{
        AstKind,
        ast::{Expression, ObjectPropertyKind},
    },
    semantic::AstNode,
    span::GetSpan,
};

use crate::lint::file::{File, Found};

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    let AstKind::ObjectProperty(other) = node.kind() else { return };
    let Expression::ObjectExpression(object) = other.value.get_inner_expression() else { return };
    if !other.key.is_specific_static_name("other") || !is_metadata(node, file) {
        return;
    }
    for property in &object.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else { continue };
        let Some(name) = property.key.static_name().filter(|name| name.contains(':')) else { continue };
        let told = format!(
            "Next prints {name:?} as `<meta name>`: write `<meta property={name:?} content=…>` in the page, React lifts it into the head"
        );
        found.at(property.key.span(), told);
    }
}

fn is_metadata(node: &AstNode<'_>, file: &File<'_, '_>) -> bool {
    file.around(node).any(|outer| match outer.kind() {
        AstKind::VariableDeclarator(it) => it
            .id
            .get_binding_identifier()
            .is_some_and(|id| id.name == "metadata" || id.name == "generateMetadata"),
        AstKind::Function(it) => it.id.as_ref().is_some_and(|id| id.name == "generateMetadata"),
        _ => false,
    })
}
