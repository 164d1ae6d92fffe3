//! The half of VERIFY that needs a build and a browser: the project is built and served in a cell and held against its site
//! page by page. A project that does not build is refused; a page that differs is named, in the report and in the history.

use super::{Bench, log, scratch, write_files};
use crate::{
    compare::{Tools, When},
    failure,
    materials::Files,
    phase::tool,
    progress::Teller,
    results::{Analyzed, Compared, Planned},
};
use domain::{
    Failure,
    event::{EventType, NewEvent},
    phase::Phase,
};
use serde_json::json;
use site_check::{Check, Comparison, Problem, compare};
use std::path::Path;

/// So many pages that differ are told in the history; the report has all.
const TOLD: usize = 5;

/// What it found.
#[derive(Default)]
pub(super) struct Seen {
    /// Whether it builds.
    pub(super) built: Option<Check>,
    pub(super) comparison: Option<Comparison>,
    /// What a person should know.
    pub(super) findings: Vec<String>,
}

pub(super) async fn run(
    bench: &Bench,
    teller: &Teller,
    analyzed: &Analyzed,
    planned: &Planned,
    files: &Files,
) -> Result<Seen, Failure> {
    let inspector = &bench.shop.inspector;
    if inspector.when() == When::Never {
        return Ok(Seen::default());
    }
    let tools = match bench.shop.checker.toolchain().await {
        Ok(toolchain) => inspector.tools(toolchain).await.map_err(|error| service_kit::exit::chain(&error)),
        Err(why) => Err(why),
    };
    match tools {
        Ok(tools) => look(bench, tools, teller, analyzed, planned, files).await,
        // Why is for the operator: it may name paths and hosts of ours.
        Err(why) if inspector.when() == When::Always => {
            tracing::error!(why, "the project could not be compared");
            let told = "The project could not be compared with the site because of a fault of ours.";
            Err(Failure::may_pass("internal", told))
        }
        Err(why) => {
            tracing::warn!(why, "the project was not compared");
            let told =
                "The project was not built and not compared with the site in a browser: this worker cannot.";
            Ok(Seen { findings: vec![told.to_owned()], ..Seen::default() })
        }
    }
}

async fn look(
    bench: &Bench,
    tools: &Tools,
    teller: &Teller,
    analyzed: &Analyzed,
    planned: &Planned,
    files: &Files,
) -> Result<Seen, Failure> {
    let folder =
        scratch(bench.shop.config.scratch.as_deref()).map_err(|error| failure::of_scratch(&error))?;
    write_files(bench, files, folder.path(), |_| true).await?;
    teller.tell(2, super::STEPS, tool(Phase::Verify), "Building the project");
    let build = tools.workshop.build(folder.path()).await.map_err(|error| broken(&error))?;
    let problem = || Problem { file: "package.json".to_owned(), message: build.said.clone() };
    let problems = if build.succeeded { Vec::new() } else { vec![problem()] };
    let built = Some(Check { name: "build".to_owned(), problems });
    if !build.succeeded {
        return Ok(Seen { built, ..Seen::default() });
    }
    let comparison = beside(bench, tools, teller, analyzed, planned, folder.path()).await?;
    let findings = told(&comparison);
    Ok(Seen { built, comparison: Some(comparison), findings })
}

async fn beside(
    bench: &Bench,
    tools: &Tools,
    teller: &Teller,
    analyzed: &Analyzed,
    planned: &Planned,
    built: &Path,
) -> Result<Comparison, Failure> {
    let materials = &bench.materials;
    let snapshot = materials.snapshot(&analyzed.snapshot).await?;
    let plan = materials.plan(&planned.plan, &snapshot).await?;
    let server = tools.workshop.serve(built).await.map_err(|error| broken(&error))?;
    let it =
        compare::Compared { plan: &plan, snapshot: &snapshot, archive: &materials.bodies, server: &server };
    let tell = |done: u64, known: u64, url: &str| {
        let figures = json!({ "pagesCompared": done, "pagesToCompare": known });
        teller.tell_more(2, super::STEPS, tool(Phase::Verify), &format!("Comparing {url}"), figures);
    };
    let compared = tools.comparer.compare(&it, &tell).await;
    server.end().await;
    compared.map_err(|error| broken(&error))
}

fn broken(error: &site_check::Error) -> Failure {
    tracing::error!(error = %service_kit::exit::chain(error), "the project could not be compared");
    Failure::may_pass(
        "internal",
        "The project could not be compared with the site because of a fault of ours.",
    )
}

/// The first pages and addresses that differ, for people.
fn told(comparison: &Comparison) -> Vec<String> {
    let pages = comparison.pages.iter().filter(|page| !page.passed).map(|page| {
        let reasons: Vec<&str> = page.reasons.iter().map(|reason| reason.note.as_str()).collect();
        format!("{} differs from the site: {}", page.url, reasons.join("; "))
    });
    let addresses = comparison.wrong_addresses.iter().map(|wrong| {
        format!("{} answers {} and not {}, as the site did.", wrong.path, wrong.found, wrong.wanted)
    });
    pages.take(TOLD).chain(addresses.take(TOLD)).collect()
}

/// The figures of a comparison, for the phase's result.
pub(super) fn figures(comparison: &Comparison) -> Compared {
    let least =
        comparison.pages.iter().flat_map(|page| &page.elements).map(|at| at.share).fold(1.0, f64::min);
    Compared {
        passed: comparison.passed,
        pages: comparison.pages.len() as u64,
        refused: comparison.pages.iter().filter(|page| !page.passed).count() as u64,
        left_out: comparison.left_out,
        addresses: comparison.addresses,
        wrong_addresses: comparison.wrong_addresses.len() as u64,
        least_alike: least,
    }
}

/// What is told of the comparison: its figures for programs.
pub(super) fn events(seen: &Seen) -> Vec<NewEvent> {
    let metric = seen.comparison.iter().map(|comparison| {
        let detail = json!({ "currentTool": tool(Phase::Verify), "compared": figures(comparison) });
        let progress = Phase::Verify.progress(super::STEPS, super::STEPS);
        NewEvent::new(EventType::Metric, Some(Phase::Verify), progress, detail)
    });
    metric.chain(seen.findings.iter().map(|finding| log(finding))).collect()
}
