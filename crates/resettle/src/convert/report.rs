//! What is told of a conversion: a document beside the project, one JSON object for programs, a few lines for people.

use super::make::Made;
use crate::terminal::{note, say};
use serde::Serialize;
use serde_json::{Value, json};
use site_check::{Check, lint};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use url::Url;

/// The document's name in the project.
pub(super) const NAME: &str = ".resettle-report.json";
/// So many problems are told to people; the document has all.
const TOLD: usize = 10;

/// Everything that was looked at, and what was not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    #[serde(skip)]
    figures: Value,
    #[serde(skip)]
    out: PathBuf,
    #[serde(skip)]
    pub(super) files: usize,
    checks: &'a [Check],
    lint: &'a lint::Report,
    /// What a complete look would have had beside these.
    not_measured: Vec<&'static str>,
}

impl<'a> Report<'a> {
    pub(super) fn of(made: &'a Made, out: &Path) -> Self {
        let plan = &made.plan;
        let figures = json!({
            "pages": made.sources.snapshot.pages.len(),
            "routes": plan.routes.len(),
            "layouts": plan.groups.len(),
            "sharedParts": plan.shared.len(),
            "assets": plan.assets.len(),
            "redirects": plan.redirects.len(),
            "findings": plan.findings.len(),
            "truncated": made.sources.snapshot.truncated,
            "files": made.project.files.len(),
        });
        Self {
            figures,
            out: out.to_owned(),
            files: made.project.files.len(),
            checks: &made.checks.checks,
            lint: &made.lint,
            not_measured: vec!["types", "build", "browser"],
        }
    }

    /// Did every check pass that was made?
    pub(super) fn passed(&self) -> bool {
        self.lint.passed && self.checks.iter().all(|check| check.problems.is_empty())
    }

    /// Puts the document beside the project's files.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::write(folder.join(NAME), text)
    }

    /// The last line for programs, or the last words for people.
    pub(super) fn tell(&self, json: bool, source: &Url) {
        if json { say(self.object()) } else { self.words(source) }
    }

    fn object(&self) -> Value {
        let mut object = self.figures.clone();
        let checks: Value =
            self.checks.iter().map(|check| (check.name.clone(), Value::from(check.problems.len()))).collect();
        object["checks"] = checks;
        object["lint"] = json!({
            "passed": self.lint.passed,
            "score": self.lint.score,
            "violations": self.lint.violations.len(),
            "recommendations": self.lint.recommendations.len(),
        });
        object["compared"] = Value::Null;
        object["notMeasured"] = json!(self.not_measured);
        object["success"] = self.passed().into();
        object["out"] = json!(self.out);
        object
    }

    fn words(&self, source: &Url) {
        let number = |name: &str| self.figures[name].as_u64().unwrap_or_default();
        let shown = self.out.display();
        say(format_args!(
            "\n{source} is a Next.js project now: {} pages, {} redirects, {} files, in\n  {shown}",
            number("routes"),
            number("redirects"),
            number("files"),
        ));
        if let Some(limit) = self.figures["truncated"].as_str() {
            say(format_args!("It was cut by a limit ({limit}): not everything was read."));
        }
        if number("findings") > 0 {
            say(format_args!("{} things need a look: MIGRATION.md says which.", number("findings")));
        }
        say(format_args!("Not measured: {}.", self.not_measured.join(", ")));
        self.problems();
        say(format_args!(
            "\nRun it:\n  cd {shown} && npm ci && npm run build && npm start\nthen look at http://localhost:3000/"
        ));
    }

    /// The first problems, on standard error: they are no part of the result.
    fn problems(&self) {
        let all = self.checks.iter().flat_map(|check| check.problems.iter().map(move |it| (check, it)));
        let all: Vec<_> = all.collect();
        for (check, problem) in all.iter().take(TOLD) {
            note(format_args!("{}: {}: {}", check.name, problem.file, problem.message));
        }
        if !all.is_empty() {
            note(format_args!("{} problems were found; {NAME} in the project has all of them", all.len()));
        }
    }
}
