//! What the tests ring with: a bell that is stopped at the end, and hearing with a bound.

use bus::{Bell, Delivery, EventNote, Hint, HintStream, JobHint, NoteDelivery, NoteStream, Options};
use domain::{JobId, MigrationId, TenantId, trace::TraceContext};
use futures::StreamExt;
use std::{sync::Arc, time::Duration};
use testkit::{broker, postgres::Database, wait};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// The shared server of one sort; the database lives as long as this.
pub(crate) struct Ground {
    pub(crate) options: Options,
    _database: Option<Database>,
}

impl Ground {
    pub(crate) async fn amqp() -> Self {
        let options = Options::Amqp { url: broker::shared_url(), prefix: broker::unique_prefix() };
        Self { options, _database: None }
    }

    pub(crate) async fn notify() -> Self {
        let database = Database::create().await;
        let url = database.url("resettle_worker");
        Self { options: Options::Notify { url, prefix: broker::unique_prefix() }, _database: Some(database) }
    }
}

/// A bell with the token that stops it.
pub(crate) struct Ringing {
    pub(crate) bell: Arc<dyn Bell>,
    pub(crate) stop: CancellationToken,
    _stopped_at_drop: DropGuard,
}

impl Ringing {
    /// Opens a bell and waits until it can ring.
    pub(crate) async fn open(options: &Options) -> Self {
        let ringing = Self::open_unconnected(options);
        ringing.healthy().await;
        ringing
    }

    pub(crate) fn open_unconnected(options: &Options) -> Self {
        let stop = CancellationToken::new();
        let bell = bus::open(options, stop.clone()).expect("the options are usable");
        Self { bell, stop: stop.clone(), _stopped_at_drop: stop.drop_guard() }
    }

    pub(crate) async fn healthy(&self) {
        wait::until_true("the bell to be connected", BOUND, || async { self.bell.healthy() }).await;
    }

    /// The hints of a queue, once the subscription is up.
    pub(crate) async fn hints(&self, queue: &str, prefetch: u16) -> HintStream {
        let mut hints = self.bell.hints(queue, prefetch);
        resubscribed(&mut hints).await;
        hints
    }

    /// The notes, once the subscription is up.
    pub(crate) async fn notes(&self) -> NoteStream {
        let mut notes = self.bell.notes();
        notes_resubscribed(&mut notes).await;
        notes
    }
}

pub(crate) fn hint(queue: &str) -> JobHint {
    JobHint { queue: queue.into(), job: JobId(Uuid::now_v7()), trace: trace() }
}

pub(crate) fn note(seq: i64) -> EventNote {
    let (tenant, migration) = (TenantId(Uuid::now_v7()), MigrationId(Uuid::now_v7()));
    EventNote { tenant, migration, seq, trace: trace() }
}

fn trace() -> TraceContext {
    TraceContext {
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        tracestate: Some("vendor=value".into()),
    }
}

pub(crate) async fn delivery(hints: &mut HintStream) -> Delivery {
    wait::within("a delivery", BOUND, hints.next()).await.expect("the stream goes on")
}

/// The next delivery, which has to be a hint.
pub(crate) async fn heard(hints: &mut HintStream) -> Hint {
    match delivery(hints).await {
        Delivery::Hint(hint) => hint,
        other => panic!("a hint was expected, not {other:?}"),
    }
}

/// The next hint's body, acknowledged.
pub(crate) async fn taken(hints: &mut HintStream) -> JobHint {
    let hint = heard(hints).await;
    let body = hint.body.clone();
    hint.ack().await.expect("the connection is up");
    body
}

pub(crate) async fn resubscribed(hints: &mut HintStream) {
    let next = delivery(hints).await;
    assert!(matches!(next, Delivery::Resubscribed), "{next:?}");
}

/// The next note; word of a gap before it is passed over.
pub(crate) async fn noted(notes: &mut NoteStream) -> EventNote {
    match wait::within("a note", BOUND, notes.next()).await.expect("the stream goes on") {
        NoteDelivery::Note(note) => note,
        NoteDelivery::Resubscribed => panic!("nothing was interrupted"),
    }
}

pub(crate) async fn notes_resubscribed(notes: &mut NoteStream) {
    let next = wait::within("word of a gap", BOUND, notes.next()).await;
    assert_eq!(next, Some(NoteDelivery::Resubscribed));
}
