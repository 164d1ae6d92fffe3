//! Strings, keys and texts of TypeScript and JSX.

use std::fmt::Write;

/// A TypeScript string, in the quotes of which it holds fewer. JSON's own form is one, but for what a reader could not see.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// The same, behind what is there.
pub(super) fn push_string(out: &mut String, text: &str) {
    let quote = if text.matches('"').count() > text.matches('\'').count() { '\'' } else { '"' };
    out.push(quote);
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| is_escaped(*c) || *c == quote) {
        out.push_str(&text[from..at]);
        push_escaped(out, c);
        from = at + c.len_utf8();
    }
    out.push_str(&text[from..]);
    out.push(quote);
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\\' | '"' | '\'' => out.extend(['\\', c]),
        // A string may be written to without fail; all of these have four digits at most.
        _ => drop(write!(out, "\\u{:04x}", c as u32)),
    }
}

fn is_escaped(c: char) -> bool {
    c == '\\' || is_unseen(c)
}

/// What a reader could not see, or not tell from a blank.
fn is_unseen(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A child that is text: bare where JSX gives the same text back, otherwise one string.
pub(super) fn push_text(out: &mut String, text: &str) {
    let edges = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    let bare = !edges && !text.contains(|c: char| matches!(c, '{' | '}' | '<' | '>' | '&') || is_unseen(c));
    if bare {
        out.push_str(text);
    } else {
        out.push('{');
        push_string(out, text);
        out.push('}');
    }
}

/// An attribute's value: quoted where JSX takes it as it stands, otherwise a string in braces.
pub(super) fn value(text: &str) -> String {
    let quotable = !text.contains(|c: char| matches!(c, '"' | '&' | '\\') || is_unseen(c));
    if quotable { format!("\"{text}\"") } else { format!("{{{}}}", string(text)) }
}

/// An object's key, quoted where it has to be.
pub(crate) fn key(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
    let plain = first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    const RESERVED: &[&str] = &["for", "class", "default", "in", "is"];
    if plain && !RESERVED.contains(&name) { name.to_owned() } else { string(name) }
}

/// An object of strings on one line.
pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("{}: {}", key(name), string(value))).collect();
    if members.is_empty() { "{}".into() } else { format!("{{ {} }}", members.join(", ")) }
}

/// An array of strings on one line.
pub(crate) fn array(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| string(item)).collect();
    format!("[{}]", items.join(", "))
}
