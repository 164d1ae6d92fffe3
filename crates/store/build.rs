//! Tells cargo which files are embedded, and the code which step is the highest: the embedding macro does
//! neither.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let steps = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../migrations");
    println!("cargo:rerun-if-changed={}", steps.display());
    let mut highest = 0;
    for entry in fs::read_dir(&steps)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some((number, _)) = name.strip_prefix('V').and_then(|rest| rest.split_once("__")) {
            highest = highest.max(number.parse::<i32>()?);
        }
    }
    println!("cargo:rustc-env=RESETTLE_SCHEMA_VERSION={highest}");
    Ok(())
}
