//! DEPLOY: packs the project into one zip with its manifest and stores both.

use super::{Bench, Outcome, tool, verify::scratch};
use crate::{
    failure,
    materials::{AT_ONCE, Files},
    objects,
    package::{Package, Packed},
    progress::Teller,
    results::Deployed,
};
use bytes::Bytes;
use domain::{Failure, failure::Reason, phase::Phase};
use futures::{StreamExt, TryStreamExt, stream};
use std::{fs::OpenOptions, path::Path, sync::Arc};
use uuid::Uuid;

/// `project` is the key of the list of files.
pub(crate) async fn run(
    bench: &Bench,
    teller: Arc<Teller>,
    project: &str,
) -> Result<Outcome<Deployed>, Failure> {
    let deployed = deploy(bench, &teller, project).await;
    deployed.map_err(|failure| failure.because(Reason::DeploymentError))
}

async fn deploy(bench: &Bench, teller: &Teller, project: &str) -> Result<Outcome<Deployed>, Failure> {
    let files = bench.materials.files(project).await?;
    let folder =
        scratch(bench.shop.config.scratch.as_deref()).map_err(|error| failure::of_scratch(&error))?;
    let file = folder.path().join("artifact.zip");
    let packed = pack(bench, teller, &files, &file).await?;
    let (artifact, manifest) = (bench.keys.artifact(), bench.keys.manifest());
    // The artefact is whole in the store before anything names it: the result is committed after both writes.
    bench.materials.objects.put_file(&artifact, &file).await?;
    bench.materials.objects.put(&manifest, Bytes::from(packed.manifest)).await?;
    let result = Deployed {
        project_id: Uuid::now_v7(),
        artifact,
        bytes: packed.bytes,
        sha256: packed.sha256,
        files: files.files.len() as u64,
        manifest,
    };
    let notes = format!("{} files in {} bytes are stored.", result.files, result.bytes);
    Ok(Outcome::new(result, notes))
}

/// One file after the other, so that memory holds a few at a time, however large the project is.
async fn pack(bench: &Bench, teller: &Teller, files: &Files, file: &Path) -> Result<Packed, Failure> {
    let materials = &bench.materials;
    let opened = OpenOptions::new().read(true).write(true).create_new(true).open(file);
    let mut package = Package::begin(opened.map_err(|error| failure::of_scratch(&error))?);
    let (mut done, known) = (0, files.files.len() as u64 + 1);
    let loading = files.files.clone().into_iter().map(|(path, file)| async move {
        let body = materials.bodies.load(&file.hash).await?;
        Ok::<_, objects::Error>((path, body))
    });
    let mut loaded = stream::iter(loading).buffered(AT_ONCE);
    while let Some((path, body)) = loaded.try_next().await? {
        teller.tell(done, known, tool(Phase::Deploy), &format!("Packing {path}"));
        let added = materials.cpu.run(move || package.add(&path, &body).map(|()| package)).await?;
        package = added.map_err(|error| failure::of_scratch(&error))?;
        done += 1;
    }
    teller.tell(done, known, tool(Phase::Deploy), "Storing the package");
    let packed = materials.cpu.run(move || package.finish()).await?;
    packed.map_err(|error| failure::of_scratch(&error))
}
