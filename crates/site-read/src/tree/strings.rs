//! The strings of a tree: places in the document's own text, or in the text that had to be made.

use std::borrow::Cow;

/// A string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    length: u32,
}

/// An attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// The document's text, and what does not stand in it as it means: resolved references, names in lower case.
#[derive(Debug)]
pub(crate) struct Strings<'t> {
    source: Cow<'t, str>,
    made: String,
}

/// Longest document: places in it and in what is made for it are 32 bits.
pub(crate) const LONGEST: usize = 1 << 30;

/// Room for the names of elements that were not written.
const SPARE: usize = 1024;

impl Span {
    pub(crate) const EMPTY: Self = Self { start: 0, length: 0 };

    /// A place in the document's text, which is no longer than [`LONGEST`].
    pub(crate) const fn of_source(start: usize, end: usize) -> Self {
        Self { start: start as u32, length: (end - start) as u32 }
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The string without its first bytes.
    pub(crate) const fn without(self, bytes: usize) -> Self {
        Self { start: self.start + bytes as u32, length: self.length - bytes as u32 }
    }

    /// The string's first bytes.
    pub(crate) const fn first(self, bytes: usize) -> Self {
        Self { start: self.start, length: bytes as u32 }
    }
}

impl<'t> Strings<'t> {
    pub(crate) const fn new(source: Cow<'t, str>) -> Self {
        Self { source, made: String::new() }
    }

    /// With the strings that were made for it before.
    pub(crate) const fn with(source: Cow<'t, str>, made: String) -> Self {
        Self { source, made }
    }

    pub(crate) fn into_made(self) -> String {
        self.made
    }

    #[inline]
    pub(crate) fn get(&self, span: Span) -> &str {
        let (start, length) = (span.start as usize, span.length as usize);
        match start.checked_sub(self.source.len()) {
            Some(start) if length > 0 => &self.made[start..start + length],
            _ => &self.source[start..start + length],
        }
    }

    /// Whether the string is this one.
    #[inline]
    pub(crate) fn is(&self, span: Span, text: &str) -> bool {
        span.length as usize == text.len() && self.bytes(span) == text.as_bytes()
    }

    #[inline]
    fn bytes(&self, span: Span) -> &[u8] {
        let (start, length) = (span.start as usize, span.length as usize);
        match start.checked_sub(self.source.len()) {
            Some(start) if length > 0 => &self.made.as_bytes()[start..start + length],
            _ => &self.source.as_bytes()[start..start + length],
        }
    }

    /// Keeps a string that does not stand in the document; `None` if it cannot be made, or there is no room for it:
    /// a document in which more has to be made than twice what stands there is made to be a burden.
    pub(crate) fn make(&mut self, make: impl FnOnce(&mut String) -> Option<()>) -> Option<Span> {
        let before = self.made.len();
        if make(&mut self.made).is_none() || self.made.len() > 2 * self.source.len() + SPARE {
            self.made.truncate(before);
            return None;
        }
        if self.made.len() == before {
            return Some(Span::EMPTY);
        }
        Some(Span::of_source(self.source.len() + before, self.source.len() + self.made.len()))
    }

    /// Two strings in one.
    pub(crate) fn join(&mut self, first: Span, second: Span) -> Option<Span> {
        if first.start + first.length == second.start {
            return Some(Span { start: first.start, length: first.length + second.length });
        }
        let both = [self.get(first), self.get(second)].concat();
        self.make(|made| {
            made.push_str(&both);
            Some(())
        })
    }
}
