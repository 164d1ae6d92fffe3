//! Bounds for what is taken over from a document.

/// Most characters of one text.
pub(crate) const TEXT: usize = 500;
/// Most entries of one list.
pub(crate) const LIST: usize = 500;

/// White space collapsed, at most [`TEXT`] characters.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        for character in word.chars() {
            if length >= TEXT {
                return out;
            }
            out.push(character);
            length += 1;
        }
    }
    out
}

/// The same, `None` if nothing is left.
pub(crate) fn some(raw: &str) -> Option<String> {
    let clipped = text(raw);
    (!clipped.is_empty()).then_some(clipped)
}

/// Adds to a list while it has room.
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < LIST {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_collapsed_and_length_is_bounded() {
        assert_eq!(text("  a \n\t b\u{a0}c "), "a b c");
        assert_eq!(some(" \n "), None);
        assert_eq!(text(&"é ".repeat(1000)).chars().count(), TEXT);
        assert_eq!(text(&"x".repeat(1000)).chars().count(), TEXT);
    }
}
