//! Does a piece of code run while the server renders? Answered from the tree and its scopes, without running anything: module
//! scope and render do; effects, event handlers and what a check for the browser guards do not. A local function runs when
//! one of its callers does. What cannot be known (a function handed to somebody else, or exported) counts as not.

use std::collections::HashSet;

use oxc::{
    ast::{
        AstKind,
        ast::{BinaryOperator, Expression, LogicalOperator, Statement, UnaryOperator},
    },
    semantic::{AstNode, NodeId, Semantic, SymbolId},
    span::{GetSpan, Span},
};

/// Callees that run the function they are given at once.
const AT_ONCE: &[&str] = &[
    "map",
    "forEach",
    "filter",
    "reduce",
    "reduceRight",
    "some",
    "every",
    "find",
    "findIndex",
    "findLast",
    "flatMap",
    "sort",
    "toSorted",
    "from",
    "useMemo",
    "useState",
    "useReducer",
    "memo",
    "forwardRef",
    "cache",
    "Promise",
    "replace",
    "replaceAll",
];
/// So many callers are followed.
const FOLLOWED: usize = 64;

/// Names of the browser's own globals.
pub(super) const BROWSER: &[&str] = &[
    "window",
    "document",
    "localStorage",
    "sessionStorage",
    "location",
    "history",
    "screen",
    "matchMedia",
    "alert",
    "confirm",
    "prompt",
    "requestAnimationFrame",
    "cancelAnimationFrame",
    "requestIdleCallback",
    "getComputedStyle",
    "IntersectionObserver",
    "ResizeObserver",
    "MutationObserver",
    "HTMLElement",
    "Element",
    "Image",
    "XMLHttpRequest",
    "DOMParser",
    "innerWidth",
    "innerHeight",
    "scrollTo",
    "scrollBy",
    "indexedDB",
    "customElements",
    "addEventListener",
    "removeEventListener",
    "self",
    "parent",
    "top",
    "frames",
    "opener",
    "devicePixelRatio",
    "visualViewport",
];

/// One question about one file.
pub(super) struct Rendering<'s, 'a> {
    semantic: &'s Semantic<'a>,
    /// Functions whose callers are being looked at: recursion proves nothing.
    asked: HashSet<SymbolId>,
}

/// What a way up from a node meets next.
enum Met {
    /// It goes on.
    Nothing,
    /// Runs while rendering.
    Render,
    /// Runs later, or only in a browser.
    Later,
}

impl<'s, 'a> Rendering<'s, 'a> {
    pub(super) fn of(semantic: &'s Semantic<'a>) -> Self {
        Self { semantic, asked: HashSet::new() }
    }

    /// Does this node run while the server renders?
    pub(super) fn reaches(&mut self, node: NodeId) -> bool {
        let nodes = self.semantic.nodes();
        let mut inner = nodes.get_node(node);
        for outer in nodes.ancestors(node) {
            match self.step(inner, outer) {
                Met::Nothing => inner = outer,
                Met::Render => return true,
                Met::Later => return false,
            }
        }
        true
    }

    fn step(&mut self, inner: &AstNode<'a>, outer: &AstNode<'a>) -> Met {
        let at = inner.kind().span();
        match outer.kind() {
            _ if is_type_or_declaration(outer.kind()) => Met::Later,
            AstKind::IfStatement(it) => {
                guarded(&it.test, it.consequent.span(), it.alternate.as_ref().map(GetSpan::span), at)
            }
            AstKind::ConditionalExpression(it) => {
                guarded(&it.test, it.consequent.span(), Some(it.alternate.span()), at)
            }
            AstKind::LogicalExpression(it) if it.right.span().contains_inclusive(at) => match it.operator {
                LogicalOperator::And if tells(&it.left, true) => Met::Later,
                LogicalOperator::Or if tells(&it.left, false) => Met::Later,
                _ => Met::Nothing,
            },
            // What is thrown here is caught here.
            AstKind::TryStatement(it) if it.handler.is_some() && it.block.span.contains_inclusive(at) => {
                Met::Later
            }
            AstKind::BlockStatement(it) => left_before(&it.body, at),
            AstKind::FunctionBody(it) => left_before(&it.statements, at),
            AstKind::Program(it) => left_before(&it.body, at),
            AstKind::Function(_) | AstKind::ArrowFunctionExpression(_) => self.function(outer),
            AstKind::PropertyDefinition(it) if !it.r#static => Met::Later,
            _ => Met::Nothing,
        }
    }

