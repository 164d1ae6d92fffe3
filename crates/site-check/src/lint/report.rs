//! What the lint answers: violations and recommendations in the order of files and places, and one number.

use std::collections::BTreeMap;

use serde::Serialize;

pub use super::lines::Excerpt;
use super::registry::Severity;

/// One thing that is wrong, or could be better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The rule's name.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Which file, from the project's root.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in UTF-16 code units.
    pub column: u32,
    /// What is wrong and what to do, in a sentence or two. Never holds a secret.
    pub description: String,
    /// The page about the rule, from Resettle's root.
    pub docs: String,
    /// Can [`fix`](super::fix) mend it?
    pub fixable: bool,
    /// The place in its line, for people. Secrets are blotted out.
    #[serde(skip)]
    pub excerpt: Excerpt,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// There is no violation.
    pub passed: bool,
    /// What has to be mended, by file, line, column and type.
    pub violations: Vec<Violation>,
    /// What could be better; in the same order.
    pub recommendations: Vec<Violation>,
    /// 0 to 100: the mean over the files that were read, rounded down, where a file has 100 points less 25 for each
    /// violation and 5 for each recommendation, and never less than none.
    pub score: u8,
    /// So many files were read.
    pub files: usize,
    /// So many findings are excused by a comment with a reason.
    pub suppressed: usize,
    /// There were more violations or recommendations than are told.
    pub truncated: bool,
}

impl Report {
    /// Puts findings of `files` files in order, counts, and cuts to `most` of each severity.
    pub(super) fn of(
        found: Vec<(Severity, Violation)>,
        files: usize,
        suppressed: usize,
        most: usize,
    ) -> Self {
        let mut points: BTreeMap<&str, u64> = BTreeMap::new();
        for (severity, violation) in &found {
            let cost = if *severity == Severity::Error { 25 } else { 5 };
            let left = points.entry(&violation.file).or_insert(100);
            *left = left.saturating_sub(cost);
        }
        // A finding may be about a file that could not be read, or about a path.
        let looked_at = files.max(points.len()) as u64;
        let sum = points.values().sum::<u64>() + 100 * (looked_at - points.len() as u64);
        let score = sum.checked_div(looked_at).map_or(100, |mean| u8::try_from(mean).unwrap_or(100));
        let (mut violations, mut recommendations) = (Vec::new(), Vec::new());
        for (severity, violation) in found {
            match severity {
                Severity::Error => violations.push(violation),
                Severity::Advice => recommendations.push(violation),
            }
        }
        let truncated = cut(&mut violations, most) | cut(&mut recommendations, most);
        let passed = violations.is_empty();
        Self { passed, violations, recommendations, score, files, suppressed, truncated }
    }
}

fn cut(list: &mut Vec<Violation>, most: usize) -> bool {
    list.sort_by(|a, b| {
        let key = |v: &Violation| (v.line, v.column);
        (&a.file, key(a), a.kind, &a.description).cmp(&(&b.file, key(b), b.kind, &b.description))
    });
    let over = list.len() > most;
    list.truncate(most);
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, line: u32) -> Violation {
        Violation {
            kind: "secret",
            file: file.into(),
            line,
            column: 1,
            description: String::new(),
            docs: String::new(),
            fixable: false,
            excerpt: Excerpt::default(),
        }
    }

    #[test]
    fn the_score_is_the_mean_over_the_files() {
        let found = vec![
            (Severity::Error, at("b", 2)),
            (Severity::Error, at("b", 1)),
            (Severity::Advice, at("a", 1)),
        ];
        let report = Report::of(found, 4, 0, 10);
        assert_eq!(report.score, 86, "(100 + 100 + 95 + 50) / 4");
        assert!(!report.passed && !report.truncated);
        assert_eq!(report.violations.iter().map(|v| v.line).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((Report::of(vec![], 0, 0, 10).score, Report::of(vec![], 0, 0, 10).passed), (100, true));
    }

    #[test]
    fn what_is_too_much_is_cut_and_said() {
        let found = (0..9).map(|line| (Severity::Error, at("a", line))).collect();
        let report = Report::of(found, 1, 0, 3);
        assert_eq!((report.violations.len(), report.truncated, report.score), (3, true, 0));
    }
}
