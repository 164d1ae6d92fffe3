//! The table of rules. A rule is one small file of `rule`, one line here, one page of `docs/lint` and one folder of
//! `fixtures/lint`; a test holds the four together.

use std::fmt;

use oxc::semantic::AstNode;

use super::{
    element::Element,
    file::{File, Found},
    rule,
};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The project breaks, or leaks: a violation.
    Error,
    /// It works and could be better: a recommendation.
    Advice,
}

/// One rule.
pub struct Rule {
    /// Its stable name, which is the type of its violations.
    pub name: &'static str,
    /// What it wants, in a line.
    pub about: &'static str,
    /// The weight of what it finds, where the finding itself does not say otherwise.
    pub severity: Severity,
    pub(super) check: Check,
}

impl Rule {
    /// The page about it, from Resettle's root.
    pub fn docs(&self) -> String {
        format!("docs/lint/{}.md", self.name)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).field("severity", &self.severity).finish()
    }
}

/// What a rule is shown. One walk over a file serves all rules.
pub(super) enum Check {
    /// Every element of JSX.
    Elements(fn(&Element<'_>, &File<'_, '_>, &mut Found)),
    /// Every node of the syntax tree.
    Nodes(fn(&AstNode<'_>, &File<'_, '_>, &mut Found)),
    /// The file as a whole.
    Whole(fn(&File<'_, '_>, &mut Found)),
    /// Nothing: the lint itself finds it.
    Own,
}

/// All rules, by name.
pub fn rules() -> &'static [Rule] {
    RULES
}

pub(super) fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// A file that cannot be read as what it says it is.
pub(super) const UNREADABLE: &str = "unreadable";
/// A comment that excuses without a reason, or nothing.
pub(super) const LINT_IGNORE: &str = "lint_ignore";

const fn error(name: &'static str, about: &'static str, check: Check) -> Rule {
    Rule { name, about, severity: Severity::Error, check }
}

static RULES: &[Rule] = &[
    error(
        "dangerouslySetInnerHTML",
        "HTML is written as elements, not as a string, outside LegacyBlock",
        Check::Nodes(rule::inner_html::check),
    ),
    error(
        "document_as_text",
        "a page is no string in an attribute",
        Check::Elements(rule::document_as_text::check),
    ),
    error("dom_mutation", "the DOM is changed only in islands", Check::Nodes(rule::dom_mutation::check)),
    error(
        "dynamic_require",
        "modules are imported by name, not looked up at run time",
        Check::Nodes(rule::dynamic_require::check),
    ),
    error(
        "empty_string_boolean",
        "boolean attributes are true, not an empty string",
        Check::Elements(rule::empty_string_boolean::check),
    ),
    error(
        "ignore_flag",
        "no check of the compiler, the linter or the build is switched off",
        Check::Whole(rule::ignore_flag::check),
    ),
    error(
        "img_element",
        "images are next/image, or come from a host that is allowed",
        Check::Elements(rule::img_element::check),
    ),
    error("javascript_url", "no address is a script", Check::Elements(rule::javascript_url::check)),
    error(LINT_IGNORE, "whoever excuses a finding says why", Check::Own),
    error(
        "metadata_key_colon",
        "metadata.other has no key with a colon",
        Check::Nodes(rule::metadata_key_colon::check),
    ),
    error(
        "raw_redirect_source",
        "sources of redirects and rewrites are percent-encoded",
        Check::Nodes(rule::raw_redirect_source::check),
    ),
    error(
        "raw_route_folder",
        "folders of routes have names in ASCII",
        Check::Whole(rule::raw_route_folder::check),
    ),
    error("secret", "no key, token or password stands in the code", Check::Nodes(rule::secret::check)),
    error(
        "server_only_module",
        "no module of the server in what a browser loads",
        Check::Nodes(rule::server_only_module::check),
    ),
    error(
        "ssr_window_access",
        "nothing of the browser is used while the server renders",
        Check::Whole(rule::ssr_window_access::check),
    ),
    error("string_handler", "event handlers are functions", Check::Elements(rule::string_handler::check)),
    error(
        "stylesheet_without_precedence",
        "style sheets say their precedence, so that their order holds",
        Check::Elements(rule::stylesheet_without_precedence::check),
    ),
    error(
        "tailwind_overflow",
        "a className has fewer than 256 characters",
        Check::Elements(rule::tailwind_overflow::check),
    ),
    error(
        "uncontrolled_script",
        "scripts are next/script with a strategy",
        Check::Elements(rule::uncontrolled_script::check),
    ),
    error(
        "unneeded_use_client",
        "'use client' stands only in leaves that need it",
        Check::Whole(rule::unneeded_use_client::check),
    ),
    error(UNREADABLE, "every file is TypeScript of bounded size", Check::Own),
];