    /// A way up leaves a function: who runs it?
    fn function(&mut self, function: &AstNode<'a>) -> Met {
        let nodes = self.semantic.nodes();
        if let AstKind::Function(it) = function.kind()
            && let Some(id) = &it.id
        {
            if renders(&id.name) {
                return Met::Render;
            }
            if it.is_declaration() {
                return id.symbol_id.get().map_or(Met::Later, |symbol| self.callers(symbol));
            }
        }
        let (holder, inner) = self.unwrapped(function);
        match holder.kind() {
            AstKind::VariableDeclarator(it) => match it.id.get_binding_identifier() {
                Some(id) if renders(&id.name) => Met::Render,
                Some(id) => id.symbol_id.get().map_or(Met::Later, |symbol| self.callers(symbol)),
                None => Met::Later,
            },
            AstKind::ExportDefaultDeclaration(_) => Met::Render,
            AstKind::CallExpression(call) if call.callee.span().contains_inclusive(inner) => Met::Nothing,
            AstKind::CallExpression(call) => given_to(callee(&call.callee)),
            AstKind::NewExpression(new) => given_to(callee(&new.callee)),
            AstKind::MethodDefinition(method) => match method.key.static_name().as_deref() {
                Some("render" | "constructor") if nodes.ancestors(holder.id()).any(is_component_class) => {
                    Met::Render
                }
                _ => Met::Later,
            },
            _ => Met::Later,
        }
    }

    /// The first node around a function that is more than a wrapping, and what of it holds the function.
    fn unwrapped(&self, function: &AstNode<'a>) -> (&'s AstNode<'a>, Span) {
        let nodes = self.semantic.nodes();
        let mut inner = function.kind().span();
        for outer in nodes.ancestors(function.id()) {
            match outer.kind() {
                AstKind::ParenthesizedExpression(_)
                | AstKind::TSAsExpression(_)
                | AstKind::TSSatisfiesExpression(_)
                | AstKind::TSNonNullExpression(_) => inner = outer.kind().span(),
                _ => return (outer, inner),
            }
        }
        (nodes.get_node(function.id()), inner)
    }

    /// Does one of those who use this function run it while rendering?
    fn callers(&mut self, symbol: SymbolId) -> Met {
        if self.asked.len() >= FOLLOWED || !self.asked.insert(symbol) {
            return Met::Later;
        }
        let nodes = self.semantic.nodes();
        let uses: Vec<NodeId> = self.semantic.symbol_references(symbol).map(|it| it.node_id()).collect();
        for id in uses {
            let node = nodes.get_node(id);
            let parent = nodes.parent_node(id);
            let at = node.kind().span();
            let runs_here = match parent.kind() {
                AstKind::CallExpression(call) if call.callee.span().contains_inclusive(at) => true,
                AstKind::CallExpression(call) => matches!(given_to(callee(&call.callee)), Met::Nothing),
                AstKind::NewExpression(new) => {
                    new.callee.span().contains_inclusive(at)
                        || matches!(given_to(callee(&new.callee)), Met::Nothing)
                }
                _ => false,
            };
            if runs_here && self.reaches(id) {
                return Met::Render;
            }
        }
        Met::Later
    }
}

