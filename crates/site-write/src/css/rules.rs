//! The declarations of a style sheet, each with the preludes that it stands in: read as far as it goes, whatever is wrong with it.

use std::{iter::Peekable, str::Chars};

/// A property and its value in small letters. Strings are told only as such.
pub(super) type Declaration = (String, String);

/// Shows the declarations that stand beside each other in one rule, with the preludes around them, the outermost first.
pub(super) fn each(css: &str, visit: &mut impl FnMut(&[String], &[Declaration])) {
    let (mut preludes, mut declared): (Vec<String>, Vec<Declaration>) = Default::default();
    let mut text = String::new();
    let mut chars = css.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'*') => skip_comment(&mut chars),
            '\\' => text.extend([Some(c), chars.next()].into_iter().flatten()),
            '"' | '\'' => {
                // What it says means nothing here, but that it says something.
                if skip_string(c, &mut chars) {
                    text.push_str("\"…\"");
                }
            }
            '{' => {
                tell(&preludes, &mut declared, visit);
                let prelude = std::mem::take(&mut text);
                preludes.push(match preludes.is_empty() {
                    true => without_signs(&prelude).to_owned(),
                    false => prelude,
                });
            }
            // Between rules it ends nothing but a rule without a block: what else it is in is no selector.
            ';' if preludes.is_empty() && !without_signs(&text).starts_with('@') => text.push(c),
            ';' => declared.extend(declaration(&std::mem::take(&mut text))),
            '}' => {
                declared.extend(declaration(&std::mem::take(&mut text)));
                tell(&preludes, &mut declared, visit);
                preludes.pop();
            }
            _ => text.push(c),
        }
    }
    declared.extend(declaration(&text));
    tell(&preludes, &mut declared, visit);
}

fn tell(
    preludes: &[String],
    declared: &mut Vec<Declaration>,
    visit: &mut impl FnMut(&[String], &[Declaration]),
) {
    if !declared.is_empty() && !preludes.is_empty() {
        visit(preludes, declared);
    }
    declared.clear();
}

fn declaration(text: &str) -> Option<Declaration> {
    let (name, value) = text.split_once(':')?;
    Some((name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase()))
}

/// Without `<!--` and `-->`, which browsers skip between rules (CSS Syntax 3, section 5.4.1).
fn without_signs(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(behind) = rest.strip_prefix("<!--").or_else(|| rest.strip_prefix("-->")) {
        rest = behind.trim_start();
    }
    rest
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
    let mut chars = prelude.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                current.extend([Some(c), chars.next()].into_iter().flatten());
                continue;
            }
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
