//! Finds what is new in a tenant's migrations since the last look, each event once and in its migration's order.
//!
//! One look (a round) asks which migrations have events at or above the horizon, reads of each what was not read
//! yet, and then moves to the horizon of the round's beginning: whatever commits in the meantime lies above it.
//! A look that fails is taken up where it stopped, and so is one in whose middle a client left: what remains of it comes
//! first, and then a look of our own.

use crate::cursor::{Mark, Within};
use domain::{MigrationId, TenantId};
use std::collections::{HashMap, VecDeque};
use store::{Horizon, PlacedEvent, Store, Touched};
use uuid::Uuid;

/// Migrations asked for at a time.
const MIGRATIONS: u32 = 200;

/// See the file's head.
pub(crate) struct Sweep {
    store: Store,
    tenant: TenantId,
    /// Events read at a time.
    page: u32,
    at: Horizon,
    told: HashMap<MigrationId, Last>,
    round: Option<Round>,
}

/// The last event of a migration that was told. It is remembered while it lies above the horizon, since the next
/// round finds it again.
#[derive(Clone, Copy)]
struct Last {
    seq: i64,
    /// The highest transaction among all that were told.
    written_by: Horizon,
}

struct Round {
    /// Where the horizon stood when it began.
    began_at: Horizon,
    waiting: VecDeque<Touched>,
    /// The last migration asked for, while there may be more.
    after: Option<MigrationId>,
    /// Another connection's look: it began before ours, and much may have happened since.
    taken_up: bool,
}

/// What a step of a look brings.
pub(crate) enum Step {
    /// New events of one migration, in order.
    Events(Vec<PlacedEvent>),
    /// The look is over.
    Reached(Horizon),
}

/// What an event from elsewhere is to one who has read up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was told.
    Before,
    /// It is the next of its migration, or the first that is seen of it.
    Next,
    /// Others of its migration are missing.
    Beyond,
}

impl Sweep {
    pub(crate) fn new(store: Store, tenant: TenantId, from: Mark, page: u32) -> Self {
        let mut told = HashMap::new();
        let round = from.within.map(|Within { look, migration, seq }| {
            // By whom it was written is not known: it is remembered as long as the connection lives.
            told.insert(migration, Last { seq, written_by: Horizon(i64::MAX) });
            let before = MigrationId(Uuid::from_u128(migration.0.as_u128().saturating_sub(1)));
            Round { began_at: look, waiting: VecDeque::new(), after: Some(before), taken_up: true }
        });
        Self { store, tenant, page, at: from.below, told, round }
    }

    /// Where somebody stands who was told this event in the look that is under way, and all before it.
    pub(crate) fn mark_after(&self, migration: MigrationId, seq: i64) -> Mark {
        let within = self.round.as_ref().map(|round| Within { look: round.began_at, migration, seq });
        Mark { below: self.at, within }
    }

    /// Everything below was told.
    pub(crate) fn at(&self) -> Horizon {
        self.at
    }

    /// Whose migrations.
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The next step of the look that is under way, or of a new one.
    pub(crate) async fn step(&mut self) -> Result<Step, store::Error> {
        loop {
            let Some(round) = &mut self.round else {
                let page = self.store.events_touched(self.tenant, self.at, None, MIGRATIONS).await?;
                let after = next_page(&page.touched);
                let waiting = page.touched.into();
                self.round = Some(Round { began_at: page.horizon, waiting, after, taken_up: false });
                continue;
            };
            if let Some(touched) = round.waiting.front().copied() {
                let told = self.told.get(&touched.migration).map_or(0, |last| last.seq);
                let since = told.max(touched.first - 1);
                if since >= touched.last {
                    round.waiting.pop_front();
                    continue;
                }
                let id = touched.migration;
                let events = self.store.placed_events_after(self.tenant, id, since, self.page).await?;
                if events.len() < self.page as usize {
                    round.waiting.pop_front();
                }
                for placed in &events {
                    note(&mut self.told, id, placed.event.seq, placed.written_by);
                }
                return Ok(Step::Events(events));
            }
            if round.after.is_some() {
                let page = self.store.events_touched(self.tenant, self.at, round.after, MIGRATIONS).await?;
                round.after = next_page(&page.touched);
                round.waiting = page.touched.into();
                continue;
            }
            let (began_at, taken_up) = (round.began_at, round.taken_up);
            self.round = None;
            self.reached(began_at);
            if taken_up {
                continue;
            }
            return Ok(Step::Reached(self.at));
        }
    }

    /// Where an event stands that somebody else read.
    pub(crate) fn place(&self, migration: MigrationId, seq: i64, written_by: Horizon) -> Place {
        match self.told.get(&migration) {
            _ if written_by < self.at => Place::Before,
            Some(last) if seq <= last.seq => Place::Before,
            Some(last) if seq > last.seq + 1 => Place::Beyond,
            Some(_) | None => Place::Next,
        }
    }

    /// An event that somebody else read was told.
    pub(crate) fn told(&mut self, migration: MigrationId, seq: i64, written_by: Horizon) {
        note(&mut self.told, migration, seq, written_by);
    }

    /// Everything below was told, by whoever.
    pub(crate) fn reached(&mut self, horizon: Horizon) {
        self.at = self.at.max(horizon);
        self.told.retain(|_, last| last.written_by >= self.at);
    }
}

fn note(told: &mut HashMap<MigrationId, Last>, migration: MigrationId, seq: i64, written_by: Horizon) {
    let last = told.entry(migration).or_insert(Last { seq, written_by });
    last.seq = seq;
    last.written_by = last.written_by.max(written_by);
}

/// A full page may not be the last.
fn next_page(touched: &[Touched]) -> Option<MigrationId> {
    touched.last().filter(|_| touched.len() >= MIGRATIONS as usize).map(|last| last.migration)
}
