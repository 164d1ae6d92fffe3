//! The HTML in what a script writes while its page loads, as far as it can be read off the code: string literals that stand
//! alone or are joined with `+`. Nothing is computed; what is put together in any other way is not found.

use std::iter::Peekable;
use std::str::Chars;

/// The constant texts in this code that hold a tag.
pub(super) fn html(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !code.contains("document.write") {
        return found;
    }
    let (mut joined, mut is_joined) = (String::new(), false);
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' | '`' => {
                let text = literal(c, &mut chars);
                if !is_joined {
                    take(&mut joined, &mut found);
                }
                joined.push_str(&text.unwrap_or_default());
                is_joined = false;
            }
            '+' => is_joined = true,
            '/' if chars.peek() == Some(&'/') => drop(chars.by_ref().find(|c| *c == '\n')),
            '/' if chars.peek() == Some(&'*') => comment(&mut chars),
            c if c.is_whitespace() => {}
            _ => {
                take(&mut joined, &mut found);
                is_joined = false;
            }
        }
    }
    take(&mut joined, &mut found);
    found
}

/// Keeps a text that is complete, if there is a tag in it.
fn take(joined: &mut String, found: &mut Vec<String>) {
    if joined.contains('<') {
        found.push(std::mem::take(joined));
    }
    joined.clear();
}

fn comment(chars: &mut Peekable<Chars<'_>>) {
    chars.next();
    let mut before = ' ';
    while let Some(c) = chars.next().filter(|c| (before, *c) != ('*', '/')) {
        before = c;
    }
}

/// What stands up to the closing quote; but for templates, a line ends it, too. None for a template that computes something.
fn literal(quote: char, chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let (mut text, mut constant) = (String::new(), true);
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(escaped(chars)),
            '\n' if quote != '`' => break,
            '$' if quote == '`' && chars.peek() == Some(&'{') => constant = false,
            c if c == quote => break,
            c => text.push(c),
        }
    }
    constant.then_some(text)
}

/// What an escape stands for; ECMA-262, 12.9.4.
fn escaped(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    match chars.next()? {
        'n' | 'r' | 't' | 'v' | 'f' | 'b' => Some(' '),
        '\n' => None,
        'x' => coded(chars, 2),
        'u' => coded(chars, 4),
        c => Some(c),
    }
}

fn coded(chars: &mut Peekable<Chars<'_>>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + chars.next_if(char::is_ascii_hexdigit)?.to_digit(16)?;
    }
    char::from_u32(code)
}
