//! The common forms of HTML's tokens, handed to whoever builds the tree.

use crate::tree::{Attribute, Span, Strings};

use super::entity::{self, Place};

/// Takes tokens. Answers `None` to a token that it cannot deal with; the reading then ends.
pub(super) trait Sink {
    fn start(&mut self, strings: &mut Strings<'_>, tag: &Start<'_>) -> Option<After>;
    fn end(&mut self, strings: &mut Strings<'_>, name: Span) -> Option<()>;
    /// Text, never empty.
    fn text(&mut self, strings: &mut Strings<'_>, text: Span) -> Option<()>;
    fn comment(&mut self, strings: &mut Strings<'_>, text: Span) -> Option<()>;
    fn doctype(&mut self, doctype: Doctype<'_>) -> Option<()>;
}

/// A start tag.
pub(super) struct Start<'a> {
    /// In lower case.
    pub(super) name: Span,
    /// Each name once and in lower case.
    pub(super) attributes: &'a [Attribute],
    pub(super) self_closing: bool,
    /// Whether a name stood there twice; the first counts.
    pub(super) duplicates: bool,
}

/// What follows a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Anything.
    Markup,
    /// Text alone, up to the end tag; in it references mean something.
    TextWithReferences,
    /// Text alone.
    Text,
    /// The text of a script.
    Script,
}

/// A document type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doctype<'a> {
    pub(super) name: &'a str,
    pub(super) public: Option<&'a str>,
    pub(super) system: Option<&'a str>,
}

/// Reads the whole text, which has no carriage returns, NUL bytes or byte order mark; its strings.
/// `None` where something rare comes, with the sink left half done.
pub(super) fn feed<'a>(text: &'a str, sink: &mut impl Sink) -> Option<Strings<'a>> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        sink,
        strings: Strings::new(text.into()),
        attributes: Vec::new(),
    };
    reader.run()?;
    Some(reader.strings)
}

struct Reader<'a, 's, S> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    sink: &'s mut S,
    strings: Strings<'a>,
    /// Of the tag that is read.
    attributes: Vec<Attribute>,
}

impl<S: Sink> Reader<'_, '_, S> {
    fn run(&mut self) -> Option<()> {
        while self.at < self.bytes.len() {
            let open = memchr::memchr(b'<', &self.bytes[self.at..]);
            let end = open.map_or(self.bytes.len(), |found| self.at + found);
            self.characters(end, true)?;
            if open.is_some() {
                self.markup()?;
            }
        }
        Some(())
    }

    /// Hands out the text up to here.
    fn characters(&mut self, end: usize, references: bool) -> Option<()> {
        if end > self.at {
            let part = self.string(self.at, end, references.then_some(Place::Text))?;
            self.at = end;
            if !part.is_empty() {
                self.sink.text(&mut self.strings, part)?;
            }
        }
        Some(())
    }

    /// What stands between two places, with references resolved if they mean something here.
    fn string(&mut self, start: usize, end: usize, references: Option<Place>) -> Option<Span> {
        match references {
            Some(place) if memchr::memchr(b'&', &self.bytes[start..end]).is_some() => {
                let text = &self.text[start..end];
                self.strings.make(|made| entity::resolve(text, place, made))
            }
            _ => Some(Span::of_source(start, end)),
        }
    }

