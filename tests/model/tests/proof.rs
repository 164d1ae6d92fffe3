//! The proof: every state that can be reached within the bounds is visited, and keeps every claim.
//!
//! The bounds are those that take seconds. `make model FAULTS=n` adds n faults to each, for whoever has the time.
#![expect(clippy::print_stdout, reason = "how much was visited is what a proof within bounds is worth")]

use model::{Half, Terms, World};
use stateright::{Checker, Expectation, Model};
use std::collections::BTreeSet;

/// Visits everything; answers which examples were found.
fn prove(terms: Terms) -> BTreeSet<&'static str> {
    let more =
        std::env::var("MODEL_FAULTS").map_or(0, |more| more.parse().expect("MODEL_FAULTS is a number"));
    let terms = Terms { faults: terms.faults + more, ..terms };
    let checked = terms.checker().threads(2).symmetry_fn(World::representative).spawn_dfs().join();
    println!("{terms:?}: {} states, all kept every claim", checked.unique_state_count());
    found(&terms, &checked)
}

fn found(terms: &Terms, checked: &impl Checker<Terms>) -> BTreeSet<&'static str> {
    let mut examples = BTreeSet::new();
    for (name, path) in checked.discoveries() {
        let example = terms.property(name).expectation == Expectation::Sometimes;
        assert!(example, "{terms:?}: not so: {name}\n{:#?}", path.last_state());
        examples.insert(name);
    }
    examples
}

#[test]
fn two_workers_and_three_faults_break_nothing() {
    prove(Terms::sound(Half::Leases, 2, 3));
}

#[test]
fn three_workers_and_two_faults_break_nothing() {
    prove(Terms::sound(Half::Leases, 3, 2));
}

#[test]
fn nor_where_a_claim_begins_the_job() {
    prove(Terms::sound(Half::Leases, 2, 3).begun_by_claims());
    prove(Terms::sound(Half::Bell, 2, 1).begun_by_claims());
}

#[test]
fn hints_alone_bring_a_job_to_its_end_whatever_fault_comes() {
    prove(Terms::sound(Half::Bell, 2, 1));
}

#[test]
fn three_relays_and_three_consumers_lose_no_hint() {
    prove(Terms::sound(Half::Bell, 3, 0));
}

#[test]
fn people_may_interfere_and_what_is_claimed_is_reached_at_all() {
    let mut examples = prove(Terms::sound(Half::Leases, 2, 1).with_people());
    examples.append(&mut prove(Terms { replays: 1, ..Terms::sound(Half::Bell, 2, 0) }));
    let all = Terms::sound(Half::Leases, 2, 0).properties();
    for example in all.into_iter().filter(|one| one.expectation == Expectation::Sometimes) {
        assert!(examples.contains(example.name), "never: {}", example.name);
    }
}

#[test]
fn what_makes_the_world_smaller_makes_it_no_other() {
    let terms = Terms::sound(Half::Leases, 2, 2);
    let whole = terms.checker().threads(2).spawn_bfs().join();
    let halved = terms.checker().threads(2).symmetry_fn(World::representative).spawn_dfs().join();
    assert_eq!(found(&terms, &whole), found(&terms, &halved));
    assert!(halved.unique_state_count() < whole.unique_state_count());
    assert!(halved.unique_state_count() * 2 >= whole.unique_state_count(), "two workers have two orders");
}
