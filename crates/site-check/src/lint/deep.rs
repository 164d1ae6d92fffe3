//! How deep a text may nest. The parser and every walk over its tree recurse, and a stack has an end: what nests deeper than
//! any person or page does is refused by a look at its characters, before anything recurses.

use memchr::memchr3;

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
    let (mut at, mut before) = (0, b'\n');
    while at < bytes.len() {
        let (byte, next) = (bytes[at], bytes.get(at + 1).copied().unwrap_or_default());
        if byte.is_ascii_alphanumeric() {
            let end = behind_word(bytes, at);
            chain += usize::from(is_chained(&bytes[at..end]));
            (before, at) = (bytes[end - 1], end);
        } else {
            at += 1;
            match byte {
                // Elsewhere it is an apostrophe in a text.
                b'"' | b'\'' if matches!(before, b'=' | b'(' | b'{' | b'[' | b',' | b':' | b'?' | b'+') => {
                    at = behind_string(bytes, at, byte);
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
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                before = byte;
            }
        }
        if brackets + tags + chain > DEEPEST || types > DEEPEST_TYPES {
            return true;
        }
    }
    false
}

/// Where the word ends that begins here.
fn behind_word(bytes: &[u8], at: usize) -> usize {
    let rest = bytes[at..].iter();
    at + rest.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// Behind the quote that ends a string, or the line that does.
fn behind_string(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(by) = memchr3(b'\\', b'\n', quote, bytes.get(at..).unwrap_or_default()) {
        at += by + 1;
        if bytes[at - 1] != b'\\' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// Words that take an expression or a statement behind them, one inside the other.
fn is_chained(word: &[u8]) -> bool {
    matches!(
        word,
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
            "f(\"\\\"((((\");\n",
            "f('((\n);",
            "a.b.c;\n",
            "<a href=\"x.y.z\">t</a>\n",
        ] {
            assert!(!is_too_deep(&piece.repeat(deep)), "{piece}");
        }
    }
}
