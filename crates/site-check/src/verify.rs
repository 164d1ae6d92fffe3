//! Is the project whole? Every file parses, every page that was read has a route with all its words and images, every
//! address leads somewhere, nothing stands in for a page, and the lint has no violation to tell.

mod links;
mod pages;

pub(crate) use pages::difference;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use site_read::Snapshot;
use site_write::{Bodies, Contents, Plan, Project};

use crate::{
    project::look_through,
    source::{self, Source},
};

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which file, from the project's root.
    pub file: String,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A stable word for it.
    pub name: String,
    /// What is wrong; nothing if it passed.
    pub problems: Vec<Problem>,
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In the order in which it was.
    pub checks: Vec<Check>,
}

impl Report {
    /// Did every check pass?
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.problems.is_empty())
    }
}

/// The name of the check that is the lint.
pub const LINT: &str = "lint";

/// What the checks look at together.
struct Held<'a> {
    plan: &'a Plan,
    snapshot: &'a Snapshot,
    bodies: &'a dyn Bodies,
    project: &'a Project,
    /// The files that were read, by their path.
    sources: BTreeMap<&'a str, Source>,
}

/// Holds a project against the snapshot and the plan that it was written from.
pub fn verify(plan: &Plan, snapshot: &Snapshot, bodies: &dyn Bodies, project: &Project) -> Report {
    let (sources, syntax) = sources(project);
    let held = Held { plan, snapshot, bodies, project, sources };
    let checks = vec![
        check("syntax", syntax),
        check("forbidden", held.forbidden()),
        check(LINT, held.lint()),
        check("package", held.package()),
        check("routes", held.routes()),
        check("text", held.text()),
        check("images", held.images()),
        check("links", held.links()),
    ];
    Report { checks }
}

fn check(name: &str, problems: Vec<Problem>) -> Check {
    Check { name: name.to_owned(), problems }
}

fn problem(file: &str, message: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), message: message.into() }
}

fn is_source(path: &str) -> bool {
    !path.starts_with("public/") && [".ts", ".tsx", ".js", ".mjs"].iter().any(|ending| path.ends_with(ending))
}

fn sources(project: &Project) -> (BTreeMap<&str, Source>, Vec<Problem>) {
    let mut sources = BTreeMap::new();
    let mut problems = Vec::new();
    for (path, contents) in &project.files {
        let Contents::Text(text) = contents else { continue };
        if !is_source(path) {
            continue;
        }
        match source::read(path, text) {
            Ok(source) => {
                sources.insert(path.as_str(), source);
            }
            Err(complaints) => {
                problems.extend(complaints.into_iter().map(|complaint| problem(path, complaint)))
            }
        }
    }
    (sources, problems)
}

impl Held<'_> {
    fn lint(&self) -> Vec<Problem> {
        let report = look_through(self.project);
        let told = report.violations.iter().map(|it| {
            problem(&it.file, format!("{} at {}:{}: {}", it.kind, it.line, it.column, it.description))
        });
        told.collect()
    }

    fn forbidden(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (path, contents) in &self.project.files {
            if path.contains("[[") || path.contains("[...") {
                problems.push(problem(path, "a catch-all route stands in for pages"));
            }
            // A page of the site must not be served as a file: its address belongs to a route.
            if let Contents::Stored(hash) = contents {
                let is = |page: &site_read::Page| [&page.body, &page.html, page.sent()].contains(&hash);
                let page = self.snapshot.pages.values().any(is);
                if page && path.starts_with("public/") {
                    problems.push(problem(path, "a page is kept as a raw file"));
                }
            }
        }
        problems
    }

    fn package(&self) -> Vec<Problem> {
        let Some(Contents::Text(text)) = self.project.files.get("package.json") else {
            return vec![problem("package.json", "is missing")];
        };
        let Ok(package) = serde_json::from_str::<serde_json::Value>(text) else {
            return vec![problem("package.json", "is not JSON")];
        };
        let needed = ["next", "react", "react-dom"]
            .into_iter()
            .filter(|name| !package["dependencies"][name].is_string());
        let mut problems: Vec<Problem> =
            needed.map(|name| problem("package.json", format!("does not depend on {name}"))).collect();
        for file in ["package-lock.json", "tsconfig.json", self.plan.next.configuration()] {
            if !self.project.files.contains_key(file) {
                problems.push(problem(file, "is missing"));
            }
        }
        problems
    }
}
