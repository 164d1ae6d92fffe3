//! Messages to and from the browser: JSON, each ended by a zero byte, over two pipes.
//!
//! The protocol has no version of its own; what is used of it is stable (chromedevtools.github.io). What the
//! browser sends is a page's doing in part, and read as such: bounded, nothing in it is trusted, and what is not
//! wanted is never made into a tree, which takes many times the room of its text.

use std::borrow::Cow;
use std::io;
use std::process::{ChildStdin, ChildStdout};

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process;

use super::Error;

/// Room for pictures and for what surrounds a page: both arrive as JSON.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// A longer event is passed over, unless it has to be answered: a page decides how long it is.
const MAX_EVENT: usize = 1024 * 1024;
/// The event that has to be answered, or the page waits for ever.
const ANSWERED: &str = "Fetch.requestPaused";

/// What the browser says.
#[derive(Debug)]
pub enum Message {
    /// The answer to the command of this number.
    Answer {
        /// The number.
        id: u64,
        /// Its result, or what the browser said of its failure.
        outcome: Result<Value, String>,
    },
    /// Something happened.
    Event {
        /// The session that it happened in; empty for the browser's own.
        session: String,
        /// Its name.
        method: String,
        /// Its details.
        params: Value,
    },
}

/// Both directions.
pub struct Pipe {
    to: process::ChildStdin,
    from: process::ChildStdout,
    buffer: BytesMut,
    /// Bytes of the buffer that hold no end of a message.
    scanned: usize,
    limit: usize,
    last: u64,
    /// The events that are wanted, if not all of them are.
    heeded: Option<&'static [&'static str]>,
}

impl Pipe {
    /// A page's HTML may take six times its bytes as JSON.
    pub(super) fn new(to: ChildStdin, from: ChildStdout, max_html: usize) -> io::Result<Self> {
        Ok(Self {
            to: process::ChildStdin::from_std(to)?,
            from: process::ChildStdout::from_std(from)?,
            buffer: BytesMut::new(),
            scanned: 0,
            limit: max_html.saturating_mul(6).max(MAX_MESSAGE),
            last: 0,
            heeded: None,
        })
    }

    /// From now on only these events are handed out.
    pub fn heed_only(&mut self, events: &'static [&'static str]) {
        self.heeded = Some(events);
    }

    /// Sends a command; its number.
    pub async fn send(&mut self, session: Option<&str>, method: &str, params: Value) -> Result<u64, Error> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.map_err(Error::Ended)?;
        Ok(self.last)
    }

    /// The next message that is wanted. May be dropped while it waits; nothing is lost then.
    pub async fn receive(&mut self) -> Result<Message, Error> {
        loop {
            let fresh = &self.buffer[self.scanned..];
            if let Some(end) = memchr::memchr(0, fresh) {
                let message = self.buffer.split_to(self.scanned + end + 1);
                self.scanned = 0;
                let message = read(&message[..message.len() - 1], self.heeded);
                match message.map_err(|error| Error::Ended(error.into()))? {
                    Some(message) => return Ok(message),
                    None => continue,
                }
            }
            self.scanned = self.buffer.len();
            if self.scanned > self.limit {
                return Err(Error::TooLarge { limit: self.limit });
            }
            self.buffer.reserve(64 * 1024);
            if self.from.read_buf(&mut self.buffer).await.map_err(Error::Ended)? == 0 {
                return Err(Error::Ended(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

/// What tells messages apart.
#[derive(Deserialize)]
struct Envelope<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "sessionId")]
    session: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    params: Value,
}

/// A message, unless nobody wants it.
fn read(text: &[u8], heeded: Option<&[&str]>) -> serde_json::Result<Option<Message>> {
    let Envelope { id, method, session } = serde_json::from_slice(text)?;
    if let Some(id) = id {
        let Answer { result, error } = serde_json::from_slice(text)?;
        let outcome = error.map_or(Ok(result), |refusal| Err(refusal.message));
        return Ok(Some(Message::Answer { id, outcome }));
    }
    let method = method.unwrap_or_default();
    let is_heeded = heeded.is_none_or(|heeded| heeded.contains(&&*method));
    if !is_heeded || (text.len() > MAX_EVENT && method != ANSWERED) {
        return Ok(None);
    }
    let Event { params } = serde_json::from_slice(text)?;
    let session = session.unwrap_or_default().into_owned();
    Ok(Some(Message::Event { session, method: method.into_owned(), params }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: &[&str] = &["A.happened", ANSWERED];

    fn said(text: &str) -> Option<Message> {
        read(text.as_bytes(), Some(WANTED)).expect("JSON")
    }

    #[test]
    fn answers_and_events_are_told_apart() {
        let done = said(r#"{"id":3,"result":{"x":1},"sessionId":"S"}"#);
        assert!(matches!(done, Some(Message::Answer { id: 3, outcome: Ok(value) }) if value["x"] == 1));
        let refused = said(r#"{"id":4,"error":{"code":-1,"message":"no"}}"#);
        assert!(matches!(refused, Some(Message::Answer { id: 4, outcome: Err(why) }) if why == "no"));
        let event = said(r#"{"method":"A.happened","params":{"y":[2]},"sessionId":"S"}"#);
        let Some(Message::Event { session, method, params }) = event else { panic!("{event:?}") };
        assert_eq!((&*session, &*method, &params["y"][0]), ("S", "A.happened", &json!(2)));
        assert!(read(b"{\"id\":", None).is_err());
    }

    #[test]
    fn what_nobody_wants_is_passed_over() {
        assert!(said(r#"{"method":"B.happened","params":{}}"#).is_none());
        let long = "x".repeat(MAX_EVENT);
        assert!(said(&format!(r#"{{"method":"A.happened","params":{{"z":"{long}"}}}}"#)).is_none());
        let paused = format!(r#"{{"method":"{ANSWERED}","params":{{"z":"{long}"}}}}"#);
        assert!(said(&paused).is_some(), "one that waits for an answer is never passed over");
    }
}
