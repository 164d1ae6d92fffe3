//! How a connection speaks: server-sent events, or messages of gRPC. What is said, and when, is the same.

use crate::{
    cursor::{History, Verdict},
    frame,
    page::Rest,
};
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

/// The first word on a connection: what became of the cursor, and what to expect.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) verdict: Verdict,
    /// Where the connection begins, for a client to come back to.
    pub(crate) cursor: String,
    /// The event after which it begins, and the last one when the request came; a feed has no such thing.
    pub(crate) range: Option<(i64, i64)>,
    pub(crate) heartbeat: Duration,
    /// How long to wait before coming again.
    pub(crate) retry: Duration,
}

/// One way to speak.
pub(crate) trait Wire: 'static {
    /// What goes over the wire at once.
    type Frame: Send + 'static;

    fn hello(hello: &Hello) -> Self::Frame;
    fn events(rest: Rest<'_>, history: History) -> Self::Frame;
    /// What is said in place of silence; nothing where the protocol has that of its own.
    fn beat() -> Option<Self::Frame>;
    fn bye(reason: &'static str) -> Self::Frame;
    /// How much of a connection's buffer it takes, in bytes.
    fn weight(frame: &Self::Frame) -> usize;
}

/// Server-sent events.
pub(crate) enum Sse {}

impl Wire for Sse {
    type Frame = Bytes;

    fn hello(hello: &Hello) -> Bytes {
        let mut data = json!({
            "verdict": hello.verdict.word(),
            "why": hello.verdict.why(),
            "heartbeatMs": hello.heartbeat.as_millis() as u64,
        });
        if let Some((from, last)) = hello.range {
            data["from"] = from.into();
            data["last"] = last.into();
        }
        frame::hello(&data, &hello.cursor, hello.retry)
    }

    fn events(rest: Rest<'_>, _history: History) -> Bytes {
        rest.bytes()
    }

    fn beat() -> Option<Bytes> {
        Some(frame::HEARTBEAT)
    }

    fn bye(reason: &'static str) -> Bytes {
        frame::bye(reason)
    }

    fn weight(frame: &Bytes) -> usize {
        frame.len()
    }
}
