//! The tree of a document that has to be put right: html5ever builds it, from our tokens where they will do.

use std::borrow::Cow;

use ego_tree::iter::Edge;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{self, Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeSink};
use html5ever::{Attribute, LocalName, QualName, ns};
use scraper::{Html, HtmlTreeSink, Node};

use super::tokens::{self, After, Doctype, Sink, Start};
use crate::tree::{self, Document, Growing, Span, Strings};

const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Html5ever's tree, made from our tokens; `None` if they hold something rare.
pub(super) fn parse(text: &str) -> Option<Html> {
    let builder = TreeBuilder::new(HtmlTreeSink::new(Html::new_document()), Default::default());
    let mut sink = Handed { builder: &builder };
    tokens::feed(text, &mut sink)?;
    sink.hand(Token::EOFToken)?;
    builder.end();
    Some(builder.sink.finish())
}

/// Hands our tokens to html5ever.
struct Handed<'a, B> {
    builder: &'a B,
}

impl<B: TokenSink> Handed<'_, B> {
    fn hand(&self, token: Token) -> Option<After> {
        match self.builder.process_token(token, 1) {
            TokenSinkResult::Continue
            | TokenSinkResult::Script(_)
            | TokenSinkResult::EncodingIndicator(_) => Some(After::Markup),
            TokenSinkResult::RawData(RawKind::Rcdata) => Some(After::TextWithReferences),
            TokenSinkResult::RawData(RawKind::Rawtext) => Some(After::Text),
            TokenSinkResult::RawData(RawKind::ScriptData) => Some(After::Script),
            TokenSinkResult::RawData(RawKind::ScriptDataEscaped(_)) | TokenSinkResult::Plaintext => None,
        }
    }
}

impl<B: TokenSink> Sink for Handed<'_, B> {
    fn start(&mut self, strings: &mut Strings<'_>, tag: &Start<'_>) -> Option<After> {
        let attribute = |each: &tree::Attribute| Attribute {
            name: QualName::new(None, ns!(), LocalName::from(strings.get(each.name))),
            value: StrTendril::from_slice(strings.get(each.value)),
        };
        self.hand(Token::TagToken(Tag {
            kind: TagKind::StartTag,
            name: LocalName::from(strings.get(tag.name)),
            self_closing: tag.self_closing,
            attrs: tag.attributes.iter().map(attribute).collect(),
            had_duplicate_attributes: tag.duplicates,
        }))
    }

    fn end(&mut self, strings: &mut Strings<'_>, name: Span) -> Option<()> {
        let tag = Tag {
            kind: TagKind::EndTag,
            name: LocalName::from(strings.get(name)),
            self_closing: false,
            attrs: Vec::new(),
            had_duplicate_attributes: false,
        };
        self.hand(Token::TagToken(tag)).map(drop)
    }

    fn text(&mut self, strings: &mut Strings<'_>, text: Span) -> Option<()> {
        self.hand(Token::CharacterTokens(StrTendril::from_slice(strings.get(text)))).map(drop)
    }

    fn comment(&mut self, strings: &mut Strings<'_>, text: Span) -> Option<()> {
        self.hand(Token::CommentToken(StrTendril::from_slice(strings.get(text)))).map(drop)
    }

    fn doctype(&mut self, doctype: Doctype<'_>) -> Option<()> {
        let doctype = tokenizer::Doctype {
            name: Some(doctype.name.to_ascii_lowercase().into()),
            public_id: doctype.public.map(Into::into),
            system_id: doctype.system.map(Into::into),
            force_quirks: false,
        };
        self.hand(Token::DoctypeToken(doctype)).map(drop)
    }
}

/// The same tree, in one piece. Everything in it is copied into one string.
pub(super) fn copy(html: &Html) -> Document<'static> {
    let mut text = String::new();
    let mut keep = |part: &str| {
        let start = text.len();
        text.push_str(part);
        Span::of_source(start, text.len())
    };
    let mut tree = Growing::new(0);
    // The document itself is the outermost.
    let mut open = vec![0];
    for edge in html.tree.root().traverse() {
        let around = open.last().copied().unwrap_or(0);
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => {
                    let name = keep(&element.name().to_ascii_lowercase());
                    let attributes: Vec<_> = element
                        .attrs()
                        .map(|(name, value)| tree::Attribute {
                            name: keep(&name.to_ascii_lowercase()),
                            value: keep(value),
                        })
                        .collect();
                    open.push(tree.open(around, name, &*element.name.ns == HTML, &attributes));
                }
                Node::Text(written) => tree.lone_text(around, keep(written)),
                _ => tree.comment(around),
            },
            Edge::Close(node) => {
                if node.value().is_element()
                    && let Some(id) = open.pop()
                {
                    tree.close(id);
                }
            }
        }
    }
    tree.finish(Strings::new(Cow::Owned(text)))
}
