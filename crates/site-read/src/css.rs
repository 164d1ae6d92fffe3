//! References in a style sheet, with their places.
//!
//! A scanner, not a parser: it walks the text once, without recursion, and broken rules before or
//! after a reference do not hide it. Comments and plain strings hold no references.

use std::ops::Range;

/// What a reference is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `url(…)` anywhere, or a bare string inside `image-set(…)`.
    Url,
    /// `@import`, with or without `url()`.
    Import,
}

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The address as meant: escapes resolved, white space trimmed.
    pub url: String,
    /// Bytes of the address in the text, without quotes.
    pub range: Range<usize>,
    /// What it is for.
    pub kind: Kind,
}

/// All references of a style sheet or of a `style` attribute, in order.
#[must_use]
pub fn references(css: &str) -> Vec<Reference> {
    let mut scanner =
        Scanner { css, bytes: css.as_bytes(), at: 0, found: Vec::new(), sets: Vec::new(), depth: 0 };
    scanner.run();
    scanner.found
}

struct Scanner<'a> {
    css: &'a str,
    bytes: &'a [u8],
    at: usize,
    found: Vec<Reference>,
    /// Depth of parentheses at each open `image-set(`.
    sets: Vec<usize>,
    depth: usize,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'/' if self.bytes.get(self.at + 1) == Some(&b'*') => self.skip_comment(),
                b'"' | b'\'' => {
                    let range = self.string();
                    if self.sets.last() == Some(&self.depth) {
                        self.push(range, Kind::Url);
                    }
                }
                b'@' if self.word_is(self.at + 1, "import") => {
                    self.at += "@import".len();
                    self.import();
                }
                b'(' => {
                    self.depth += 1;
                    self.at += 1;
                }
                b')' => {
                    if self.sets.last() == Some(&self.depth) {
                        self.sets.pop();
                    }
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                }
                b'\\' => self.at = (self.at + 2).min(self.bytes.len()),
                _ if is_name(byte) => self.name(),
                _ => self.at += 1,
            }
        }
    }

    /// A whole name at once, so that `curl(` is not taken for `url(`.
    fn name(&mut self) {
        let start = self.at;
        while self.bytes.get(self.at).copied().is_some_and(is_name) {
            self.at += 1;
        }
        if self.bytes.get(self.at) != Some(&b'(') {
            return;
        }
        let name = &self.bytes[start..self.at];
        if name.eq_ignore_ascii_case(b"url") || name.eq_ignore_ascii_case(b"src") {
            self.at += 1;
            self.url(Kind::Url);
        } else if name.to_ascii_lowercase().ends_with(b"image-set") {
            self.at += 1;
            self.depth += 1;
            self.sets.push(self.depth);
        }
    }

    fn import(&mut self) {
        self.skip_blank();
        match self.bytes.get(self.at) {
            Some(b'"' | b'\'') => {
                let range = self.string();
                self.push(range, Kind::Import);
            }
            _ if self.word_is(self.at, "url") && self.bytes.get(self.at + 3) == Some(&b'(') => {
                self.at += 4;
                self.url(Kind::Import);
            }
            _ => {}
        }
    }

    /// After `url(`: a string, or raw text up to the parenthesis.
    fn url(&mut self, kind: Kind) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        if matches!(self.bytes.get(self.at), Some(b'"' | b'\'')) {
            let range = self.string();
            self.push(range, kind);
            while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            }
            if self.bytes.get(self.at) == Some(&b')') {
                self.at += 1;
            }
            return;
        }
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b')' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
        let end = start + self.bytes[start..self.at].trim_ascii_end().len();
        self.push(start..end, kind);
        self.at = (self.at + 1).min(self.bytes.len());
    }

    /// The inside of a string; an unescaped line end closes a broken one.
    fn string(&mut self) -> Range<usize> {
        let quote = self.bytes[self.at];
        self.at += 1;
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'\n' | b'\r' | b'\x0c' => break,
                _ if byte == quote => {
                    let range = start..self.at;
                    self.at += 1;
                    return range;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
        start..self.at
    }

    fn push(&mut self, range: Range<usize>, kind: Kind) {
        // Skipping two bytes at an escape can land inside a character at the very end.
        let Some(raw) = self.css.get(range.clone()) else {
            return;
        };
        let url = unescape(raw.trim());
        if !url.is_empty() {
            self.found.push(Reference { url, range, kind });
        }
    }

    fn word_is(&self, at: usize, word: &str) -> bool {
        let end = at + word.len();
        let found = self.bytes.get(at..end);
        found.is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
            && (word == "url" || !self.bytes.get(end).copied().is_some_and(is_name))
    }

    fn skip_blank(&mut self) {
        loop {
            match self.bytes.get(self.at) {
                Some(byte) if byte.is_ascii_whitespace() => self.at += 1,
                Some(b'/') if self.bytes.get(self.at + 1) == Some(&b'*') => self.skip_comment(),
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.css[self.at + 2..];
        self.at = rest.find("*/").map_or(self.bytes.len(), |end| self.at + 2 + end + 2);
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte >= 0x80
}

/// Resolves `\26 ` and `\(`.
fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = 0;
        let mut digits = 0;
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)).filter(|_| digits < 6) {
            code = code * 16 + digit;
            digits += 1;
            chars.next();
        }
        if digits > 0 {
            out.push(char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{fffd}'));
            chars.next_if(char::is_ascii_whitespace);
        } else if let Some(plain) = chars.next().filter(|c| *c != '\n') {
            out.push(plain);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Kind, references};

    fn urls(css: &str) -> Vec<String> {
        references(css).into_iter().map(|found| found.url).collect()
    }

    #[test]
    fn references_in_all_their_forms() {
        for (css, expected) in [
            ("a{background:url(a.png)}", vec!["a.png"]),
            ("a{background:URL( 'a b.png' ) no-repeat,url(\"c.png\")}", vec!["a b.png", "c.png"]),
            (
                "@import 'one.css' screen;@import url(two.css);@IMPORT/**/url('three.css') layer(x);",
                vec!["one.css", "two.css", "three.css"],
            ),
            ("/* url(no.png) */a{content:'url(no.png)';b:url(yes.png)}", vec!["yes.png"]),
            ("a{b:url(a\\(1\\).png);c:url('\\66 oo.png')}", vec!["a(1).png", "foo.png"]),
            ("a{b:image-set('a.png' 1x,url(b.png) 2x);content:'no'}", vec!["a.png", "b.png"]),
            ("a{b:-webkit-image-set(url(a.png) 1x)}", vec!["a.png"]),
            ("@font-face{src:url(f.eot?#iefix) format('embedded-opentype')}", vec!["f.eot?#iefix"]),
            ("a{b:curl(x);c:url()}", vec![]),
            ("a{b:url(data:image/png;base64,AA==)}", vec!["data:image/png;base64,AA=="]),
            ("}}a..b{*zoom:1;b:url(x.png", vec!["x.png"]),
            ("a{b:'broken\n;c:url(x.png)}", vec!["x.png"]),
            ("\\", vec![]),
            ("a{b:url(\\", vec![]),
            ("@importance 'x';", vec![]),
            ("\u{e9}{b:url(\u{e9}.png)}/*", vec!["\u{e9}.png"]),
        ] {
            assert_eq!(urls(css), expected, "{css}");
        }
    }

    #[test]
    fn ranges_are_the_addresses_as_written() {
        let css = "@import \"a.css\";b{c:url( d.png )}";
        let found = references(css);
        assert_eq!(&css[found[0].range.clone()], "a.css");
        assert_eq!(found[0].kind, Kind::Import);
        assert_eq!(&css[found[1].range.clone()], "d.png");
        assert_eq!(found[1].kind, Kind::Url);
    }

    #[test]
    fn deep_nesting_does_not_recurse() {
        let css = "(".repeat(200_000) + "url(x.png)";
        assert_eq!(urls(&css), ["x.png"]);
    }
}
