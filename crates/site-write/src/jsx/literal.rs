//! Strings, keys and texts of TypeScript and JSX.

/// A TypeScript string. JSON's own form is one, but for what a reader could not see.
pub(crate) fn string(text: &str) -> String {
    let json = serde_json::to_string(text).expect("a string serialises");
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let unseen = matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if unseen {
            out.push_str(&format!("\\u{:04x}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

/// A child that is text: bare where JSX gives the same text back, otherwise one string.
pub(super) fn text(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let visible = |c: char| {
        !matches!(c, '{' | '}' | '<' | '>' | '&' | '\n' | '\r' | '\t' | '\u{a0}' | '\u{ad}' | '\u{feff}')
    };
    let edges = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    let seen = string(text).len() == text.len() + 2;
    let bare = !edges
        && text.chars().all(visible)
        && (seen || text.contains(['"', '\\']) && !string(text).contains("\\u"));
    if bare { text.to_owned() } else { format!("{{{}}}", string(text)) }
}

/// An attribute's value: quoted where JSX takes it as it stands, otherwise a string in braces.
pub(super) fn value(text: &str) -> String {
    let plain = text.chars().all(|c| !matches!(c, '"' | '&' | '\n' | '\r' | '\\'))
        && string(text).len() == text.len() + 2;
    if plain { format!("\"{text}\"") } else { format!("{{{}}}", string(text)) }
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