/// Is it a name of a component or a hook?
fn renders(name: &str) -> bool {
    let hook =
        name.strip_prefix("use").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    hook || name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn given_to(callee: Option<&str>) -> Met {
    if callee.is_some_and(|name| AT_ONCE.contains(&name)) { Met::Nothing } else { Met::Later }
}

/// The last name of what is called.
pub(super) fn callee<'e>(callee: &'e Expression<'_>) -> Option<&'e str> {
    match callee.get_inner_expression() {
        Expression::Identifier(name) => Some(name.name.as_str()),
        Expression::ChainExpression(chain) => {
            chain.expression.member_expression().and_then(|it| it.static_property_name())
        }
        other => other.get_member_expr()?.static_property_name(),
    }
}

fn is_component_class(node: &AstNode<'_>) -> bool {
    let AstKind::Class(class) = node.kind() else { return false };
    class
        .heritage
        .as_ref()
        .and_then(|it| callee(&it.expression))
        .is_some_and(|name| name.ends_with("Component"))
}

fn is_type_or_declaration(kind: AstKind<'_>) -> bool {
    matches!(
        kind,
        AstKind::TSTypeAnnotation(_)
            | AstKind::TSTypeAliasDeclaration(_)
            | AstKind::TSInterfaceDeclaration(_)
            | AstKind::TSTypeParameterInstantiation(_)
            | AstKind::TSTypeQuery(_)
            | AstKind::TSGlobalDeclaration(_)
    )
}

/// A branch of a condition that asks for the browser.
fn guarded(test: &Expression<'_>, yes: Span, no: Option<Span>, at: Span) -> Met {
    let in_no = no.is_some_and(|no| no.contains_inclusive(at));
    if yes.contains_inclusive(at) && tells(test, true) || in_no && tells(test, false) {
        Met::Later
    } else {
        Met::Nothing
    }
}

/// A statement before this one leaves when there is no browser.
fn left_before(statements: &[Statement<'_>], at: Span) -> Met {
    let before = statements.iter().take_while(|statement| statement.span().end <= at.start);
    let leaves = before.into_iter().any(|statement| match statement {
        Statement::IfStatement(it) => tells(&it.test, false) && ends(&it.consequent),
        _ => false,
    });
    if leaves { Met::Later } else { Met::Nothing }
}

fn ends(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::ReturnStatement(_) | Statement::ThrowStatement(_) | Statement::ContinueStatement(_) => {
            true
        }
        Statement::BlockStatement(block) => block.body.last().is_some_and(ends),
        _ => false,
    }
}

/// If this condition is met (`browser`) or not met (otherwise), must there be a browser?
///
/// `typeof window !== "undefined"` tells of one when it is met, `typeof window === "undefined"` when it is not.
fn tells(test: &Expression<'_>, browser: bool) -> bool {
    match test.get_inner_expression() {
        Expression::UnaryExpression(not) if not.operator == UnaryOperator::LogicalNot => {
            tells(&not.argument, !browser)
        }
        Expression::LogicalExpression(it) => {
            let wanted = if browser { LogicalOperator::And } else { LogicalOperator::Or };
            it.operator == wanted && (tells(&it.left, browser) || tells(&it.right, browser))
        }
        Expression::BinaryExpression(it) => {
            let sides = [(&it.left, &it.right), (&it.right, &it.left)];
            let asked = sides.into_iter().find_map(|(asks, value)| asks_for_browser(asks).then_some(value));
            let Some(value) = asked else { return false };
            let undefined = value.is_specific_string_literal("undefined");
            let equal = matches!(it.operator, BinaryOperator::Equality | BinaryOperator::StrictEquality);
            let unequal =
                matches!(it.operator, BinaryOperator::Inequality | BinaryOperator::StrictInequality);
            (equal || unequal) && (undefined == (unequal == browser))
        }
        // Beside `typeof`, `globalThis.window` is a question that no server minds.
        Expression::StaticMemberExpression(it) => {
            browser && it.object.is_specific_id("globalThis") && BROWSER.contains(&it.property.name.as_str())
        }
        _ => false,
    }
}

fn asks_for_browser(expression: &Expression<'_>) -> bool {
    let Expression::UnaryExpression(it) = expression.get_inner_expression() else { return false };
    let Expression::Identifier(name) = it.argument.get_inner_expression() else { return false };
    it.operator == UnaryOperator::Typeof && BROWSER.contains(&name.name.as_str())
}
