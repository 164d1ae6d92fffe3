//! Every statement in the sources is prepared against the real schema, so that none can rot unexecuted.

use crate::world::World;
use std::{fs, path::Path};

#[tokio::test]
async fn every_statement_fits_the_schema_and_has_a_name_of_its_own() {
    let world = World::new().await;
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(statements.len() > 50, "only {} statements were found", statements.len());
    let mut names: Vec<&str> = statements.iter().filter_map(|sql| sql.lines().next()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "two statements share a name");
    for sql in &statements {
        if let Err(error) = world.sql.prepare(sql).await {
            panic!("{error:?} in {sql}");
        }
    }
}

/// The string literals that begin with the comment that names a statement.
pub(crate) fn statements(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(statements(&path));
        } else {
            let source = fs::read_to_string(&path).expect("a source is text");
            let production = source.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            for piece in production.split("\"-- ").skip(1) {
                let literal = piece.split('"').next().unwrap_or_default();
                // The macro that shares a column list builds its statements from parts; they run in tests.
                if !literal.is_empty() {
                    found.push(format!(
                        "-- {}",
                        literal.replace("\\n\\\n", "\n").replace("\\n", "\n").replace("\\\n", "\n")
                    ));
                }
            }
        }
    }
    found
}
