//! Frames: the bytes of server-sent events, encoded once and shared by all who get them.

use crate::cursor::{History, Verdict};
use bytes::Bytes;
use domain::event::{Event, EventType};
use serde_json::json;
use std::time::Duration;

/// A comment line: keeps proxies from closing a silent connection.
pub(crate) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// One event, ready to be sent to anybody.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Its number in the history.
    pub(crate) seq: i64,
    /// Does it end a run?
    pub(crate) done: bool,
    /// What goes over the wire.
    pub(crate) bytes: Bytes,
}

impl Frame {
    pub(crate) fn new(event: &Event, history: History) -> Self {
        let bytes = self::event(event, &history.cursor(event.seq));
        Self { seq: event.seq, done: event.event_type == EventType::Done, bytes }
    }
}

/// An event's bytes, with what a client goes on from.
pub(crate) fn event(event: &Event, cursor: &str) -> Bytes {
    // The envelope is plain data: numbers, texts and a map with text keys.
    let data = serde_json::to_string(event).expect("an event can be written as JSON");
    format!("id: {cursor}\nevent: {}\ndata: {data}\n\n", event.event_type.as_str()).into()
}

/// The first frame of each connection: what became of the cursor, and what to expect.
pub(crate) fn hello(
    verdict: Verdict,
    history: History,
    last: i64,
    heartbeat: Duration,
    retry: Duration,
) -> Bytes {
    let from = verdict.from();
    let data = json!({
        "verdict": verdict.word(),
        "why": verdict.why(),
        "from": from,
        "last": last,
        "heartbeatMs": heartbeat.as_millis() as u64,
    });
    // With an id, so that a cursor which could not be used is replaced at once by one that can.
    format!("retry: {}\nid: {}\nevent: hello\ndata: {data}\n\n", retry.as_millis(), history.cursor(from))
        .into()
}

/// The same for a feed, which has no beginning and no end of its own.
pub(crate) fn feed_hello(verdict: Verdict, cursor: &str, heartbeat: Duration, retry: Duration) -> Bytes {
    let data = json!({
        "verdict": verdict.word(),
        "why": verdict.why(),
        "heartbeatMs": heartbeat.as_millis() as u64,
    });
    format!("retry: {}\nid: {cursor}\nevent: hello\ndata: {data}\n\n", retry.as_millis()).into()
}

/// Where a feed's client may go on from. A frame of its own, since it lies behind several events at once.
pub(crate) fn cursor(cursor: &str) -> Bytes {
    format!("id: {cursor}\nevent: cursor\ndata: {{}}\n\n").into()
}

/// The last frame of a connection that ends before the history does: come again, with the cursor.
pub(crate) fn bye(reason: &str) -> Bytes {
    format!("event: bye\ndata: {}\n\n", json!({ "reason": reason })).into()
}
