//! Keys, tokens and passwords in code. Known shapes are known by their shape, others by a telling name beside a text that is
//! too random for words. What is found is never repeated: the description has its kind and four characters.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;
use oxc::{
    ast::{AstKind, ast::JSXAttributeName},
    semantic::AstNode,
    span::Span,
};

use super::entropy;
use crate::lint::file::{File, Found, Role};

/// A shape: what it is, how it begins, which characters follow, how many of them at least.
struct Shape {
    what: &'static str,
    start: &'static str,
    follows: fn(char) -> bool,
    least: usize,
    /// It is made to be public, if its owner bounds what it can do.
    public: bool,
}

const fn shape(what: &'static str, start: &'static str, follows: fn(char) -> bool, least: usize) -> Shape {
    Shape { what, start, follows, least, public: false }
}

fn upper(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn wide(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn dotted(c: char) -> bool {
    wide(c) || c == '.'
}

fn path(c: char) -> bool {
    wide(c) || c == '/'
}

const SHAPES: &[Shape] = &[
    shape("an AWS access key", "AKIA", upper, 16),
    shape("a temporary AWS access key", "ASIA", upper, 16),
    shape("a GitHub token", "ghp_", word, 36),
    shape("a GitHub token", "gho_", word, 36),
    shape("a GitHub token", "ghu_", word, 36),
    shape("a GitHub token", "ghs_", word, 36),
    shape("a GitHub token", "ghr_", word, 36),
    shape("a GitHub token", "github_pat_", wide, 40),
    shape("a GitLab token", "glpat-", wide, 20),
    shape("a Stripe secret key", "sk_live_", word, 16),
    shape("a Stripe restricted key", "rk_live_", word, 16),
    shape("an Anthropic key", "sk-ant-", wide, 20),
    shape("an OpenAI key", "sk-proj-", wide, 20),
    shape("a Slack token", "xoxb-", wide, 20),
    shape("a Slack token", "xoxp-", wide, 20),
    shape("a Slack token", "xoxa-", wide, 20),
    shape("a Slack web hook", "https://hooks.slack.com/services/", path, 20),
    shape("a SendGrid key", "SG.", dotted, 40),
    shape("an npm token", "npm_", word, 36),
    shape("a Google OAuth secret", "GOCSPX-", wide, 20),
    Shape { what: "a Google API key", start: "AIza", follows: wide, least: 35, public: true },
];

/// What a key in PEM's form begins with (RFC 7468).
const KEY: &str = "-----BEGIN ";
/// What stands between the scheme of an address and what it names.
const ADDRESS: &str = "://";

/// What one of them must hold: most texts hold nothing of it, and are looked through but once.
static BEGINNINGS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let shapes = SHAPES.iter().map(|shape| shape.start);
    AhoCorasick::new(shapes.chain([KEY, ADDRESS])).expect("a few short words")
});

/// Words in a name that tell of a secret, with all but letters taken out.
const TELLING: &[&str] =
    &["secret", "password", "passwd", "apikey", "privatekey", "accesstoken", "authtoken", "accesskey"];
/// A value beside such a name is one from so many characters, so random.
const LEAST: usize = 20;
const BITS: f64 = 3.7;

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    if file.role == Role::Declaration {
        return;
    }
    let (text, span) = match node.kind() {
        AstKind::StringLiteral(it) => (it.value.as_str(), it.span),
        AstKind::TemplateElement(it) => (it.value.raw.as_str(), it.span),
        AstKind::JSXText(it) => (it.value.as_str(), it.span),
        _ => return,
    };
    let before = found.list.len();
    known(text, |what, range, public| {
        let token = &text[range];
        let (span, told) = (within(file, span, token), describe(what, token));
        let finding = found.at(span, told).because_of(token, excuse_at(node, file));
        if public {
            finding.as_advice();
        }
    });
    if found.list.len() == before && is_random(text) && is_named_secret(node, file) {
        found.at(span, describe("a secret, by its name", text)).because_of(text, excuse_at(node, file));
    }
}

/// Where a comment may stand: before a string, or before the attribute that it is the value of.
fn excuse_at(node: &AstNode<'_>, file: &File<'_, '_>) -> Option<u32> {
    let AstKind::StringLiteral(literal) = node.kind() else { return None };
    match file.semantic.nodes().parent_kind(node.id()) {
        AstKind::JSXAttribute(attribute) => Some(attribute.span.start),
        AstKind::ImportDeclaration(_) | AstKind::ExportAllDeclaration(_) => None,
        _ => Some(literal.span.start),
    }
}

