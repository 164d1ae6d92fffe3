//! The common forms of HTML's tokens, handed to the tree builder.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Doctype, Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::{Attribute, LocalName, QualName, ns};

use super::entity::{self, Place};

/// Reads the whole text; `None` where something rare comes, with the sink left half done.
pub(super) fn feed(text: &str, sink: &impl TokenSink) -> Option<()> {
    // A tendril's length is 32 bits.
    if text.len() > 1 << 30 || memchr::memchr(0, text.as_bytes()).is_some() {
        return None;
    }
    let normal: std::borrow::Cow<'_, str> = match memchr::memchr(b'\r', text.as_bytes()) {
        Some(_) => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        None => text.into(),
    };
    let text = normal.strip_prefix('\u{feff}').unwrap_or(&normal);
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, sink, source: StrTendril::from_slice(text) };
    reader.run()?;
    let _ = sink.process_token(Token::EOFToken, 1);
    Some(())
}

struct Reader<'a, S> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    sink: &'a S,
    /// The text once more, of which parts can be handed out without copying.
    source: StrTendril,
}

impl<S: TokenSink> Reader<'_, S> {
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
            let text = &self.text[self.at..end];
            let part = if references && memchr::memchr(b'&', text.as_bytes()).is_some() {
                entity::resolve(text, Place::Text)?
            } else {
                self.part(self.at, end)?
            };
            self.at = end;
            self.plain(Token::CharacterTokens(part))?;
        }
        Some(())
    }

    fn part(&self, start: usize, end: usize) -> Option<StrTendril> {
        let (start, length) = (u32::try_from(start).ok()?, u32::try_from(end - start).ok()?);
        Some(self.source.subtendril(start, length))
    }

    /// A token after which nothing special comes.
    fn plain(&self, token: Token) -> Option<()> {
        matches!(self.sink.process_token(token, 1), TokenSinkResult::Continue).then_some(())
    }

    /// At a `<`.
    fn markup(&mut self) -> Option<()> {
        match self.bytes.get(self.at + 1)? {
            b'a'..=b'z' | b'A'..=b'Z' => self.tag(TagKind::StartTag, self.at + 1),
            b'/' if self.bytes.get(self.at + 2).is_some_and(u8::is_ascii_alphabetic) => {
                self.tag(TagKind::EndTag, self.at + 2)
            }
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
        let part = self.part(start, start + inner)?;
        self.at = start + inner + 3;
        self.plain(Token::CommentToken(part))
    }

    /// `<?xml … ?>`, which HTML takes for a comment.
    fn instruction(&mut self) -> Option<()> {
        let end = self.at + memchr::memchr(b'>', &self.bytes[self.at..])?;
        let part = self.part(self.at + 1, end)?;
        self.at = end + 1;
        self.plain(Token::CommentToken(part))
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
        let mut doctype = Doctype { name: Some(name.to_ascii_lowercase().into()), ..Doctype::default() };
        if let Some((word, ids)) = ids.trim_ascii().split_at_checked(6).filter(|_| !ids.is_empty()) {
            let (first, rest) = quoted(ids)?;
            if word.eq_ignore_ascii_case("public") {
                doctype.public_id = Some(first.into());
                if !rest.is_empty() {
                    let (second, rest) = quoted(rest)?;
                    doctype.system_id = Some(second.into()).filter(|_| rest.is_empty());
                    doctype.system_id.as_ref()?;
                }
            } else if word.eq_ignore_ascii_case("system") && rest.is_empty() {
                doctype.system_id = Some(first.into());
            } else {
                return None;
            }
        } else if !ids.trim_ascii().is_empty() {
            return None;
        }
        self.at = end + 1;
        self.plain(Token::DoctypeToken(doctype))
    }

    fn tag(&mut self, kind: TagKind, start: usize) -> Option<()> {
        let length = self.bytes[start..].iter().position(|byte| ends_name(*byte))?;
        let name = local_name(&self.text[start..start + length]);
        self.at = start + length;
        let (attrs, self_closing, had_duplicate_attributes) = self.attributes()?;
        let tag = Tag { kind, name, self_closing, attrs, had_duplicate_attributes };
        let local = tag.name.clone();
        match self.sink.process_token(Token::TagToken(tag), 1) {
            TokenSinkResult::Continue
            | TokenSinkResult::Script(_)
            | TokenSinkResult::EncodingIndicator(_) => Some(()),
            TokenSinkResult::RawData(kind) => self.raw(kind, &local),
            TokenSinkResult::Plaintext => None,
        }
    }

    /// Attributes up to and with the `>`.
    fn attributes(&mut self) -> Option<(Vec<Attribute>, bool, bool)> {
        let mut found: Vec<Attribute> = Vec::new();
        let mut duplicate = false;
        loop {
            let blank = self.bytes[self.at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
            self.at += blank;
            match self.bytes[self.at] {
                b'>' => {
                    self.at += 1;
                    return Some((found, false, duplicate));
                }
                b'/' if self.bytes.get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    return Some((found, true, duplicate));
                }
                b'/' => {
                    self.at += 1;
                    continue;
                }
                b'=' => return None,
                _ => {}
            }
            let rest = &self.bytes[self.at..];
            let length = rest.iter().position(|byte| *byte == b'=' || ends_name(*byte))?;
            let local = local_name(&self.text[self.at..self.at + length]);
            self.at += length;
            let value = self.value()?;
            if found.iter().any(|attribute| attribute.name.local == local) {
                duplicate = true;
            } else {
                found.push(Attribute { name: QualName::new(None, ns!(), local), value });
            }
        }
    }

    /// `= "value"` behind an attribute's name, if it is there.
    fn value(&mut self) -> Option<StrTendril> {
        let blank = self.bytes[self.at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
        if self.bytes[self.at + blank] != b'=' {
            return Some(StrTendril::new());
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
        if memchr::memchr(b'&', &self.bytes[start..end]).is_some() {
            entity::resolve(&self.text[start..end], Place::Attribute)
        } else {
            self.part(start, end)
        }
    }

    /// The text of an element that holds no elements, up to its end tag.
    fn raw(&mut self, kind: RawKind, name: &LocalName) -> Option<()> {
        let references = match kind {
            RawKind::Rcdata => true,
            RawKind::Rawtext | RawKind::ScriptData => false,
            RawKind::ScriptDataEscaped(_) => return None,
        };
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
        if kind == RawKind::ScriptData {
            let script = &self.bytes[self.at..end];
            if let Some(comment) = memchr::memmem::find(script, b"<!--") {
                let inner = self.text[self.at + comment..end].to_ascii_lowercase();
                if inner.contains("<script") {
                    return None;
                }
            }
        }
        self.characters(end, references)
    }
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'/' || byte == b'>'
}

fn local_name(name: &str) -> LocalName {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        LocalName::from(name.to_ascii_lowercase())
    } else {
        LocalName::from(name)
    }
}

/// The inside of a quoted string at the start of the text, and what comes behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (inner, rest) = text[1..].split_once(quote)?;
    Some((inner, rest.trim_ascii()))
}
