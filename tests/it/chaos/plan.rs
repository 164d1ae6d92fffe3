//! What goes wrong and when, drawn from a seed: the same seed gives the same schedules.
//!
//! A moment is no time but a measure of progress: so many more moves and events in the record. A slow machine and a
//! quick one meet the same fault at about the same place in the work.

use std::fmt;

/// Numbers out of a seed (SplitMix64: three multiplications are all that a schedule needs of chance).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64, schedule: u64) -> Self {
        Self(seed.wrapping_mul(0xA076_1D64_78BD_642F) ^ schedule.wrapping_mul(0xE703_7ED1_A0B4_28DB))
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Something that goes wrong. The number is a worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9; another process is started in its place.
    KillWorker(usize),
    /// SIGTERM: what it holds is finished or handed back; another process is started in its place.
    StopWorker(usize),
    /// SIGSTOP for less than a lease lasts, then SIGCONT.
    PauseWorker(usize),
    /// SIGSTOP until its leases have run out, then SIGCONT: it wakes up among successors.
    FreezeWorker(usize),
    /// kill -9; the process in its place has a clock on the wall that is so many hours ahead.
    SkewWorker(usize, i64),
    /// kill -9 of the gateway in the middle of a request, which its client then says again.
    KillGateway,
    /// Every session with the database is cut.
    CutSessions,
    /// An orderly restart of Postgres.
    RestartPostgres,
    /// One server process is killed; the postmaster ends the others and recovers.
    CrashPostgres,
    /// Somebody else takes hints from the queue, and does nothing.
    LoseHints,
    /// kill -9 of the broker, and another start with nothing: queues and messages are gone.
    LoseBroker,
    /// The artefact store is full, until that has failed an attempt.
    FillStore,
    /// What a migration comes to cannot be put where it is to go, until that has failed an attempt.
    FailDeployment,
    /// The tool does its next calls' work and says so too late.
    HangTool,
    /// The tool answers its next calls with a fault of its own.
    FailTool,
    /// A person calls one of the jobs off.
    Cancel,
}

impl Fault {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 16;

    /// Does it come with one more website to move?
    const fn brings_a_site(self) -> bool {
        matches!(self, Self::FillStore | Self::FailDeployment)
    }
}

/// A fault, so many lines of the record after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) after: i64,
    pub(crate) fault: Fault,
}

/// One schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Websites that are to be moved from its start on.
    pub(crate) sites: usize,
    /// Jobs of another kind, accepted at its start; a few more come with some faults.
    pub(crate) chores: usize,
    pub(crate) strikes: Vec<Strike>,
}

impl Plan {
    /// Draws a schedule against so many workers. Chores are many and cheap; each fourth schedule moves websites, too,
    /// whose phases, events and artefacts have more that can be torn.
    pub(crate) fn draw(seed: u64, schedule: u64, workers: usize) -> Self {
        let mut dice = Dice::of(seed, schedule);
        let chores = 6 + dice.below(7) as usize;
        let sites = if schedule.is_multiple_of(4) { 1 + dice.below(2) as usize } else { 0 };
        let strikes = (0..2 + dice.below(3))
            .map(|_| Strike { after: dice.below(12) as i64, fault: fault(&mut dice, workers) });
        Self { sites, chores, strikes: strikes.collect() }
    }

    /// All the websites that it needs.
    pub(crate) fn all_sites(&self) -> usize {
        self.sites + self.strikes.iter().filter(|strike| strike.fault.brings_a_site()).count()
    }
}

fn fault(dice: &mut Dice, workers: usize) -> Fault {
    let worker = dice.below(workers as u64) as usize;
    match dice.below(41) {
        0..=6 => Fault::KillWorker(worker),
        7..=9 => Fault::StopWorker(worker),
        10..=12 => Fault::PauseWorker(worker),
        13..=16 => Fault::FreezeWorker(worker),
        17..=19 => Fault::SkewWorker(worker, dice.below(97) as i64 - 48),
        20..=22 => Fault::KillGateway,
        23..=25 => Fault::CutSessions,
        26 | 27 => Fault::RestartPostgres,
        28 | 29 => Fault::CrashPostgres,
        30 | 31 => Fault::LoseHints,
        32 => Fault::LoseBroker,
        33 => Fault::FillStore,
        34 => Fault::FailDeployment,
        35 | 36 => Fault::HangTool,
        37 | 38 => Fault::FailTool,
        _ => Fault::Cancel,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sites and {} chores", self.sites, self.chores)?;
        self.strikes.iter().try_for_each(|strike| write!(f, ", +{} {:?}", strike.after, strike.fault))
    }
}

#[test]
fn a_seed_gives_the_same_schedules_again_and_another_seed_others() {
    let draw = |seed| (0..20).map(|schedule| Plan::draw(seed, schedule, 2)).collect::<Vec<_>>();
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}
