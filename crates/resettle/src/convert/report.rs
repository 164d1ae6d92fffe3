//! What is told of a conversion: a document beside the project, one JSON object for programs, a few lines for people.

use super::{compared::Measured, make::Made};
use crate::{
    crawl::show::plain,
    terminal::{note, say},
};
use serde::Serialize;
use serde_json::{Value, json};
use site_check::{Check, Comparison, lint};
use site_write::plan::Service;
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
    /// What stands before all of the site.
    #[serde(skip)]
    gated: Vec<String>,
    checks: &'a [Check],
    lint: &'a lint::Report,
    comparison: Option<&'a Comparison>,
    /// Analytics and widgets of others, and how they are loaded.
    services: &'a [Service],
    /// What a complete look would have had beside these, and why it has not.
    not_measured: &'a [String],
}

impl<'a> Report<'a> {
    pub(super) fn of(made: &'a Made, measured: &'a Measured, out: &Path) -> Self {
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
        let findings = made.sources.snapshot.findings.iter();
        let gated = findings.filter(|finding| finding.code == "gated-site");
        Self {
            figures,
            gated: gated.map(|finding| format!("{}: {}", finding.url, finding.note)).collect(),
            out: out.to_owned(),
            files: made.project.files.len(),
            checks: &made.checks.checks,
            lint: &made.lint,
            comparison: measured.comparison.as_ref(),
            services: &plan.services,
            not_measured: &measured.missing,
        }
    }

    /// Did every check pass that was made?
    pub(super) fn passed(&self) -> bool {
        self.lint.passed
            && self.checks.iter().all(|check| check.problems.is_empty())
            && self.comparison.is_none_or(|compared| compared.passed)
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
        object["compared"] = self.comparison.map_or(Value::Null, figures);
        object["gated"] = json!(self.gated);
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
        for gated in &self.gated {
            say(format_args!("{gated}."));
        }
        if number("findings") > 0 {
            say(format_args!("{} things need a look: MIGRATION.md says which.", number("findings")));
        }
        if let Some(compared) = self.comparison {
            say(figures_in_words(compared));
        }
        for missing in self.not_measured {
            say(format_args!("Not measured: {missing}."));
        }
        self.problems();
        say(format_args!(
            "\nRun it:\n  cd {shown} && npm ci && npm run build && npm start\nthen look at http://localhost:3000/"
        ));
    }

    /// The first problems, on standard error: they are no part of the result.
    fn problems(&self) {
        let all = self.checks.iter().flat_map(|check| check.problems.iter().map(move |it| (check, it)));
        let mut all: Vec<String> =
            all.map(|(check, it)| format!("{}: {}: {}", check.name, it.file, it.message)).collect();
        if let Some(compared) = self.comparison {
            all.extend(differences(compared));
        }
        for problem in all.iter().take(TOLD) {
            note(plain(problem));
        }
        if !all.is_empty() {
            note(format_args!("{} problems were found; {NAME} in the project has all of them", all.len()));
        }
    }
}

/// The comparison in numbers.
fn figures(compared: &Comparison) -> Value {
    json!({
        "passed": compared.passed,
        "pages": compared.pages.len(),
        "passedAgain": passed_again(compared),
        "refused": compared.pages.iter().filter(|page| !page.passed).count(),
        "leftOut": compared.left_out,
        "widths": compared.widths,
        "addresses": compared.addresses,
        "wrongAddresses": compared.wrong_addresses.len(),
        "repaired": repaired(compared),
    })
}

/// How many pages differed at first, and do no more.
fn repaired(compared: &Comparison) -> usize {
    compared.repairs.iter().filter(|repair| repair.passed).count()
}

/// How many pages passed, but not at the first look.
fn passed_again(compared: &Comparison) -> usize {
    compared.pages.iter().filter(|page| page.passed && page.more_looks > 0).count()
}

fn figures_in_words(compared: &Comparison) -> String {
    let widths: Vec<String> = compared.widths.iter().map(u32::to_string).collect();
    let alike = compared.pages.iter().filter(|page| page.passed).count();
    let repaired = match repaired(compared) {
        0 => String::new(),
        count => format!(" ({count} of them with more of their own kept)"),
    };
    let again = match passed_again(compared) {
        0 => String::new(),
        count => format!(" ({count} of them when shown again)"),
    };
    format!(
        "In the browser {alike} of {} pages are as they were{repaired}{again}, at {} pixels; {} of {} addresses answer as they did.",
        compared.pages.len(),
        widths.join(", "),
        compared.addresses - compared.wrong_addresses.len() as u64,
        compared.addresses,
    )
}

/// What differs, a line each.
fn differences(compared: &Comparison) -> impl Iterator<Item = String> {
    let pages = compared.pages.iter().flat_map(|page| {
        page.reasons.iter().map(move |reason| {
            let width = reason.width.map(|width| format!(" at {width} pixels")).unwrap_or_default();
            format!("{}: {}{width}: {}", page.url, reason.code, reason.note)
        })
    });
    let addresses = compared.wrong_addresses.iter();
    pages.chain(addresses.map(|it| format!("{}: answers {} and not {}", it.path, it.found, it.wanted)))
}
