//! The feed: all of a tenant's migrations, or some of them, over one connection.
//!
//! Within a migration, events come in the order of their numbers, each once per connection; between migrations
//! there is no order. What a client remembers is a horizon of transactions (`store::Horizon`): below it
//! everything was sent; and, while a backlog is being sent, how far that has come. Coming back with it may bring a few
//! events again, which their migration and number tell.
//!
//! `sweep` finds what is new, `reader` does so once for all who listen, `session` carries one connection.

mod reader;
mod session;
mod sweep;

pub(crate) use reader::Reader;
pub(crate) use session::Session;
pub(crate) use sweep::Sweep;

use crate::page::Page;
use domain::{MigrationId, event::Event};
use store::{Horizon, PlacedEvent};

/// What a feed's reader hands to all who listen.
#[derive(Debug)]
pub(crate) enum Told {
    /// Events of one migration, in order.
    Events(Placed),
    /// Everything below was told.
    Reached(Horizon),
}

/// Events of one migration that were read together, and the transactions that wrote them.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) migration: MigrationId,
    pub(crate) page: Page,
    /// By whom each event was written.
    pub(crate) written_by: Vec<Horizon>,
}

impl Placed {
    /// `cursor` is what a client comes back with after an event, and then misses nothing. `None` without events.
    fn new(placed: Vec<PlacedEvent>, cursor: impl Fn(&Event) -> String) -> Option<Self> {
        let migration = placed.first()?.event.migration_id;
        let written_by = placed.iter().map(|placed| placed.written_by).collect();
        let events: Vec<Event> = placed.into_iter().map(|placed| placed.event).collect();
        Some(Self { migration, page: Page::new(events, cursor), written_by })
    }
}
