//! The feed: all of a tenant's migrations, or some of them, over one connection.
//!
//! Within a migration, events come in the order of their numbers, each once per connection; between migrations
//! there is no order. What a client remembers is a horizon of transactions (`store::Horizon`): below it
//! everything was sent. Coming back with it may bring a few events again, which their migration and number tell.
//!
//! `sweep` finds what is new, `reader` does so once for all who listen, `session` carries one connection.

mod reader;
mod session;
mod sweep;

pub(crate) use reader::Reader;
pub(crate) use session::Session;
pub(crate) use sweep::Sweep;

use crate::cursor::History;
use bytes::Bytes;
use domain::{MigrationId, event::Event};
use store::{Horizon, PlacedEvent};

/// What a feed's reader hands to all who listen.
#[derive(Debug)]
pub(crate) enum Told {
    /// One event, ready to be sent.
    Event { migration: MigrationId, seq: i64, written_by: Horizon, bytes: Bytes },
    /// Everything below was told.
    Reached(Horizon),
}

impl Told {
    /// `at` is the horizon that the teller has reached: a client that comes back with it misses nothing.
    fn event(placed: &PlacedEvent, history: History, at: Horizon) -> Self {
        let event = &placed.event;
        Self::Event {
            migration: event.migration_id,
            seq: event.seq,
            written_by: placed.written_by,
            bytes: frame(event, history, at),
        }
    }
}

fn frame(event: &Event, history: History, at: Horizon) -> Bytes {
    crate::frame::event(event, &history.cursor(at.0))
}
