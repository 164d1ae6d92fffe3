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
    /// kill -9 of the gateway in the middle of a request, which its client then says again.
    KillGateway,
    /// Every session with the database is cut.
    CutSessions,
    /// An orderly restart of Postgres.
    RestartPostgres,
    /// One server process is killed; the postmaster ends the others and recovers.
    CrashPostgres,
    /// Every hint that waits in the broker is lost.
    LoseHints,
    /// kill -9 of the broker, and another start on its data.
    KillBroker,
    /// A person calls one of the jobs off.
    Cancel,
}

impl Fault {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 11;
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
    /// Jobs that are accepted at its start; one more comes with each [`Fault::KillGateway`].
    pub(crate) jobs: usize,
    pub(crate) strikes: Vec<Strike>,
}

impl Plan {
    /// Draws a schedule against so many workers.
    pub(crate) fn draw(seed: u64, schedule: u64, workers: usize) -> Self {
        let mut dice = Dice::of(seed, schedule);
        let jobs = 2 + dice.below(3) as usize;
        let strikes = (0..2 + dice.below(3))
            .map(|_| Strike { after: dice.below(25) as i64, fault: fault(&mut dice, workers) });
        Self { jobs, strikes: strikes.collect() }
    }
}

fn fault(dice: &mut Dice, workers: usize) -> Fault {
    let worker = dice.below(workers as u64) as usize;
    match dice.below(21) {
        0..=4 => Fault::KillWorker(worker),
        5 | 6 => Fault::StopWorker(worker),
        7 | 8 => Fault::PauseWorker(worker),
        9 | 10 => Fault::FreezeWorker(worker),
        11 | 12 => Fault::KillGateway,
        13 | 14 => Fault::CutSessions,
        15 => Fault::RestartPostgres,
        16 => Fault::CrashPostgres,
        17 => Fault::LoseHints,
        18 => Fault::KillBroker,
        _ => Fault::Cancel,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} jobs", self.jobs)?;
        self.strikes.iter().try_for_each(|strike| write!(f, ", +{} {:?}", strike.after, strike.fault))
    }
}

#[test]
fn a_seed_gives_the_same_schedules_again_and_another_seed_others() {
    let draw = |seed| (0..20).map(|schedule| Plan::draw(seed, schedule, 2)).collect::<Vec<_>>();
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
    let drawn: Vec<Fault> =
        draw(7).iter().flat_map(|plan| &plan.strikes).map(|strike| strike.fault).collect();
    assert!(drawn.contains(&Fault::KillGateway) && drawn.contains(&Fault::CutSessions), "{drawn:?}");
}
