//! Reading style sheets by their tokens: addresses in them, and the declarations of a `style` attribute.
//!
//! Text is only ever cut at token borders and otherwise kept as it was written: browsers forgive more than any printer.

pub(crate) mod boxes;
pub(crate) mod hints;
mod keys;
mod rules;
pub(crate) mod selectors;

use cssparser::{ParseError, Parser, Token};

/// One declaration of a `style` attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) important: bool,
}

/// The declarations of a `style` attribute, in order; what no browser would take is left out.
pub(crate) fn declarations(style: &str) -> Vec<Declaration> {
    let mut parser = Parser::new(style);
    let mut pieces = Vec::new();
    let mut start = parser.position();
    loop {
        let before = parser.position();
        match parser.next_including_whitespace_and_comments() {
            Ok(Token::Semicolon) => {
                pieces.push(parser.slice(start..before).to_owned());
                start = parser.position();
            }
            Ok(
                Token::Function(_)
                | Token::ParenthesisBlock
                | Token::SquareBracketBlock
                | Token::CurlyBracketBlock,
            ) => {
                skip_block(&mut parser);
            }
            Ok(_) => {}
            Err(_) => {
                pieces.push(parser.slice_from(start).to_owned());
                break;
            }
        }
    }
    pieces.iter().filter_map(|piece| declaration(piece)).collect()
}

fn skip_block(parser: &mut Parser<'_>) {
    // The closure consumes nothing: the parser then skips to the end of the block by itself.
    let skipped: Result<(), ParseError<()>> = parser.parse_nested_block(|inner| {
        while inner.next().is_ok() {}
        Ok(())
    });
    debug_assert!(skipped.is_ok(), "a closure that cannot fail");
}

fn declaration(piece: &str) -> Option<Declaration> {
    let piece = without_comments(piece);
    let (name, value) = piece.split_once(':')?;
    let name = name.trim();
    let custom = name.starts_with("--");
    let plain = name.strip_prefix('-').unwrap_or(name);
    if !custom && !plain.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None; // `*zoom`, `_height`: no browser of today reads them
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return None;
    }
    let mut value = value.trim();
    let mut important = false;
    if let Some((before, word)) = value.rsplit_once('!')
        && word.trim().eq_ignore_ascii_case("important")
    {
        (value, important) = (before.trim_end(), true);
    }
    if value.is_empty() {
        return None;
    }
    let name = if custom { name.to_owned() } else { name.to_ascii_lowercase() };
    Some(Declaration { name, value: value.to_owned(), important })
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut parser = Parser::new(text);
    let mut start = parser.position();
    loop {
        let before = parser.position();
        match parser.next_including_whitespace_and_comments() {
            Ok(Token::Comment(_)) => {
                out.push_str(parser.slice(start..before));
                start = parser.position();
            }
            Ok(
                Token::Function(_)
                | Token::ParenthesisBlock
                | Token::SquareBracketBlock
                | Token::CurlyBracketBlock,
            ) => {
                skip_block(&mut parser);
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    out.push_str(parser.slice_from(start));
    out
}

/// The text with each address in it (in `url()` or after `@import`) put through `change`; everything else as it was.
pub(crate) fn map_urls(text: &str, change: &dyn Fn(&str) -> Option<String>) -> String {
    let mut parser = Parser::new(text);
    let mut edits = Vec::new();
    find_urls(&mut parser, change, &mut edits);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, with) in edits {
        out.push_str(&text[at..start]);
        out.push_str(&with);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

type Edits = Vec<(usize, usize, String)>;

fn find_urls(parser: &mut Parser<'_>, change: &dyn Fn(&str) -> Option<String>, edits: &mut Edits) {
    let mut import = false;
    loop {
        let start = parser.position().byte_index();
        let token = match parser.next_including_whitespace_and_comments() {
            Ok(token) => token.clone(),
            Err(_) => return,
        };
        match token {
            Token::UnquotedUrl(url) => {
                if let Some(new) = change(&url) {
                    edits.push((start, parser.position().byte_index(), format!("url({})", quoted(&new))));
                }
            }
            Token::QuotedString(url) if import => {
                if let Some(new) = change(&url) {
                    edits.push((start, parser.position().byte_index(), quoted(&new)));
                }
                import = false;
            }
            Token::AtKeyword(name) => import = name.eq_ignore_ascii_case("import"),
            Token::WhiteSpace(_) | Token::Comment(_) => {}
            Token::Function(name) => {
                let url = name.eq_ignore_ascii_case("url") || name.eq_ignore_ascii_case("src");
                nested(parser, url, change, edits);
                import = false;
            }
            Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock => {
                nested(parser, false, change, edits);
                import = false;
            }
            _ => import = false,
        }
    }
}

fn nested(parser: &mut Parser<'_>, url: bool, change: &dyn Fn(&str) -> Option<String>, edits: &mut Edits) {
    let done: Result<(), ParseError<()>> = parser.parse_nested_block(|inner| {
        if !url {
            find_urls(inner, change, edits);
            return Ok(());
        }
        loop {
            inner.skip_whitespace();
            let start = inner.position().byte_index();
            let token = match inner.next() {
                Ok(token) => token.clone(),
                Err(_) => return Ok(()),
            };
            if let Token::QuotedString(address) = token
                && let Some(new) = change(&address)
            {
                edits.push((start, inner.position().byte_index(), quoted(&new)));
            }
        }
    });
    debug_assert!(done.is_ok(), "a closure that cannot fail");
}

fn quoted(url: &str) -> String {
    format!("\"{}\"", url.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(style: &str) -> Vec<(String, String, bool)> {
        declarations(style).into_iter().map(|d| (d.name, d.value, d.important)).collect()
    }

    #[test]
    fn declarations_are_cut_at_token_borders() {
        let style = "background: url(data:image/png;base64,AA==) ; COLOR:red!important; --Gap: 1px;*zoom:1;content:';' ; /* a;b */ top:0";
        let expected = [
            ("background", "url(data:image/png;base64,AA==)", false),
            ("color", "red", true),
            ("--Gap", "1px", false),
            ("content", "';'", false),
            ("top", "0", false),
        ];
        let got = names(style);
        assert_eq!(got.len(), expected.len(), "{got:?}");
        for (got, (name, value, important)) in got.iter().zip(expected) {
            assert_eq!((got.0.as_str(), got.1.as_str(), got.2), (name, value, important));
        }
    }

    #[test]
    fn addresses_change_and_nothing_else_does() {
        let css = "@import 'a.css' print;\n.a{background:url( x.png ) no-repeat;*zoom:1}\n@media (x){.b{src:url(\"y.eot?#iefix\")}} };";
        let new = map_urls(css, &|url| Some(format!("/css/{url}")));
        assert_eq!(
            new,
            "@import \"/css/a.css\" print;\n.a{background:url(\"/css/x.png\") no-repeat;*zoom:1}\n@media (x){.b{src:url(\"/css/y.eot?#iefix\")}} };"
        );
    }
}
