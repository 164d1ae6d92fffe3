//! `require(…)`, and `import(…)` of something that is computed: the bundler cannot see what will be loaded.

use oxc::{
    ast::{AstKind, ast::Expression},
    semantic::AstNode,
};

use crate::lint::{
    element::plain,
    file::{File, Found, Role},
};

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    if file.role == Role::Tool || file.role == Role::Declaration {
        return;
    }
    match node.kind() {
        AstKind::CallExpression(call) => {
            let Expression::Identifier(name) = call.callee.get_inner_expression() else { return };
            if name.name == "require" && file.semantic.is_reference_to_global_variable(name) {
                found.at(call.span, "`require` is resolved while the page runs: use `import`");
            }
        }
        AstKind::ImportExpression(import) if plain(&import.source).is_none() => {
            found.at(
                import.span,
                "what is imported is computed, so no bundle has it: name the module, or a table of modules",
            );
        }
        _ => {}
    }
}
