//! Findings as compilers tell them: place, what is wrong, the line, and a caret under it.

use site_check::lint::{Report, Violation};

/// Each finding as a block of text: the violations, then the recommendations.
pub(super) fn findings(report: &Report) -> Vec<String> {
    let violations = report.violations.iter().map(|it| block(it, "error"));
    violations.chain(report.recommendations.iter().map(|it| block(it, "advice"))).collect()
}

fn block(found: &Violation, weight: &str) -> String {
    let Violation { file, line, column, kind, description, docs, excerpt, .. } = found;
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let fixable = if found.fixable { " (--fix mends it)" } else { "" };
    let caret = format!("{}{}", " ".repeat(excerpt.caret), "^".repeat(excerpt.width));
    format!(
        "{file}:{line}:{column}: {weight}[{kind}]: {description}{fixable}\n{margin} |\n{number} | {}\n{margin} | {caret}\n{margin} = {docs}\n",
        excerpt.text
    )
}

/// How it went, in a line.
pub(super) fn summary(report: &Report) -> String {
    let Report { violations, recommendations, files, suppressed, score, .. } = report;
    let mut parts = vec![format!("{files} {} read", things(*files, "file"))];
    let more = if report.truncated { " and more" } else { "" };
    parts.push(format!("{} {}{more}", violations.len(), things(violations.len(), "violation")));
    parts.push(format!("{} {}", recommendations.len(), things(recommendations.len(), "recommendation")));
    if *suppressed > 0 {
        parts.push(format!("{suppressed} excused"));
    }
    format!("{}; score {score} of 100", parts.join(", "))
}

/// `file` or `files`.
pub(super) fn things(count: usize, one: &str) -> String {
    if count == 1 { one.to_owned() } else { format!("{one}s") }
}
