//! Character references.

use markup5ever::data::NAMED_ENTITIES;

/// What a reference without its `;` may be followed by, and what it means then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Attribute,
}

/// Longest name, with its `;`.
const LONGEST: usize = 33;

/// Adds the text with its references resolved; `None` for a reference that is not written in full.
pub(super) fn resolve(text: &str, place: Place, out: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let behind = rest.as_bytes().get(1).copied();
        match behind {
            Some(b'#') => {
                let (c, length) = numeric(rest)?;
                out.push(c);
                rest = &rest[length..];
            }
            Some(byte) if byte.is_ascii_alphanumeric() => match named(rest, place)? {
                Some((first, second, length)) => {
                    out.push(first);
                    out.extend(second);
                    rest = &rest[length..];
                }
                None => {
                    out.push('&');
                    rest = &rest[1..];
                }
            },
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Some(())
}

/// `&#233;` or `&#xE9;`, if it means the character that it names.
fn numeric(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let digits = &text[2..end];
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok()?,
        None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    // Control characters and the like mean others, as the standard's table says.
    let plain = matches!(code, 0x9 | 0xA | 0x20..=0x7E | 0xA0..=0xD7FF | 0xE000..=0xFDCF | 0xFDF0..=0xFFFD);
    let c = char::from_u32(code).filter(|_| plain)?;
    Some((c, end + 1))
}

type Named = (char, Option<char>, usize);

/// The outer `None`: a name without its `;`, which the standard treats by what follows. The inner one: no reference at all.
#[expect(clippy::option_option, reason = "the two are told apart where this is called")]
fn named(text: &str, place: Place) -> Option<Option<Named>> {
    let name = &text[1..];
    let length = name.bytes().take(LONGEST).position(|byte| !byte.is_ascii_alphanumeric());
    let length = length.unwrap_or(name.len().min(LONGEST));
    if name.as_bytes().get(length) == Some(&b';') {
        let (first, second) = *NAMED_ENTITIES.get(&name[..=length])?;
        let first = char::from_u32(first).filter(|c| *c != '\0')?;
        let second = char::from_u32(second).filter(|c| *c != '\0');
        return Some(Some((first, second, length + 2)));
    }
    // In an attribute a name that is followed by `=` or a letter is none: addresses are full of them.
    if place == Place::Attribute && name.as_bytes().get(length) == Some(&b'=') {
        return Some(None);
    }
    // Old names end without `;` where they like, also within a longer word.
    let old =
        (2..=length.min(6)).any(|end| NAMED_ENTITIES.get(&name[..end]).is_some_and(|found| found.0 != 0));
    if old { None } else { Some(None) }
}
