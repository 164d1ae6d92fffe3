//! The diagram of a job's life in docs/data-model.md has exactly the moves that the code allows.

use super::root;
use domain::job::JobState;
use std::collections::BTreeSet;

#[test]
fn the_job_diagram_has_the_edges_of_the_table() {
    let page = std::fs::read_to_string(root().join("docs/data-model.md")).expect("the page is there");
    let start = page.find("<!-- job moves -->").expect("the diagram is marked");
    let block = page[start..].split("```").nth(1).expect("a fenced diagram follows the mark");
    let drawn: BTreeSet<(String, String)> = block
        .lines()
        .filter_map(|line| line.trim().split_once("-->"))
        .map(|(from, rest)| (from.trim().to_owned(), rest.split(':').next().unwrap_or("").trim().to_owned()))
        .filter(|(from, to)| from != "[*]" && to != "[*]")
        .collect();
    let mut allowed = BTreeSet::new();
    for from in JobState::ALL {
        for to in JobState::ALL.into_iter().filter(|to| from.allows(*to)) {
            allowed.insert((from.to_string(), to.to_string()));
        }
    }
    assert_eq!(drawn, allowed);
}
