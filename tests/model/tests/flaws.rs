//! Each guard, taken away: the check finds what it was there for. A proof that would still succeed without one of them
//! proves nothing about it.
#![expect(clippy::print_stdout, reason = "the counterexamples are what a reader comes for")]

use model::{Flaw, Half, Step, Terms, claims};
use stateright::{Checker, HasDiscoveries, Model};
use std::collections::BTreeSet;

/// The shortest way to the breach, searched breadth first.
fn counterexample(terms: Terms, claim: &'static str) -> Vec<Step> {
    let found = HasDiscoveries::AnyOf(BTreeSet::from([claim]));
    let checked = terms.checker().finish_when(found).spawn_bfs().join();
    let path = checked.assert_any_discovery(claim);
    let held = terms.property(claim).condition;
    let sound = Terms { flaw: None, ..terms };
    assert!(!held(&terms, path.last_state()), "the last state keeps {claim:?}");
    let steps = path.into_actions();
    println!("{:?}: not so: {claim}\n  {steps:?}", terms.flaw);
    // The same way, guarded, ends well or cannot be gone.
    let mut world = Some(sound.init_states().remove(0));
    for step in &steps {
        world = world.and_then(|world| world.after(&sound, *step));
    }
    assert!(world.is_none_or(|world| held(&sound, &world)), "the guard is not what keeps {claim:?}");
    steps
}

#[test]
fn without_the_fence_a_slow_worker_ends_an_attempt_that_is_another_s() {
    let terms = Terms::sound(Half::Leases, 2, 0).flawed(Flaw::NoFence);
    let steps = counterexample(terms, claims::NO_OLD_EPOCH);
    assert!(steps.iter().any(|step| matches!(step, Step::Rescue(_))), "its lease was taken first");
    counterexample(terms, claims::NO_ILLEGAL_MOVE);
}

#[test]
fn acknowledged_before_the_claim_a_hint_dies_with_its_worker() {
    let terms = Terms::sound(Half::Bell, 2, 1).flawed(Flaw::AcknowledgeBeforeClaim);
    let steps = counterexample(terms, claims::ENDS);
    assert!(steps.iter().any(|step| matches!(step, Step::Crash(_))), "nothing else loses it");
}

#[test]
fn marked_before_the_confirm_an_announcement_dies_with_its_relay() {
    let terms = Terms::sound(Half::Bell, 2, 1).flawed(Flaw::MarkBeforeConfirm);
    let steps = counterexample(terms, claims::ENDS);
    assert!(
        steps.iter().any(|step| matches!(step, Step::Crash(_) | Step::Refuse(_))),
        "nothing else loses it"
    );
}

#[test]
fn swept_at_once_after_a_restart_a_living_worker_loses_its_job() {
    let terms = Terms::sound(Half::Leases, 2, 1).flawed(Flaw::SweepAtOnce);
    let steps = counterexample(terms, claims::NO_EARLY_SWEEP);
    assert!(steps.contains(&Step::PostgresStops));
}

#[test]
fn trusted_from_the_answer_on_a_lease_is_trusted_when_it_is_another_s() {
    counterexample(Terms::sound(Half::Leases, 2, 0).flawed(Flaw::TrustFromTheAnswer), claims::NO_STRANGER);
}

#[test]
fn keyed_by_attempt_an_effect_happens_twice() {
    counterexample(Terms::sound(Half::Leases, 2, 1).flawed(Flaw::EffectsKeyedByAttempt), claims::ONE_EFFECT);
}

#[test]
fn known_by_its_words_alone_a_repeated_completion_is_believed_from_anybody() {
    counterexample(Terms::sound(Half::Leases, 2, 0).flawed(Flaw::RepeatsOfAnybody), claims::ONE_COMPLETION);
}

#[test]
fn forgotten_after_a_lost_answer_a_claim_costs_an_attempt() {
    counterexample(
        Terms::sound(Half::Leases, 2, 1).flawed(Flaw::ForgetClaimsInDoubt),
        claims::NO_LOST_ATTEMPT,
    );
}
