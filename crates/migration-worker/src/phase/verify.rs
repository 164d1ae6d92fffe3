//! VERIFY: holds the project against what was read, gives it to the compiler where there is one, and shows it in a browser
//! where that is wanted. A problem fails the job: a project that is known to be wrong is not handed out. What only differs
//! in the browser is named.

mod compare;
mod mend;

use super::{Bench, Outcome, tool};
use crate::{
    failure,
    materials::{AT_ONCE, Files},
    progress::Teller,
    results::{Analyzed, Planned, Transformed, TypeCheck, Verified},
    toolchain::Verdict,
};
use domain::{
    Failure,
    event::{EventType, NewEvent},
    failure::Reason,
    phase::Phase,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::json;
use site_check::{Check, Comparison, Problem, Report, project};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// So many problems are told; the report has all.
const TOLD: usize = 5;
/// The code of the `error` event when the lint refuses a project.
const INCOMPATIBLE: &str = "BUILDER_INCOMPATIBILITY_DETECTED";
const STEPS: u64 = 4;

/// What is stored of it all.
#[derive(Serialize)]
struct Stored<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

pub(crate) async fn run(
    bench: &Bench,
    teller: Arc<Teller>,
    analyzed: &Analyzed,
    planned: &Planned,
    transformed: &Transformed,
) -> Result<Outcome<Verified>, Failure> {
    let files = bench.materials.files(&transformed.project).await?;
    teller.tell(0, STEPS, tool(Phase::Verify), "Checking pages, text and links");
    let mut report = read_through(bench, analyzed, planned, &files).await?;
    teller.tell(1, STEPS, tool(Phase::Verify), "Checking types");
    let (type_check, mut findings) = match compile(bench, &files).await? {
        Verdict::Checked(problems) => {
            report.checks.push(Check { name: "types".to_owned(), problems });
            (TypeCheck::Passed, Vec::new())
        }
        // Why is for the operator: it may name paths and hosts of ours.
        Verdict::Missing(why) => {
            tracing::warn!(why, "the project was not type-checked");
            (
                TypeCheck::Skipped,
                vec!["The project was not type-checked: this worker has no compiler.".to_owned()],
            )
        }
        Verdict::Broken(error) => return Err(failure::of_checking(&error, "type-checked")),
    };
    let mut seen = compare::Seen::default();
    if report.passed() {
        seen = compare::run(bench, &teller, analyzed, planned, &files).await?;
        report.checks.extend(seen.built.take());
    }
    teller.tell(3, STEPS, tool(Phase::Verify), "Storing the report");
    let key = bench.keys.report();
    let stored = Stored { report: &report, comparison: seen.comparison.as_ref() };
    bench.materials.objects.put_json(&key, &stored).await?;
    if !report.passed() {
        return Err(refused(&report));
    }
    let checks: Vec<String> = report.checks.iter().map(|check| check.name.clone()).collect();
    let notes = format!("{} checks passed.", checks.len());
    let mut events: Vec<NewEvent> = findings.iter().map(|finding| log(finding)).collect();
    events.extend(compare::events(&seen));
    findings.append(&mut seen.findings);
    let compared = seen.comparison.as_ref().map(compare::figures);
    let result = Verified { report: key, checks, type_check, findings, compared, project: seen.project };
    Ok(Outcome { events, ..Outcome::new(result, notes) })
}

fn log(finding: &str) -> NewEvent {
    let detail = json!({"currentTool": tool(Phase::Verify), "notes": finding});
    NewEvent::new(EventType::Log, Some(Phase::Verify), Phase::Verify.progress(STEPS, STEPS), detail)
}

async fn read_through(
    bench: &Bench,
    analyzed: &Analyzed,
    planned: &Planned,
    files: &Files,
) -> Result<Report, Failure> {
    let materials = &bench.materials;
    let snapshot = materials.snapshot(&analyzed.snapshot).await?;
    let texts = materials.texts(&snapshot).await?;
    let plan = materials.plan(&planned.plan, &snapshot).await?;
    let project = materials.project(files).await?;
    materials.cpu.run(move || site_check::verify(&plan, &snapshot, &*texts, &project)).await
}

fn refused(report: &Report) -> Failure {
    let all: Vec<&Problem> = report.checks.iter().flat_map(|check| &check.problems).collect();
    let first: Vec<String> =
        all.iter().take(TOLD).map(|one| format!("{}: {}", one.file, one.message)).collect();
    let more = all.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    // What a builder cannot take has a code of its own, unless more is wrong than that.
    let only_lint =
        report.checks.iter().all(|check| check.problems.is_empty() || check.name == site_check::LINT);
    let code = if only_lint { INCOMPATIBLE } else { "verify_failed" };
    Failure::of(
        Reason::BuilderIncompatibility,
        code,
        format!(
            "The written project did not pass its checks: {}{more}. This is a fault of ours.",
            first.join("; ")
        ),
    )
}

/// Puts what the compiler reads on disk, and asks it.
async fn compile(bench: &Bench, files: &Files) -> Result<Verdict, Failure> {
    let folder =
        scratch(bench.shop.config.scratch.as_deref()).map_err(|error| failure::of_scratch(&error))?;
    write_files(bench, files, folder.path(), |path| !path.starts_with("public/")).await?;
    Ok(bench.shop.checker.check(folder.path()).await)
}

/// Puts the project's files into a folder, as far as they are wanted there.
async fn write_files(
    bench: &Bench,
    files: &Files,
    folder: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let bodies = &bench.materials.bodies;
    let wanted: Vec<_> = files.files.clone().into_iter().filter(|(path, _)| wanted(path)).collect();
    let writing = wanted.into_iter().map(|(path, file)| {
        let target = within(folder, &path);
        async move {
            let target = target?;
            let body = bodies.load(&file.hash).await?;
            project::put(&target, &body).await.map_err(|error| failure::of_scratch(&error))
        }
    });
    stream::iter(writing).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

pub(super) fn scratch(within: Option<&Path>) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("resettle-");
    match within {
        Some(folder) => builder.tempdir_in(folder),
        None => builder.tempdir(),
    }
}

fn within(folder: &Path, path: &str) -> Result<PathBuf, Failure> {
    project::place(folder, path).ok_or_else(|| {
        tracing::error!(path, "the project names a file outside itself");
        Failure::cannot_pass(
            "internal",
            "The written project names a file outside itself. This is a fault of ours.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_the_first_problems_and_how_many_more_there_are() {
        let problem = |n| Problem { file: format!("app/{n}.tsx"), message: "bad".into() };
        let report =
            Report { checks: vec![Check { name: "text".into(), problems: (0..7).map(problem).collect() }] };
        let failure = refused(&report);
        assert!(!failure.retryable);
        assert!(failure.message.contains("app/4.tsx") && !failure.message.contains("app/5.tsx"));
        assert!(failure.message.contains("and 2 more"));
    }

    #[test]
    fn a_refusal_by_the_lint_has_a_code_of_its_own() {
        let report = |names: &[&str]| {
            let problem = || Problem { file: "app/page.tsx".into(), message: "secret at 1:1".into() };
            let check = |name: &&str| Check { name: (*name).to_owned(), problems: vec![problem()] };
            Report { checks: names.iter().map(check).collect() }
        };
        let failure = refused(&report(&["lint"]));
        assert_eq!((failure.code.as_str(), failure.retryable), ("BUILDER_INCOMPATIBILITY_DETECTED", false));
        assert!(failure.message.contains("app/page.tsx: secret at 1:1"));
        assert_eq!(refused(&report(&["lint", "text"])).code, "verify_failed");
    }
}
