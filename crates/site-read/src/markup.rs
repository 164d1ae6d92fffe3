//! HTML to a tree, by the rules that browsers follow, fast.
//!
//! The tree is built by html5ever. Most of the time its tokenizer took; so the common forms of tags, text and
//! comments are split here, several bytes at a time, and handed to the same tree builder. Whatever is rare
//! (NUL bytes, comments in odd places, CDATA, a DOCTYPE out of the ordinary) is not tried: the whole document is then
//! parsed by html5ever alone. Both ways give the same tree, which the tests compare.

mod entity;
mod tokens;

use html5ever::tokenizer::TokenSink;
use html5ever::tree_builder::{TreeBuilder, TreeSink};
use scraper::{Html, HtmlTreeSink};

/// The document's tree.
#[must_use]
pub fn parse(text: &str) -> Html {
    fast(text).unwrap_or_else(|| Html::parse_document(text))
}

/// The tree, if the document holds nothing rare.
fn fast(text: &str) -> Option<Html> {
    let builder = TreeBuilder::new(HtmlTreeSink::new(Html::new_document()), Default::default());
    tokens::feed(text, &builder)?;
    builder.end();
    Some(builder.sink.finish())
}

#[cfg(test)]
mod tests;
