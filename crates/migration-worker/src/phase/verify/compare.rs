//! The half of VERIFY that needs a build and a browser: the project is built and served in a cell and held against its site
//! page by page. A project that does not build is refused; a page that differs is mended where that is known
//! (`mend.rs`), and named otherwise, in the report and in the history.

use super::{Bench, log, mend::Table};
use crate::{
    compare::{Tools, When},
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
use site_check::{
    Check, Comparison, Problem,
    repair::{self, Tried},
};
use site_write::Plan;

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
    /// The key of the list of files: pages may be mended, and it says what was found.
    pub(super) project: Option<String>,
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
    let materials = &bench.materials;
    let snapshot = materials.snapshot(&analyzed.snapshot).await?;
    let plan = materials.plan(&planned.plan, &snapshot).await?;
    let table = Table { bench, tools, teller, snapshot };
    let looked = table.look(&plan, files, None).await?;
    let said = looked.as_ref().err();
    let problems = said.map(|said| Problem { file: "package.json".to_owned(), message: said.clone() });
    let built = Some(Check { name: "build".to_owned(), problems: problems.into_iter().collect() });
    let Ok(comparison) = looked else { return Ok(Seen { built, ..Seen::default() }) };
    let project = materials.project(files).await?;
    let first = Tried { plan: Plan::clone(&plan), project, comparison };
    let Tried { mut project, comparison, .. } = repair::repair(&table, first).await?;
    comparison.tell(&mut project);
    let files = table.keep(project).await?;
    let key = bench.keys.compared();
    materials.objects.put_json(&key, &files).await?;
    let findings = told(&comparison);
    Ok(Seen { built, comparison: Some(comparison), findings, project: Some(key) })
}

/// The first pages and addresses that differ, for people.
fn told(comparison: &Comparison) -> Vec<String> {
    let pages = comparison.pages.iter().filter(|page| !page.passed).map(|page| {
        let reasons: Vec<&str> = page.reasons.iter().map(|reason| reason.note.as_str()).collect();
        format!("{} differs from the site: {}", page.url, reasons.join("; "))
    });
    let repaired = comparison.repairs.iter().filter(|repair| repair.passed).map(|repair| {
        format!(
            "{} differed at first, and is as it was with more of its own kept (MIGRATION.md).",
            repair.url
        )
    });
    let addresses = comparison.wrong_addresses.iter().map(|wrong| {
        format!("{} answers {} and not {}, as the site did.", wrong.path, wrong.found, wrong.wanted)
    });
    pages.take(TOLD).chain(repaired.take(TOLD)).chain(addresses.take(TOLD)).collect()
}

/// The figures of a comparison, for the phase's result.
pub(super) fn figures(comparison: &Comparison) -> Compared {
    let least =
        comparison.pages.iter().flat_map(|page| &page.elements).map(|at| at.share).fold(1.0, f64::min);
    Compared {
        passed: comparison.passed,
        pages: comparison.pages.len() as u64,
        refused: comparison.pages.iter().filter(|page| !page.passed).count() as u64,
        repaired: comparison.repairs.iter().filter(|repair| repair.passed).count() as u64,
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
