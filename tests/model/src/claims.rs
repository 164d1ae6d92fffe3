//! What is claimed of every state that can be reached, and what has to be reachable for the claims to mean anything.

use crate::{
    Step, Terms, World,
    worker::{Hold, Stage, Worker},
};
use domain::job::JobState;
use stateright::{Model, Property};

/// Nobody completes what is complete.
pub const ONE_COMPLETION: &str = "a job is completed once, and one worker is told so";
/// Fencing.
pub const NO_OLD_EPOCH: &str = "no write is accepted under an old epoch";
/// The table of moves.
pub const NO_ILLEGAL_MOVE: &str = "no statement asks for a move that the table does not have";
/// Keys of effects.
pub const ONE_EFFECT: &str = "no effect happens twice";
/// Trust in a lease.
pub const NO_STRANGER: &str = "nobody asks for an effect whom the record does not call the holder";
/// The pause after a start of Postgres.
pub const NO_EARLY_SWEEP: &str = "no lease is swept before Postgres has been up for one ttl";
/// No dead end.
pub const ENDS: &str = "a job ends once faults cease";
/// A worker knows what it holds.
pub const NO_LOST_ATTEMPT: &str = "a claim whose answer was lost costs no attempt";

impl Model for Terms {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        Step::candidates(world, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        world.after(self, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut claims = vec![
            Property::always(ONE_COMPLETION, |_, world: &World| !world.breaches.second_completion),
            Property::always(NO_OLD_EPOCH, |_, world: &World| !world.breaches.old_epoch),
            Property::always(NO_ILLEGAL_MOVE, |_, world: &World| !world.breaches.illegal_move),
            Property::always(ONE_EFFECT, |_, world: &World| !world.breaches.second_effect),
            Property::always(NO_STRANGER, |_, world: &World| !world.breaches.effect_of_a_stranger),
            Property::always(NO_EARLY_SWEEP, |_, world: &World| !world.breaches.swept_too_early),
            Property::always(ENDS, |terms: &Terms, world: &World| world.comes_to_an_end(terms)),
            Property::always(NO_LOST_ATTEMPT, |terms: &Terms, world: &World| {
                world.gives_back_unknown_claims(terms)
            }),
        ];
        claims.extend(reachable());
        claims
    }
}

/// Each of these has to be found, or the model is too narrow to prove anything.
fn reachable() -> [Property<Terms>; 8] {
    [
        Property::sometimes("it completes at the first attempt", |_, world: &World| {
            world.record.job.state == JobState::Completed && world.record.job.epoch == 1
        }),
        Property::sometimes("it completes after an attempt was lost", |_, world: &World| {
            world.record.job.state == JobState::Completed && world.record.job.attempts == 1
        }),
        Property::sometimes("an attempt finds the phase complete already", |_, world: &World| {
            let enters =
                |hold: &Hold| hold.stage == Stage::EnterPhase && hold.epoch == world.record.job.epoch;
            world.record.result_kept && world.workers.iter().filter_map(Worker::hold).any(enters)
        }),
        Property::sometimes("it fails, is replayed and completes", |terms: &Terms, world: &World| {
            world.record.job.state == JobState::Completed && world.replays < terms.replays
        }),
        Property::sometimes("its holder cancels it", |_, world: &World| {
            world.record.job.state == JobState::Cancelled && world.record.job.cancel_requested
        }),
        Property::sometimes(
            "a holder is about to say a result for an attempt that is another's",
            |_, world: &World| {
                let stale =
                    |epoch| epoch < world.record.job.epoch && world.record.job.state == JobState::Running;
                world
                    .workers
                    .iter()
                    .filter_map(Worker::hold)
                    .any(|hold| stale(hold.epoch) && matches!(hold.stage, Stage::KeepResult | Stage::End(_)))
            },
        ),
        Property::sometimes("an end is said again whose answer was lost", |_, world: &World| {
            world.workers.iter().filter_map(Worker::hold).any(|hold| hold.end_written)
        }),
        Property::sometimes("two requests for one effect are on their way", |_, world: &World| {
            world.outside.on_the_way.count_ones() == 2
        }),
    ]
}
