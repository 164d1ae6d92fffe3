//! Comments that excuse a finding: `lint-ignore RULE: reason`, for the comment's own line and the next one. Without a reason
//! a comment excuses nothing and is a violation itself; one that excuses nothing any more is told.

use std::collections::BTreeMap;

use oxc::span::Span;

use super::{
    file::{File, Finding, Found},
    lines::Lines,
    registry::{self, LINT_IGNORE, Severity},
};

/// What such a comment begins with.
pub(super) const WORD: &str = "lint-ignore";

/// One comment.
struct Excuse {
    span: Span,
    rule: &'static str,
    /// The rows that it covers, from its own to the one behind its end.
    rows: (usize, usize),
    used: bool,
}

/// Takes out what is excused; says how much that was.
pub(super) fn apply(file: &File<'_, '_>, lines: &Lines<'_>, findings: &mut Vec<Finding>) -> usize {
    let mut excuses = Vec::new();
    let own = registry::find(LINT_IGNORE).expect("the table has this rule");
    let mut found = Found::new(own);
    for comment in file.semantic.comments() {
        let content = file.slice(comment.content_span()).trim();
        let Some(said) = content.strip_prefix(WORD) else { continue };
        let (rule, reason) = said.split_once(':').unwrap_or((said, ""));
        let rows = (lines.row(comment.span.start as usize), lines.row(comment.span.end as usize) + 1);
        match registry::find(rule.trim()) {
            None => {
                found.at(
                    comment.span,
                    format!("there is no rule {:?}; write `{WORD} RULE: reason`", rule.trim()),
                );
            }
            Some(_) if reason.trim().chars().count() < 3 => {
                found.at(comment.span, format!("say why: `{WORD} {}: reason`", rule.trim()));
            }
            Some(rule) => excuses.push(Excuse { span: comment.span, rule: rule.name, rows, used: false }),
        }
    }
    let mut covered: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
    for (at, excuse) in excuses.iter().enumerate() {
        for row in excuse.rows.0..=excuse.rows.1 {
            covered.entry((excuse.rule, row)).or_default().push(at);
        }
    }
    let before = findings.len();
    findings.retain(|finding| {
        let row = lines.row(finding.span.start as usize);
        let by = covered.get_mut(&(finding.rule.name, row));
        // Whichever covers it is used, and need not be told so again.
        by.map(|by| by.drain(..).for_each(|at| excuses[at].used = true)).is_none()
    });
    let suppressed = before - findings.len();
    for excuse in excuses.iter().filter(|excuse| !excuse.used) {
        let told = format!("this comment excuses no {} any more: take it away", excuse.rule);
        found.at(excuse.span, told).severity = Severity::Advice;
    }
    findings.append(&mut found.list);
    suppressed
}
