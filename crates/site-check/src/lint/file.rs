//! One file as rules see it: its tree with scopes, what it is for, and whether it runs in browsers.

use oxc::{
    ast::{
        AstKind,
        ast::{ImportDeclaration, ImportDeclarationSpecifier, JSXElementName, Statement},
    },
    semantic::{AstNode, Semantic},
    span::Span,
};

use super::{
    Options,
    element::Element,
    registry::{Rule, Severity},
};

/// What a file is for, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It shows something: pages, layouts, components and what they use.
    Shown,
    /// It answers requests or runs beside the server: route handlers, proxies.
    Server,
    /// It is read by tools: configuration, scripts, tests.
    Tool,
    /// It only declares types.
    Declaration,
}

/// A file that was parsed.
pub(super) struct File<'s, 'a> {
    pub(super) path: &'s str,
    pub(super) text: &'s str,
    pub(super) role: Role,
    pub(super) semantic: &'s Semantic<'a>,
    pub(super) options: &'s Options,
    /// It begins with 'use client'.
    pub(super) client: Option<Span>,
    /// It is marked as an island, which may do to the DOM what it likes.
    pub(super) island: bool,
}

/// What marks an island, in a comment.
const ISLAND: &str = "@builder-island";

impl<'s, 'a> File<'s, 'a> {
    pub(super) fn of(path: &'s str, text: &'s str, semantic: &'s Semantic<'a>, options: &'s Options) -> Self {
        let program = semantic.nodes().program();
        let directive = |name: &str| program.directives.iter().find(|d| d.directive == name).map(|d| d.span);
        let comment = |word: &str| {
            semantic.comments().iter().any(|comment| text_of(text, comment.content_span()).trim() == word)
        };
        let role = if directive("use server").is_some() { Role::Server } else { role(path) };
        Self { path, text, role, semantic, options, client: directive("use client"), island: comment(ISLAND) }
    }

    /// The file's name without its folders.
    pub(super) fn name(&self) -> &'s str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn is_next_config(&self) -> bool {
        self.name().starts_with("next.config.")
    }

    pub(super) fn slice(&self, span: Span) -> &'s str {
        text_of(self.text, span)
    }

    /// The import declarations that are more than types.
    pub(super) fn imports(&self) -> impl Iterator<Item = &'a ImportDeclaration<'a>> + use<'a> {
        self.semantic.nodes().program().body.iter().filter_map(|statement| match statement {
            Statement::ImportDeclaration(import) if !import.import_kind.is_type() => Some(&**import),
            _ => None,
        })
    }

    /// Is `name` what this module exports by default?
    pub(super) fn is_default_of(&self, name: &str, module: &str) -> bool {
        self.imports().filter(|import| import.source.value == module).any(|import| {
            import.specifiers.iter().flatten().any(|specifier| {
                matches!(specifier, ImportDeclarationSpecifier::ImportDefaultSpecifier(it) if it.local.name == name)
            })
        })
    }

    /// Is it in an element of one of these names, or in one that is in one?
    pub(super) fn is_inside(&self, element: &Element<'_>, names: &[&str]) -> bool {
        self.semantic.nodes().ancestors(element.node).any(|outer| match outer.kind() {
            AstKind::JSXElement(outer) => match &outer.opening_element.name {
                JSXElementName::Identifier(name) => names.contains(&name.name.as_str()),
                JSXElementName::IdentifierReference(name) => names.contains(&name.name.as_str()),
                _ => false,
            },
            _ => false,
        })
    }

    /// The nodes around one, from the inside out.
    pub(super) fn around(&self, node: &AstNode<'_>) -> impl Iterator<Item = &'s AstNode<'a>> + use<'s, 'a> {
        self.semantic.nodes().ancestors(node.id())
    }
}

fn text_of(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

fn role(path: &str) -> Role {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let inner =
        |folder: &str| path.starts_with(&format!("{folder}/")) || path.contains(&format!("/{folder}/"));
    if name.ends_with(".d.ts") || name.ends_with(".d.mts") || name.ends_with(".d.cts") {
        return Role::Declaration;
    }
    let tool = name.contains(".config.") || name.contains(".test.") || name.contains(".spec.");
    if tool || inner("scripts") || inner("__tests__") || name.starts_with('.') {
        return Role::Tool;
    }
    // Only the folder of routes gives these names their meaning, and the root of the project.
    let at_root = !path.contains('/') || path.strip_prefix("src/").is_some_and(|rest| !rest.contains('/'));
    let routed = inner("app") && stem == "route" || inner("pages") && inner("api");
    if routed || at_root && matches!(stem, "middleware" | "proxy" | "instrumentation") {
        return Role::Server;
    }
    Role::Shown
}

/// What one rule found in one file.
pub(super) struct Found {
    pub(super) rule: &'static Rule,
    pub(super) list: Vec<Finding>,
}

/// Something that a rule found.
pub(super) struct Finding {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) span: Span,
    pub(super) description: String,
    pub(super) mending: Option<Vec<Edit>>,
    pub(super) culprit: Option<Culprit>,
}

/// The text that is at fault. If the site that a project was made of had it, that is a reason to keep it.
/// Never printed: it may be a secret.
pub(super) struct Culprit {
    pub(super) text: String,
    /// Where a comment may stand that excuses it.
    pub(super) excuse_at: Option<u32>,
}

/// A range of a file, and what is to stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) span: Span,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    pub(super) fn insert(at: u32, text: impl Into<String>) -> Self {
        Self::replace(Span::new(at, at), text)
    }
}

impl Found {
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self { rule, list: Vec::new() }
    }

    /// A finding at this place, in a sentence.
    pub(super) fn at(&mut self, span: Span, description: impl Into<String>) -> &mut Finding {
        self.list.push(Finding {
            rule: self.rule,
            severity: self.rule.severity,
            span,
            description: description.into(),
            mending: None,
            culprit: None,
        });
        self.list.last_mut().expect("it was put in just now")
    }
}

impl Finding {
    pub(super) fn mended_by(&mut self, edits: Vec<Edit>) -> &mut Self {
        self.mending = Some(edits);
        self
    }

    pub(super) fn because_of(&mut self, text: &str, excuse_at: impl Into<Option<u32>>) -> &mut Self {
        self.culprit = Some(Culprit { text: text.to_owned(), excuse_at: excuse_at.into() });
        self
    }

    pub(super) fn as_advice(&mut self) -> &mut Self {
        self.severity = Severity::Advice;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_a_file_is_for() {
        for (path, wanted) in [
            ("app/page.tsx", Role::Shown),
            ("components/Route.tsx", Role::Shown),
            ("app/api/x/route.ts", Role::Server),
            ("src/app/x/route.js", Role::Server),
            ("proxy.ts", Role::Server),
            ("src/middleware.ts", Role::Server),
            ("lib/proxy.ts", Role::Shown),
            ("next.config.ts", Role::Tool),
            ("scripts/build.mjs", Role::Tool),
            ("lib/x.test.ts", Role::Tool),
            ("legacy-html.d.ts", Role::Declaration),
        ] {
            assert_eq!(role(path), wanted, "{path}");
        }
    }
}
