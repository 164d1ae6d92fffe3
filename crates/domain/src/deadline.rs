//! How long work may take, by the clock on the wall.
//!
//! The other clock, the lease's, finds workers that died: their heartbeats stop. This one finds work that hangs while
//! its worker lives and renews. Each has its own cause ([`crate::job::Cause`]) and its own failure.

use crate::phase::Phase;
use std::time::Duration;

/// The longest times, from the database's clock at the beginning of each. Whoever needs longer has hung: the attempt
/// is taken away and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// One attempt at a job as a whole, from its claim.
    pub job: Duration,
    /// Reading the site.
    pub analyze: Duration,
    /// Deciding routes and parts.
    pub plan: Duration,
    /// Writing the project.
    pub transform: Duration,
    /// Checking the project.
    pub verify: Duration,
    /// Storing the project.
    pub deploy: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            job: minutes(180),
            analyze: minutes(60),
            plan: minutes(15),
            transform: minutes(30),
            verify: minutes(90),
            deploy: minutes(15),
        }
    }
}

impl Deadlines {
    /// The longest time of one phase.
    pub const fn of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Analyze => self.analyze,
            Phase::Plan => self.plan,
            Phase::Transform => self.transform,
            Phase::Verify => self.verify,
            Phase::Deploy => self.deploy,
        }
    }
}