    /// At a `<`.
    fn markup(&mut self) -> Option<()> {
        match self.bytes.get(self.at + 1)? {
            b'a'..=b'z' | b'A'..=b'Z' => self.start(self.at + 1),
            b'/' if self.bytes.get(self.at + 2).is_some_and(u8::is_ascii_alphabetic) => self.end(self.at + 2),
            b'!' if self.bytes[self.at..].starts_with(b"<!--") => self.comment(),
            b'!' => self.doctype(),
            b'?' => self.instruction(),
            b'/' => None,
            // No markup at all.
            _ => {
                let end = self.at + 1;
                self.characters(end, false)
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        let start = self.at + 4;
        let inner = memchr::memmem::find(self.bytes.get(start..)?, b"-->")?;
        let text = &self.text[start..start + inner];
        // These end a comment too.
        if text.starts_with('>') || text.starts_with("->") || text.contains("--!>") {
            return None;
        }
        // `<!-->` and `<!--->`
        if self.bytes[start..].starts_with(b"->") {
            return None;
        }
        self.at = start + inner + 3;
        self.sink.comment(&mut self.strings, Span::of_source(start, start + inner))
    }

    /// `<?xml … ?>`, which HTML takes for a comment.
    fn instruction(&mut self) -> Option<()> {
        let end = self.at + memchr::memchr(b'>', &self.bytes[self.at..])?;
        let part = Span::of_source(self.at + 1, end);
        self.at = end + 1;
        self.sink.comment(&mut self.strings, part)
    }

    /// `<!DOCTYPE html>`, or one with both identifiers in quotes.
    fn doctype(&mut self) -> Option<()> {
        let end = self.at + memchr::memchr(b'>', &self.bytes[self.at..])?;
        let inner = self.text.get(self.at + 2..end)?;
        let (word, rest) = inner.split_at_checked(7)?;
        let rest = rest.strip_prefix([' ', '\n', '\t']).filter(|_| word.eq_ignore_ascii_case("doctype"))?;
        let rest = rest.trim_ascii();
        let length = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (name, ids) = rest.split_at(length);
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !plain(name) {
            return None;
        }
        let mut doctype = Doctype { name, public: None, system: None };
        if let Some((word, ids)) = ids.trim_ascii().split_at_checked(6).filter(|_| !ids.is_empty()) {
            let (first, rest) = quoted(ids)?;
            if word.eq_ignore_ascii_case("public") {
                doctype.public = Some(first);
                if !rest.is_empty() {
                    let (second, rest) = quoted(rest)?;
                    doctype.system = Some(second).filter(|_| rest.is_empty());
                    doctype.system?;
                }
            } else if word.eq_ignore_ascii_case("system") && rest.is_empty() {
                doctype.system = Some(first);
            } else {
                return None;
            }
        } else if !ids.trim_ascii().is_empty() {
            return None;
        }
        self.at = end + 1;
        self.sink.doctype(doctype)
    }

    fn start(&mut self, start: usize) -> Option<()> {
        let name = self.name(start, ends_name)?;
        self.attributes.clear();
        let (self_closing, duplicates) = self.attributes()?;
        let tag = Start { name, attributes: &self.attributes, self_closing, duplicates };
        match self.sink.start(&mut self.strings, &tag)? {
            After::Markup => Some(()),
            after => self.raw(after, name),
        }
    }

    fn end(&mut self, start: usize) -> Option<()> {
        let name = self.name(start, ends_name)?;
        self.attributes.clear();
        self.attributes()?;
        self.sink.end(&mut self.strings, name)
    }

    /// A name in lower case, and on to what follows it.
    fn name(&mut self, start: usize, ends: impl Fn(u8) -> bool) -> Option<Span> {
        let length = self.bytes[start..].iter().position(|byte| ends(*byte))?;
        self.at = start + length;
        let name = &self.text[start..self.at];
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.strings.make(|made| {
                made.extend(name.chars().map(|c| c.to_ascii_lowercase()));
                Some(())
            })
        } else {
            Some(Span::of_source(start, self.at))
        }
    }

    /// Attributes up to and with the `>`: whether a `/` stands before it, and whether a name stood there twice.
    fn attributes(&mut self) -> Option<(bool, bool)> {
        let mut duplicates = false;
        loop {
            let blank = self.bytes[self.at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
            self.at += blank;
            match self.bytes[self.at] {
                b'>' => {
                    self.at += 1;
                    return Some((false, duplicates));
                }
                b'/' if self.bytes.get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    return Some((true, duplicates));
                }
                b'/' => {
                    self.at += 1;
                    continue;
                }
                b'=' => return None,
                _ => {}
            }
            let name = self.name(self.at, |byte| byte == b'=' || ends_name(byte))?;
            let value = self.value()?;
            let same = |other: &Attribute| self.strings.get(other.name) == self.strings.get(name);
            if self.attributes.iter().any(same) {
                duplicates = true;
            } else {
                self.attributes.push(Attribute { name, value });
            }
        }
    }

    /// `= "value"` behind an attribute's name, if it is there.
    fn value(&mut self) -> Option<Span> {
        let blank = self.bytes[self.at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
        if self.bytes[self.at + blank] != b'=' {
            return Some(Span::EMPTY);
        }
        self.at += blank + 1;
        self.at += self.bytes[self.at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
        let (start, end, next) = match self.bytes[self.at] {
            quote @ (b'"' | b'\'') => {
                let start = self.at + 1;
                let end = start + memchr::memchr(quote, &self.bytes[start..])?;
                (start, end, end + 1)
            }
            b'>' => return None,
            _ => {
                let rest = &self.bytes[self.at..];
                let ends = |byte: &u8| *byte == b'>' || byte.is_ascii_whitespace();
                let end = self.at + rest.iter().position(ends)?;
                (self.at, end, end)
            }
        };
        self.at = next;
        self.string(start, end, Some(Place::Attribute))
    }

    /// The text of an element that holds no elements, up to its end tag.
    fn raw(&mut self, after: After, name: Span) -> Option<()> {
        let name = self.strings.get(name);
        let mut from = self.at;
        let end = loop {
            let found = from + memchr::memmem::find(&self.bytes[from..], b"</")?;
            let behind = &self.bytes[found + 2..];
            let same =
                behind.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()));
            if same && behind.get(name.len()).is_some_and(|byte| ends_name(*byte)) {
                break found;
            }
            from = found + 2;
        };
        // Within `<!--` a script may hold a script that does not end it.
        if after == After::Script {
            let script = &self.bytes[self.at..end];
            if let Some(comment) = memchr::memmem::find(script, b"<!--") {
                let inner = self.text[self.at + comment..end].to_ascii_lowercase();
                if inner.contains("<script") {
                    return None;
                }
            }
        }
        self.characters(end, after == After::TextWithReferences)
    }
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'/' || byte == b'>'
}

/// The inside of a quoted string at the start of the text, and what comes behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (inner, rest) = text[1..].split_once(quote)?;
    Some((inner, rest.trim_ascii()))
}
