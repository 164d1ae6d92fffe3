//! The declarations of a style sheet, each with the preludes that it stands in: read as far as it goes, whatever is wrong with it.

use std::{iter::Peekable, str::Chars};

/// Shows each declaration: the preludes around it, the outermost first, its name and its value in small letters. Strings are told
/// only as such.
pub(super) fn each(css: &str, visit: &mut impl FnMut(&[String], &str, &str)) {
    let mut preludes: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut chars = css.chars().peekable();
    let mut declared = |preludes: &[String], text: &str| {
        if let Some((name, value)) = text.split_once(':') {
            visit(preludes, &name.trim().to_ascii_lowercase(), &value.trim().to_ascii_lowercase());
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'*') => skip_comment(&mut chars),
            '"' | '\'' => {
                // What it says means nothing here, but that it says something.
                if skip_string(c, &mut chars) {
                    text.push_str("\"…\"");
                }
            }
            '{' => preludes.push(std::mem::take(&mut text)),
            ';' => declared(&preludes, &std::mem::take(&mut text)),
            '}' => {
                declared(&preludes, &std::mem::take(&mut text));
                preludes.pop();
            }
            _ => text.push(c),
        }
    }
    declared(&preludes, &text);
}

fn skip_comment(chars: &mut Peekable<Chars<'_>>) {
    let mut last = ' ';
    chars.next();
    for c in chars.by_ref() {
        if last == '*' && c == '/' {
            return;
        }
        last = c;
    }
}

/// Answers whether it holds more than white space.
fn skip_string(quote: char, chars: &mut Peekable<Chars<'_>>) -> bool {
    let mut any = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => any |= chars.next().is_some(),
            '\n' => break,
            _ if c == quote => break,
            _ => any |= !c.is_ascii_whitespace(),
        }
    }
    any
}

/// At commas outside brackets.
pub(super) fn selectors(prelude: &str) -> Vec<String> {
    let (mut out, mut depth, mut current) = (Vec::new(), 0_i32, String::new());
    for c in prelude.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    out.push(current);
    out
}
