//! HTML to a tree, by the rules that browsers follow, fast.
//!
//! Three ways give the same tree, which the tests compare. A tidy document is read here from end to end: its tags are
//! split several bytes at a time (`tokens`) and its tree is built in document order (`tidy`). Where the standard's
//! rules would move what is already in the tree, html5ever's builder takes the same tokens (`untidy`). Where the text
//! itself holds something rare (NUL bytes, comments in odd places, CDATA), html5ever reads all of it.

mod entity;
mod names;
mod tidy;
mod tokens;
mod untidy;

use std::borrow::Cow;

use scraper::Html;

use crate::nesting;
use crate::tree::{Document, LONGEST, Strings};

/// The document's tree; `None` for one that nests so deep that reading it by the rules would not end in good time.
#[must_use]
pub fn parse(text: &str) -> Option<Document<'_>> {
    let text = normal(text);
    if text.len() > LONGEST {
        return None;
    }
    let rare = memchr::memchr(0, text.as_bytes()).is_some();
    let tidy = if rare { None } else { tidy(&text) };
    if let Some((tree, made)) = tidy {
        return Some(tree.finish(Strings::with(text, made)));
    }
    if nesting::is_excessive(&text) {
        return None;
    }
    let untidy = if rare { None } else { untidy::parse(&text) };
    Some(untidy::copy(&untidy.unwrap_or_else(|| Html::parse_document(&text))))
}

/// The tree of a part of a document, such as the text of a `noscript` element.
#[must_use]
pub fn parse_fragment(text: &str) -> Option<Document<'static>> {
    (text.len() <= LONGEST && !nesting::is_excessive(text)).then(|| untidy::copy(&Html::parse_fragment(text)))
}

fn tidy(text: &str) -> Option<(crate::tree::Growing, String)> {
    let mut builder = tidy::Tidy::new(text.len());
    let mut strings = tokens::feed(text, &mut builder)?;
    let tree = builder.finish(&mut strings)?;
    Some((tree, strings.into_made()))
}

/// The text as the tokenizer sees it: no byte order mark, and one sort of line end.
fn normal(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match memchr::memchr(b'\r', text.as_bytes()) {
        Some(_) => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests;
