//! TRANSFORM: writes the project, file by file into the bodies, and the list of its files.

use super::{Bench, Outcome, tool};
use crate::{
    failure,
    materials::{AT_ONCE, FileBody, Files},
    objects,
    progress::Teller,
    results::{Analyzed, Planned, Transformed},
};
use bytes::Bytes;
use domain::{Failure, phase::Phase};
use futures::{StreamExt, TryStreamExt, stream};
use site_write::{Contents, Project};
use std::sync::Arc;

pub(crate) async fn run(
    bench: &Bench,
    teller: Arc<Teller>,
    analyzed: &Analyzed,
    planned: &Planned,
) -> Result<Outcome<Transformed>, Failure> {
    let materials = &bench.materials;
    let snapshot = materials.snapshot(&analyzed.snapshot).await?;
    let texts = materials.texts(&snapshot).await?;
    let plan = materials.plan(&planned.plan, &snapshot).await?;
    teller.tell(0, planned.routes, tool(Phase::Transform), "Writing pages");
    let written = materials.cpu.run(move || site_check::project::write(&plan, &snapshot, &*texts));
    let project = written.await?.map_err(|error| failure::of_writing(&error))?;
    let tell = |done: u64, known: u64, path: &str| {
        teller.tell(done, known, tool(Phase::Transform), &format!("Writing {path}"));
    };
    let files = keep(bench, project, &tell).await?;
    let key = bench.keys.project();
    let hash = materials.objects.put_json(&key, &files).await?;
    let result = Transformed { project: key, hash: hash.to_string(), files: files.files.len() as u64 };
    let notes = format!("{} files were written.", result.files);
    Ok(Outcome::new(result, notes))
}

/// Stores every file that is not stored yet; `tell` hears how many are, of how many, and which one was the last.
pub(super) async fn keep(
    bench: &Bench,
    project: Project,
    tell: &(dyn Fn(u64, u64, &str) + Send + Sync),
) -> Result<Files, Failure> {
    let bodies = &bench.materials.bodies;
    let known = project.files.len() as u64;
    let keeping = project.files.into_iter().map(|(path, contents)| async move {
        let body = match contents {
            Contents::Text(text) => FileBody { hash: bodies.keep(Bytes::from(text)).await?, written: true },
            Contents::Stored(hash) => FileBody { hash, written: false },
        };
        Ok::<_, objects::Error>((path, body))
    });
    let mut kept = stream::iter(keeping).buffer_unordered(AT_ONCE);
    let mut files = Files::default();
    while let Some((path, body)) = kept.try_next().await? {
        tell(files.files.len() as u64 + 1, known, &path);
        files.files.insert(path, body);
    }
    Ok(files)
}
