//! What a person should know about a page or a site.

use serde::{Deserialize, Serialize};

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something will need a look.
    Warning,
    /// Something is broken.
    Error,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Stable name of the kind, in kebab case.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// What it is and what to do, for a person.
    pub note: String,
}

impl Problem {
    pub(crate) fn new(severity: Severity, code: &str, note: impl Into<String>) -> Self {
        Self { code: code.to_owned(), severity, note: note.into() }
    }
}

/// Problems by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemCounts {
    /// Something is broken.
    pub errors: u32,
    /// Something will need a look.
    pub warnings: u32,
    /// Worth knowing.
    pub infos: u32,
}

impl ProblemCounts {
    pub(crate) fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Info => &mut self.infos,
            Severity::Warning => &mut self.warnings,
            Severity::Error => &mut self.errors,
        };
        *count = count.saturating_add(1);
    }
}
