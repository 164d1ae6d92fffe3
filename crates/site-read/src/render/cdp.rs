//! Messages to and from the browser: JSON, each ended by a zero byte, over two pipes.
//!
//! The protocol has no version of its own; what is used of it is stable (chromedevtools.github.io). What the
//! browser sends is a page's doing in part, and read as such: bounded, and nothing in it is trusted.

use std::io;
use std::process::{ChildStdin, ChildStdout};

use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process;

use super::Error;

/// Room for pictures and for what surrounds a page: both arrive as JSON.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// What the browser says.
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
        })
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

    /// The next message. May be dropped while it waits; nothing is lost then.
    pub async fn receive(&mut self) -> Result<Message, Error> {
        loop {
            let fresh = &self.buffer[self.scanned..];
            if let Some(end) = fresh.iter().position(|byte| *byte == 0) {
                let message = self.buffer.split_to(self.scanned + end + 1);
                self.scanned = 0;
                let message = serde_json::from_slice(&message[..message.len() - 1]);
                return Ok(read(message.map_err(|error| Error::Ended(error.into()))?));
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

fn read(mut message: Value) -> Message {
    if let Some(id) = message["id"].as_u64() {
        let outcome = match message["error"]["message"].as_str() {
            Some(said) => Err(said.to_owned()),
            None => Ok(message["result"].take()),
        };
        return Message::Answer { id, outcome };
    }
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    Message::Event { method, params: message["params"].take() }
}
