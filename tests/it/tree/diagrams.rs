//! The diagrams of a job's and of a migration's life in docs/data-model.md have exactly the moves that the code allows.

use super::root;
use domain::{job::JobState, migration::MigrationState};
use std::{collections::BTreeSet, fmt::Display};

type Edges = BTreeSet<(String, String)>;

fn drawn(mark: &str) -> Edges {
    let page = std::fs::read_to_string(root().join("docs/data-model.md")).expect("the page is there");
    let start = page.find(mark).expect("the diagram is marked");
    let block = page[start..].split("```").nth(1).expect("a fenced diagram follows the mark");
    let edges = block.lines().filter_map(|line| line.trim().split_once("-->"));
    edges
        .map(|(from, rest)| (from.trim().to_owned(), rest.split(':').next().unwrap_or("").trim().to_owned()))
        .filter(|(from, to)| from != "[*]" && to != "[*]")
        .collect()
}

fn allowed<S: Copy + Display>(all: &[S], allows: impl Fn(S, S) -> bool) -> Edges {
    let pairs = all.iter().flat_map(|from| all.iter().map(move |to| (*from, *to)));
    pairs
        .filter(|(from, to)| allows(*from, *to))
        .map(|(from, to)| (from.to_string(), to.to_string()))
        .collect()
}

#[test]
fn the_job_diagram_has_the_edges_of_the_table() {
    assert_eq!(drawn("<!-- job moves -->"), allowed(&JobState::ALL, JobState::allows));
}

#[test]
fn the_migration_diagram_has_the_edges_of_the_table() {
    assert_eq!(drawn("<!-- migration moves -->"), allowed(&MigrationState::ALL, MigrationState::allows));
}
