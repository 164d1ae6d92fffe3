//! PLAN: decides routes, layouts, shared parts and assets.

use super::{Bench, Outcome, tool};
use crate::{
    failure,
    progress::Teller,
    results::{Analyzed, Planned},
};
use domain::{Failure, phase::Phase};
use std::sync::Arc;

pub(crate) async fn run(
    bench: &Bench,
    teller: Arc<Teller>,
    analyzed: &Analyzed,
) -> Result<Outcome<Planned>, Failure> {
    let materials = &bench.materials;
    let snapshot = materials.snapshot(&analyzed.snapshot).await?;
    let texts = materials.texts(&snapshot).await?;
    teller.tell(1, 3, tool(Phase::Plan), "Comparing the pages");
    let planned = materials.cpu.run(move || site_write::plan(&snapshot, &*texts)).await?;
    let plan = planned.map_err(|error| failure::of_writing(&error))?;
    teller.tell(2, 3, tool(Phase::Plan), "Storing the plan");
    let key = bench.keys.plan();
    let hash = materials.objects.put_json(&key, &plan).await?;
    let result = Planned {
        plan: key,
        hash: hash.to_string(),
        routes: plan.routes.len() as u64,
        layouts: plan.groups.len() as u64,
        shared: plan.shared.len() as u64,
        findings: plan.findings.len() as u64,
    };
    let notes = format!("{} routes with {} shared parts.", result.routes, result.shared);
    Ok(Outcome::new(result, notes))
}
