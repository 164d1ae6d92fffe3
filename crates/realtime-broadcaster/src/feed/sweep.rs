//! Finds what is new in a tenant's migrations since the last look, each event once and in its migration's order.
//!
//! One look (a round) asks which migrations have events at or above the horizon, reads of each what was not read
//! yet, and then moves to the horizon of the round's beginning: whatever commits in the meantime lies above it.
//! A look that fails is taken up where it stopped.

use domain::{MigrationId, TenantId};
use std::collections::{HashMap, VecDeque};
use store::{Horizon, PlacedEvent, Store, Touched};

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
    pub(crate) fn new(store: Store, tenant: TenantId, at: Horizon, page: u32) -> Self {
        Self { store, tenant, page, at, told: HashMap::new(), round: None }
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
                self.round = Some(Round { began_at: page.horizon, waiting: page.touched.into(), after });
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
            let began_at = round.began_at;
            self.round = None;
            self.reached(began_at);
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
