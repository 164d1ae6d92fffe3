//! What scripts that load late write into a page: attributes, on any element, that name a file of the page's. Other scripts
//! have other uses for the same names, so a value counts only if it can be an address.

/// Attributes that hold an address.
pub const ADDRESSES: &[&str] = &["data-src", "data-original", "data-lazy", "data-lazy-src", "data-poster"];
/// Attributes that hold an address or the CSS around it, as in `url(a.png)`.
pub const BACKGROUNDS: &[&str] = &["data-bg", "data-background", "data-background-image", "data-bg-src"];
/// Attributes that hold a `srcset`.
pub const SETS: &[&str] = &["data-srcset", "data-lazy-srcset"];

/// Does this value of such an attribute name a file? `true`, `#fff`, `dark` and `0.5` do not, nor does a sentence.
pub fn names_a_file(value: &str) -> bool {
    let value = value.trim();
    let has_extension = || {
        let name = value.split(['?', '#']).next().unwrap_or_default();
        name.rsplit_once('.')
            .is_some_and(|(_, extension)| extension.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    !value.contains(char::is_whitespace) && (value.contains('/') || has_extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_an_address_names_a_file() {
        for file in ["a.png", "img/a", "../a.webp?v=2", "https://a.example/x", " b.jpg ", "//cdn.example/p"] {
            assert!(names_a_file(file), "{file}");
        }
        for other in ["", "true", "dark", "#fff", "#a.b", "0.5", "1", "Read more. Then go.", "and/or so"] {
            assert!(!names_a_file(other), "{other}");
        }
    }
}
