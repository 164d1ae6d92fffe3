//! A model of the life of one job, small enough that every one of its states can be visited: claim, heartbeat, rescue,
//! hand-back, completion, failure and retry, cancellation, replay, outbox, relay and hints, by two or three workers,
//! with a bounded number of faults at any step.
//!
//! It moves a job by the real table of moves ([`domain::job::JobState::to`]); what each statement of `store` proves
//! before it writes is written down once more in [`record`], what a worker does between two statements in [`worker`].
//! It holds no clock, no socket and no thread: time is a step like any other ([`Step::Tick`]), so that every worker
//! may be as slow as it likes and a frozen one needs no step of its own.
//!
//! What it leaves out, and why that is no loss: many jobs (the ranking and the limits are sets of rows, no protocol; no
//! statement about one job reads another), the five phases (one stands for all: each is begun, its effect is asked for,
//! its result is kept), event numbers (the database's row lock orders them), clocks that run at different speeds (what
//! `lease.margin` is for), and a machine whose monotonic clock stands still while it sleeps: then trust in a lease says
//! nothing, and the fence and the effects' keys hold alone.
//!
//! Start at [`World`], then [`record`]; [`claims`] says what is proved, [`Flaw`] what happens without each guard.

pub mod claims;
mod fair;
pub mod record;
mod steps;
pub mod terms;
pub mod worker;
pub mod world;

pub use steps::Step;
pub use terms::{Flaw, Half, Terms};
pub use world::World;
