//! Names the migrated template database after the content of the migrations, so that no test ever runs on a
//! stale one: a changed, added or renamed step is another name.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut steps = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("migrations/ is there") {
        let path = entry.expect("an entry can be read").path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            println!("cargo:rerun-if-changed={}", path.display());
            let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            steps.insert(name, std::fs::read(&path).expect("a step can be read"));
        }
    }
    let mut hasher = DefaultHasher::new();
    steps.hash(&mut hasher);
    println!("cargo:rustc-env=TESTKIT_SCHEMA_HASH={:016x}", hasher.finish());
}
