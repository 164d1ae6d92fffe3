//! `window`, `document` and their like where the server renders: it has none, and the page answers 500.

use oxc::{
    ast::{AstKind, ast::UnaryOperator},
    span::GetSpan,
};

use crate::lint::{
    file::{File, Found, Role},
    ssr::{BROWSER, Rendering},
};

pub(in crate::lint) fn check(file: &File<'_, '_>, found: &mut Found) {
    if file.role != Role::Shown && file.role != Role::Server {
        return;
    }
    let (scoping, nodes) = (file.semantic.scoping(), file.semantic.nodes());
    for name in BROWSER {
        let Some(references) = scoping.root_unresolved_references().get(*name) else { continue };
        for id in references {
            let reference = scoping.get_reference(*id);
            let node = reference.node_id();
            let asked = matches!(nodes.parent_kind(node), AstKind::UnaryExpression(it) if it.operator == UnaryOperator::Typeof);
            if !reference.is_value() || asked || !Rendering::of(file.semantic).reaches(node) {
                continue;
            }
            let told = format!(
                "`{name}` is not there while the server renders: use it in an effect, in an event handler, or behind `typeof window !== \"undefined\"`"
            );
            found.at(nodes.kind(node).span(), told);
        }
    }
}
