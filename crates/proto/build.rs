//! Compiles `/proto` with a compiler written in Rust, so that no `protoc` has to be installed.

use prost::Message;
use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 4] = [
    "control/v1/worker_control.proto",
    "status/v1/worker_status.proto",
    "stream/v1/migration_watch.proto",
    "stream/v1/stream_figures.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let files = protox::compile(FILES.map(|file| root.join(file)), [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), files.encode_to_vec())?;
    tonic_prost_build::configure().build_transport(true).compile_fds(files)?;
    Ok(())
}
