//! Everything that exists in the model: the record in Postgres, the broker, the workers, the world outside.

use crate::{
    terms::{Half, TTL, Terms},
    worker::Worker,
};
use domain::job::JobState;

/// One state of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Postgres.
    pub record: Record,
    /// RabbitMQ.
    pub broker: Broker,
    /// The workers, by number.
    pub workers: Vec<Worker>,
    /// What the work does outside Postgres.
    pub outside: Outside,
    /// Faults that may still happen.
    pub faults: u8,
    /// May the job still be called off?
    pub may_cancel: bool,
    /// Replays that may still happen.
    pub replays: u8,
    /// Epochs whose attempts a deadline or a grace that was over took from living holders, a bit for each. No step looks at it: it excuses what
    /// such a holder still asks for before it hears of it.
    pub hung: u16,
    /// What must never have happened. No step looks at it.
    pub breaches: Breaches,
}

/// Postgres: survives its own restarts as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Does it answer?
    pub up: bool,
    /// Ticks since it started, at most [`TTL`].
    pub uptime: u8,
    /// The job's row.
    pub job: Job,
    /// The lease's row.
    pub lease: Option<Lease>,
    /// Is the phase's result kept?
    pub result_kept: bool,
    /// Outbox rows that are not marked as published, oldest first.
    pub outbox: Vec<Row>,
}

/// The job's row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// Where it stands.
    pub state: JobState,
    /// The fencing token.
    pub epoch: u8,
    /// Failed and lost attempts.
    pub attempts: u8,
    /// Ticks until it may run.
    pub wait: u8,
    /// Did somebody ask to cancel it while it was held?
    pub cancel_requested: bool,
}

/// The lease's row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Who holds it; nobody's any more when that process has died.
    pub holder: Option<usize>,
    /// The epoch that it was given with.
    pub epoch: u8,
    /// Ticks until it runs out, by the database's clock.
    pub left: u8,
}

/// An outbox row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// The relay that took it and still works on it.
    pub relay: Option<usize>,
    /// Ticks until another relay may take it.
    pub hold: u8,
}

/// RabbitMQ's queue of hints; those that were delivered and not acknowledged are with their workers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broker {
    /// Hints that wait for a consumer.
    pub queued: u8,
}

/// A service that the work calls, with its own memory of what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outside {
    /// Requests on their way, a bit for each epoch that asked. They arrive whatever becomes of their sender.
    pub on_the_way: u16,
    /// Keys under which the effect has happened.
    pub keys: u16,
}

/// What a claim of the model says can never happen, noticed at the step at which it would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Breaches {
    /// A command asked for a move that the table does not have.
    pub illegal_move: bool,
    /// The job was completed, or a worker told that it completed it, a second time.
    pub second_completion: bool,
    /// A write was accepted although its epoch was not the job's.
    pub old_epoch: bool,
    /// The effect happened a second time.
    pub second_effect: bool,
    /// The effect was asked for by somebody whom the record does not call the holder.
    pub effect_of_a_stranger: bool,
    /// A lease was taken although Postgres had not been up for one ttl.
    pub swept_too_early: bool,
}

impl World {
    /// The job was just accepted: PENDING, with its outbox row.
    pub fn new(terms: &Terms) -> Self {
        let job = Job { state: JobState::Pending, epoch: 0, attempts: 0, wait: 0, cancel_requested: false };
        Self {
            record: Record {
                up: true,
                uptime: TTL,
                job,
                lease: None,
                result_kept: false,
                outbox: match terms.half {
                    Half::Leases => vec![],
                    Half::Bell => vec![Row { relay: None, hold: 0 }],
                },
            },
            broker: Broker { queued: 0 },
            workers: vec![Worker { look: false, ..Worker::starting() }; terms.workers],
            outside: Outside { on_the_way: 0, keys: 0 },
            faults: terms.faults,
            may_cancel: terms.cancel,
            replays: terms.replays,
            hung: 0,
            breaches: Breaches::default(),
        }
    }

    /// Is the job over?
    pub fn is_over(&self) -> bool {
        matches!(self.record.job.state, JobState::Completed | JobState::Failed | JobState::Cancelled)
    }

    /// Time passes for everybody alike.
    pub(crate) fn tick(&mut self) {
        let record = &mut self.record;
        if record.up {
            record.uptime = (record.uptime + 1).min(TTL);
        }
        record.job.wait = record.job.wait.saturating_sub(1);
        if let Some(lease) = &mut record.lease {
            lease.left = lease.left.saturating_sub(1);
        }
        for row in &mut record.outbox {
            row.hold = row.hold.saturating_sub(1);
        }
        for worker in &mut self.workers {
            worker.tick();
        }
    }

    /// The same world with its workers in an order of their own: who has which number makes no difference.
    #[must_use]
    pub fn representative(&self) -> Self {
        let mut order: Vec<usize> = (0..self.workers.len()).collect();
        let holds = |number| self.record.lease.as_ref().is_some_and(|lease| lease.holder == Some(number));
        let rows = |number| self.record.outbox.iter().filter(move |row| row.relay == Some(number));
        order.sort_by(|&one, &other| {
            let key = |number: usize| (&self.workers[number], holds(number));
            key(one)
                .cmp(&key(other))
                .then_with(|| rows(one).map(|row| row.hold).cmp(rows(other).map(|row| row.hold)))
        });
        let place = |number: usize| order.iter().position(|&old| old == number).unwrap_or(number);
        let mut same = self.clone();
        same.workers = order.iter().map(|&number| self.workers[number].clone()).collect();
        if let Some(lease) = &mut same.record.lease {
            lease.holder = lease.holder.map(place);
        }
        for row in &mut same.record.outbox {
            row.relay = row.relay.map(place);
        }
        same
    }
}
