//! Strings, keys and texts of TypeScript and JSX.

/// A TypeScript string, in the quotes of which it holds fewer. JSON's own form is one, but for what a reader could not see.
pub(crate) fn string(text: &str) -> String {
    let json = serde_json::to_string(text).expect("a string serialises");
    let single = text.matches('"').count() > text.matches('\'').count();
    let inner = &json[1..json.len() - 1];
    let mut out = String::with_capacity(json.len());
    out.push(if single { '\'' } else { '"' });
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let unseen = matches!(c, '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        match c {
            // What is escaped stays together; a quote of the other kind needs no escape.
            '\\' => match chars.next() {
                Some('"') if single => out.push('"'),
                escaped => out.extend(['\\'].into_iter().chain(escaped)),
            },
            '\'' if single => out.push_str("\\'"),
            c if unseen => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(if single { '\'' } else { '"' });
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
    let bare = !edges && text.chars().all(visible) && plain(text);
    if bare { text.to_owned() } else { format!("{{{}}}", string(text)) }
}

/// Does it hold nothing but what a reader sees? Quotes and the like are no matter.
fn plain(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    string(&bare).len() == bare.len() + 2
}

/// An attribute's value: quoted where JSX takes it as it stands, otherwise a string in braces.
pub(super) fn value(text: &str) -> String {
    let quotable = text.chars().all(|c| !matches!(c, '"' | '&' | '\n' | '\r' | '\\')) && plain(text);
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
