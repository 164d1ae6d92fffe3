//! How deep a text may nest. The parser and every walk over its tree recurse, and a stack has an end: what nests deeper than
//! any person or page does is refused by a look at its characters, before anything recurses.

/// So deep may brackets, tags and chains of operators nest together. A stack of [`STACK`] bytes holds that, also unoptimised.
pub(super) const DEEPEST: usize = 3_000;
/// So deep may type arguments nest: the parser tries each as a comparison, too, which costs the square of their number.
const DEEPEST_TYPES: usize = 300;
/// The stack of the thread that parses. Only what is used of it becomes memory.
pub(super) const STACK: usize = 512 << 20;

/// Does it nest too deep to be parsed? A bound from above, for any text: without parsing, type arguments look like tags that
/// are never closed, so a file with thousands of them is refused, too.
pub(super) fn is_too_deep(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut brackets, mut tags, mut chain, mut types) = (0_usize, 0_usize, 0_usize, 0_usize);
    let (mut quote, mut before) = (None, b'\n');
    let mut at = 0;
    while at < bytes.len() {
        let (byte, next) = (bytes[at], bytes.get(at + 1).copied().unwrap_or_default());
        at += 1;
        if let Some(end) = quote {
            match byte {
                b'\\' => at += 1,
                b'\n' => quote = None,
                _ if byte == end => quote = None,
                _ => {}
            }
            continue;
        }
        match byte {
            // Elsewhere it is an apostrophe in a text.
            b'"' | b'\'' if matches!(before, b'=' | b'(' | b'{' | b'[' | b',' | b':' | b'?' | b'+') => {
                quote = Some(byte)
            }
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'<' if next == b'/' => (tags, chain) = (tags.saturating_sub(1), 0),
            b'<' => {
                tags += 1;
                types += usize::from(before.is_ascii_alphanumeric());
            }
            b'>' => types = types.saturating_sub(1),
            b'/' if next == b'>' => tags = tags.saturating_sub(1),
            b';' => (chain, types) = (0, 0),
            b',' => chain = 0,
            b'!' | b'~' | b'+' | b'-' | b'*' | b'%' | b'=' | b'?' | b':' | b'&' | b'|' | b'^' | b'.'
            | b'`' => chain += 1,
            _ if byte.is_ascii_lowercase() && begins_word(bytes, at - 1) && is_chained(&bytes[at - 1..]) => {
                chain += 1
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        if brackets + tags + chain > DEEPEST || types > DEEPEST_TYPES {
            return true;
        }
    }
    false
}

fn begins_word(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_alphanumeric())
}

/// Words that take an expression or a statement behind them, one inside the other.
fn is_chained(rest: &[u8]) -> bool {
    // None has more than ten letters.
    let rest = &rest[..rest.len().min(11)];
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    matches!(
        &rest[..end.unwrap_or(rest.len())],
        b"await"
            | b"typeof"
            | b"void"
            | b"delete"
            | b"new"
            | b"yield"
            | b"else"
            | b"if"
            | b"do"
            | b"while"
            | b"for"
            | b"keyof"
            | b"readonly"
            | b"unique"
            | b"infer"
            | b"extends"
            | b"as"
            | b"satisfies"
            | b"in"
            | b"of"
            | b"instanceof"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nests_beyond_reason_is_refused() {
        let deep = DEEPEST + 1;
        for piece in ["(", "[", "{", "!", "<a>", "x=>", "x?", "typeof ", "a.", "a+", "if(x)", "A<"] {
            assert!(is_too_deep(&piece.repeat(deep)), "{piece}");
        }
        for piece in [
            "<p>it's</p>\n",
            "<br/>",
            "f();\n",
            "[1,2],",
            "f(\"((((\");\n",
            "a.b.c;\n",
            "<a href=\"x.y.z\">t</a>\n",
        ] {
            assert!(!is_too_deep(&piece.repeat(deep)), "{piece}");
        }
    }
}