fn describe(what: &str, token: &str) -> String {
    let start: String = token.chars().take(4).collect();
    format!(
        "{what} ({start}…, {} characters): take it out, make it void where it came from, and read it from the environment on the server",
        token.chars().count()
    )
}

/// Where in the source the token stands: to the letter if it does, otherwise somewhere in the literal.
fn within(file: &File<'_, '_>, span: Span, token: &str) -> Span {
    match file.slice(span).find(token) {
        Some(at) => Span::sized(span.start + at as u32, token.len() as u32),
        None => span,
    }
}

/// Calls with every token of a known shape: what it is, where, and whether it is made to be public.
pub(in crate::lint) fn known(text: &str, mut tell: impl FnMut(&str, Range<usize>, bool)) {
    if text.len() < LEAST || !BEGINNINGS.is_match(text) {
        return;
    }
    for shape in SHAPES {
        for (at, _) in text.match_indices(shape.start) {
            let alone = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest = &text[at + shape.start.len()..];
            let length = rest.find(|c| !(shape.follows)(c)).unwrap_or(rest.len());
            if alone && length >= shape.least {
                tell(shape.what, at..at + shape.start.len() + length, shape.public);
            }
        }
    }
    for (at, _) in text.match_indices(KEY) {
        let head = text[at..].lines().next().unwrap_or_default();
        if head.contains("PRIVATE KEY") {
            tell("a private key", at..text.len(), false);
        }
    }
    for (at, _) in text.match_indices(ADDRESS) {
        if let Some(address) = with_password(text, at) {
            tell("an address with a password", address, false);
        }
    }
}

/// `scheme://user:password@`, around the colon at `at`.
fn with_password(text: &str, at: usize) -> Option<Range<usize>> {
    let start =
        text[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && c != '+').map_or(0, |before| before + 1);
    let start = (start..=at).find(|start| text.is_char_boundary(*start))?;
    let rest = &text[at + 3..];
    let authority = &rest[..rest
        .find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace())
        .unwrap_or(rest.len())];
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    // `${PASSWORD}` and its like are none.
    let real =
        !name.is_empty() && password.len() >= 4 && !password.contains(['$', '{', '<', '*']) && start < at;
    real.then(|| start..at + 3 + user.len())
}

fn is_random(text: &str) -> bool {
    let shaped =
        text.len() >= LEAST && text.chars().all(|c| wide(c) || matches!(c, '+' | '/' | '=' | '.' | ':'));
    let mixed =
        text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_ascii_alphabetic());
    shaped && mixed && !text.contains("://") && !text.starts_with(['/', '.']) && entropy::of(text) >= BITS
}

/// Is this the value of something with a telling name?
fn is_named_secret(node: &AstNode<'_>, file: &File<'_, '_>) -> bool {
    for outer in file.around(node).take(4) {
        let name = match outer.kind() {
            AstKind::VariableDeclarator(it) => it.id.get_binding_identifier().map(|id| id.name.to_string()),
            AstKind::ObjectProperty(it) => it.key.static_name().map(|name| name.into_owned()),
            AstKind::JSXAttribute(it) => match &it.name {
                JSXAttributeName::Identifier(name) => Some(name.name.to_string()),
                JSXAttributeName::NamespacedName(_) => None,
            },
            AstKind::JSXExpressionContainer(_) | AstKind::TSAsExpression(_) | AstKind::TemplateLiteral(_) => {
                continue;
            }
            _ => return false,
        };
        let letters: String = name
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_ascii_lowercase();
        return TELLING.iter().any(|word| letters.contains(word));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let mut kinds = Vec::new();
        known(text, |what, _, _| kinds.push(what.to_owned()));
        kinds
    }

    #[test]
    fn shapes_are_known_wherever_they_stand() {
        let key = format!("AKIA{}", "Z7".repeat(8));
        assert_eq!(kinds(&format!("key={key};")), ["an AWS access key"]);
        assert!(kinds(&format!("x{key}")).is_empty() && kinds(&key[..18]).is_empty());
        assert_eq!(kinds("postgres://admin:hunter22@db/x").len(), 1);
        assert!(kinds("postgres://admin:${PASSWORD}@db/x https://example.com/a:b@c").is_empty());
        assert_eq!(kinds("é://u:password@h und mehr Text"), Vec::<String>::new());
        assert_eq!(kinds("-----BEGIN RSA PRIVATE KEY-----\nMIIE"), ["a private key"]);
    }

    #[test]
    fn a_description_does_not_repeat_it() {
        let told = describe("a key", "abcdefghijkl");
        assert!(told.contains("abcd…") && !told.contains("abcde"));
    }
}
