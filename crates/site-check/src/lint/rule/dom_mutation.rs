//! Code that changes the DOM behind React's back, outside an island. React does not know of it: the next render undoes it,
//! or fails on it.

use oxc::{
    ast::{
        AstKind,
        ast::{AssignmentTarget, Expression, MemberExpression, SimpleAssignmentTarget},
    },
    semantic::AstNode,
    span::{GetSpan, Span},
};

use crate::lint::file::{File, Found, Role};

const METHODS: &[&str] = &[
    "write",
    "writeln",
    "append",
    "appendChild",
    "prepend",
    "before",
    "after",
    "insertBefore",
    "insertAdjacentHTML",
    "insertAdjacentElement",
    "insertAdjacentText",
    "removeChild",
    "replaceChild",
    "replaceChildren",
    "replaceWith",
    "remove",
    "setAttribute",
    "removeAttribute",
    "toggleAttribute",
    "setProperty",
    "add",
    "toggle",
    "replace",
    "html",
    "addClass",
    "removeClass",
    "toggleClass",
    "attr",
    "css",
];
/// These three belong to others as well: only to a `classList` they do anything to the DOM.
const OF_CLASS_LIST: &[&str] = &["add", "toggle", "replace"];
const PROPERTIES: &[&str] = &[
    "innerHTML",
    "outerHTML",
    "textContent",
    "innerText",
    "className",
    "hidden",
    "cssText",
    "title",
    "nodeValue",
];
/// So far the way to where something comes from is followed.
const FOLLOWED: u8 = 24;

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    if file.island || file.role != Role::Shown {
        return;
    }
    let (span, what): (Span, &str) = match node.kind() {
        AstKind::CallExpression(call) => {
            let Some(member) = call.callee.get_member_expr() else { return };
            let Some(name) = member.static_property_name() else { return };
            let listed = !OF_CLASS_LIST.contains(&name) || last_name(member.object()) == Some("classList");
            if !METHODS.contains(&name) || !listed || !is_of_the_dom(member.object(), file, 0) {
                return;
            }
            (call.callee.span(), "calls")
        }
        AstKind::AssignmentExpression(assignment) => {
            let Some(member) = target(&assignment.left) else { return };
            let Some(name) = member.static_property_name() else { return };
            let listed =
                PROPERTIES.contains(&name) || matches!(last_name(member.object()), Some("style" | "dataset"));
            if !listed || !is_of_the_dom(member.object(), file, 0) {
                return;
            }
            (assignment.left.span(), "sets")
        }
        _ => return,
    };
    let told = format!(
        "{what} `{}`, of which React knows nothing: keep it in state, or in an island",
        shown(file.slice(span))
    );
    found.at(span, told);
}

fn shown(code: &str) -> String {
    let line: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 40 {
        line
    } else {
        format!("{}…", line.chars().take(40).collect::<String>())
    }
}

fn target<'t, 'a>(target: &'t AssignmentTarget<'a>) -> Option<&'t MemberExpression<'a>> {
    let simple: &SimpleAssignmentTarget<'a> = target.as_simple_assignment_target()?;
    simple.as_member_expression()
}

fn last_name<'e>(expression: &'e Expression<'_>) -> Option<&'e str> {
    expression.get_inner_expression().get_member_expr()?.static_property_name()
}

/// Does it come from the document, from a ref, from an event, or from jQuery?
fn is_of_the_dom(expression: &Expression<'_>, file: &File<'_, '_>, depth: u8) -> bool {
    if depth > FOLLOWED {
        return false;
    }
    match expression.get_inner_expression() {
        Expression::Identifier(name) => {
            let reference = file.semantic.scoping().get_reference(name.reference_id());
            match reference.symbol_id() {
                None => matches!(name.name.as_str(), "document" | "$" | "jQuery"),
                Some(symbol) => match file.semantic.symbol_declaration(symbol).kind() {
                    AstKind::VariableDeclarator(it) if it.id.is_binding_identifier() => {
                        it.init.as_ref().is_some_and(|init| is_of_the_dom(init, file, depth + 1))
                    }
                    _ => false,
                },
            }
        }
        Expression::CallExpression(call) => is_of_the_dom(&call.callee, file, depth + 1),
        Expression::ChainExpression(chain) => match chain.expression.member_expression() {
            Some(member) => is_member_of_the_dom(member, file, depth),
            None => false,
        },
        other => other.get_member_expr().is_some_and(|member| is_member_of_the_dom(member, file, depth)),
    }
}

fn is_member_of_the_dom(member: &MemberExpression<'_>, file: &File<'_, '_>, depth: u8) -> bool {
    let name = member.static_property_name();
    let name = name.unwrap_or_default();
    // `ref.current`, `event.target`: who else is called so?
    let holds_an_element = matches!(name, "current" | "currentTarget" | "target");
    let of_window = name == "document" && member.object().is_specific_id("window");
    holds_an_element || of_window || is_of_the_dom(member.object(), file, depth + 1)
}
