//! Scripts that do nothing but write a constant into the page as it is parsed: what they write is put where they stand, as
//! the parser would have had it, before anything else looks at the page.
//!
//! A script that computes what it writes, or does anything else, stays as it is.

use std::borrow::Cow;

use oxc::{
    allocator::Allocator,
    ast::ast::{Argument, BinaryOperator, Expression, Statement},
    parser::Parser,
    span::SourceType,
};

/// So often may what was written write again.
const DEEPEST: usize = 3;
/// Elements whose content is text to the tokenizer.
const RAW: &[&str] =
    &["style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "template"];

/// The page with those scripts carried out.
pub(super) fn applied(html: &str) -> Cow<'_, str> {
    let mut html = Cow::Borrowed(html);
    for _ in 0..DEEPEST {
        if !html.contains("document.write") {
            break;
        }
        match once(&html) {
            Some(changed) => html = Cow::Owned(changed),
            None => break,
        }
    }
    html
}

fn once(html: &str) -> Option<String> {
    let mut out = String::with_capacity(html.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(next) = html[at..].find('<').map(|found| at + found) {
        at = next + 1;
        let rest = &html[next..];
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(html.len(), |end| next + end + 3);
            continue;
        }
        let name: String = rest[1..]
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let raw = RAW.contains(&name.as_str());
        if name != "script" && !raw {
            continue;
        }
        let Some(open) = tag_end(rest) else { break };
        let Some(close) = find_close(&rest[open..], &name) else { break };
        let Some(end) = rest[open + close..].find('>') else { break };
        at = next + open + close + end + 1;
        // With attributes it may be anything: a module, data, a file.
        let plain = matches!(
            squeezed(&rest[..open]).as_str(),
            "<script>"
                | "<scripttype=\"text/javascript\">"
                | "<scriptlanguage=\"javascript\">"
                | "<scripttype='text/javascript'>"
                | "<scripttype=text/javascript>"
                | "<scriptlanguage=javascript>"
                | "<scriptlanguage=\"javascript\"type=\"text/javascript\">"
                | "<scripttype=\"text/javascript\"language=\"javascript\">"
        );
        if raw || !plain {
            continue;
        }
        if let Some(written) = constant(&rest[open..open + close]) {
            out.push_str(&html[copied..next]);
            out.push_str(&written);
            copied = at;
        }
    }
    (copied > 0).then(|| out + &html[copied..])
}

fn squeezed(tag: &str) -> String {
    tag.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// Where the start tag that this begins with is over.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn find_close(text: &str, name: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        text.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

/// What this script writes, if that is all it does and the text is a constant.
fn constant(code: &str) -> Option<String> {
    // Hidden from browsers that knew no scripts.
    let code = code.trim();
    let code =
        code.strip_prefix("<!--").map_or(code, |rest| rest.split_once('\n').map_or("", |(_, rest)| rest));
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::cjs()).parse();
    if parsed.panicked || !parsed.diagnostics.is_empty() || parsed.program.body.is_empty() {
        return None;
    }
    parsed.program.body.iter().map(written).collect()
}

fn written(statement: &Statement<'_>) -> Option<String> {
    let Statement::ExpressionStatement(statement) = statement else { return None };
    let Expression::CallExpression(call) = &statement.expression else { return None };
    let Expression::StaticMemberExpression(callee) = &call.callee else { return None };
    let document = matches!(&callee.object, Expression::Identifier(name) if name.name == "document");
    let line = match callee.property.name.as_str() {
        "write" => "",
        "writeln" => "\n",
        _ => return None,
    };
    if !document {
        return None;
    }
    let text: Option<String> = call.arguments.iter().map(argument).collect();
    text.map(|text| text + line)
}

fn argument(argument: &Argument<'_>) -> Option<String> {
    text(argument.as_expression()?)
}

fn text(expression: &Expression<'_>) -> Option<String> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            template.quasis.first()?.value.cooked.map(|text| text.to_string())
        }
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            Some(text(&sum.left)? + &text(&sum.right)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("<p>a<script>document.write('<b>' + \"x\" + '</b>');</script>c", "<p>a<b>x</b>c")]
    #[case("<script language=JavaScript>\n<!--\ndocument.writeln(`<i>`)\n//-->\n</script>y", "<i>\ny")]
    // A script that is written runs, or writes, in its turn.
    #[case("<script>document.write('<script>document.write(\"z\")<\\/script>')</script>", "z")]
    #[case(
        "<script>document.write('<script src=\"a.js\"><\\/script>')</script>",
        "<script src=\"a.js\"></script>"
    )]
    fn constants_are_written(#[case] html: &str, #[case] expected: &str) {
        assert_eq!(applied(html), expected);
    }

    #[rstest]
    #[case("<script>document.write(new Date().getFullYear())</script>")]
    #[case("<script>window.jQuery || document.write('<script src=a.js><\\/script>')</script>")]
    #[case("<script>document.write('a'); f()</script>")]
    #[case("<script type=module>document.write('a')</script>")]
    #[case("<!-- <script>document.write('a')</script> -->")]
    #[case("<textarea><script>document.write('a')</script></textarea>")]
    #[case("<script>document.write('a'</script>")]
    fn everything_else_stays(#[case] html: &str) {
        assert_eq!(applied(html), html);
    }
}
