//! Frames: the bytes of server-sent events.

use bytes::Bytes;
use domain::event::Event;
use serde_json::{Value, json};
use std::time::Duration;

/// A comment line: keeps proxies from closing a silent connection.
pub(crate) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// Appends an event's bytes, with what a client goes on from.
pub(crate) fn event(bytes: &mut Vec<u8>, event: &Event, cursor: &str) {
    bytes.extend_from_slice(format!("id: {cursor}\nevent: {}\ndata: ", event.event_type.as_str()).as_bytes());
    // The envelope is plain data: numbers, texts and a map with text keys.
    serde_json::to_writer(&mut *bytes, event).expect("an event can be written as JSON");
    bytes.extend_from_slice(b"\n\n");
}

/// The first frame of each connection: what became of the cursor, and what to expect.
pub(crate) fn hello(data: &Value, cursor: &str, retry: Duration) -> Bytes {
    // With an id, so that a cursor which could not be used is replaced at once by one that can.
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
