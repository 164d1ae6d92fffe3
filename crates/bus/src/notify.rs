//! The bell on Postgres' own NOTIFY: no broker to run.
//!
//! One connection sends and one listens, both apart from the store's pool: a NOTIFY takes a lock of the whole
//! server at its commit, so it must not ride in a transaction that others wait for. Nothing is kept for who is
//! not there, and every process hears every hint: polling covers the one, the claim decides the other.

mod listener;
mod registry;
mod sender;

use crate::{Bell, Error, EventNote, HintStream, JobHint, NoteStream, Result};
use async_trait::async_trait;
use domain::trace::TraceContext;
use listener::Listener;
use sender::Sender;
use serde::Serialize;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Postgres takes payloads of less than 8,000 bytes.
const LONGEST_PAYLOAD: usize = 7_999;
const CONNECT_BOUND: Duration = Duration::from_secs(5);

pub(crate) struct Notify {
    channels: Channels,
    sender: Sender,
    listener: Listener,
}

/// The names of the two channels.
#[derive(Clone, Debug)]
struct Channels {
    jobs: String,
    events: String,
}

impl Notify {
    pub(crate) fn open(url: &str, prefix: &str, stop: CancellationToken) -> Result<Self> {
        // The parser's message may repeat the URL, and with it the password.
        let mut config: Config =
            url.parse().map_err(|_| Error::Invalid("the url is not a postgres:// URL".into()))?;
        config.connect_timeout(CONNECT_BOUND).application_name("resettle bell");
        // A server that vanished without a word is noticed in half a minute, not in the kernel's two hours.
        config.keepalives_idle(Duration::from_secs(15)).tcp_user_timeout(Duration::from_secs(15));
        let channels = Channels { jobs: format!("{prefix}.jobs"), events: format!("{prefix}.events") };
        let tasks = TaskTracker::new();
        let sender = Sender::start(config.clone(), &tasks, &stop);
        let listener = Listener::new(config, channels.clone(), tasks, stop);
        Ok(Self { channels, sender, listener })
    }
}

#[async_trait]
impl Bell for Notify {
    async fn ring(&self, hint: &JobHint) -> Result<()> {
        let payload = payload(hint, || JobHint { trace: TraceContext::default(), ..hint.clone() })?;
        self.sender.send(self.channels.jobs.clone(), payload).await
    }

    async fn announce(&self, note: &EventNote) -> Result<()> {
        let payload = payload(note, || EventNote { trace: TraceContext::default(), ..note.clone() })?;
        self.sender.send(self.channels.events.clone(), payload).await
    }

    fn hints(&self, queue: &str, prefetch: u16) -> HintStream {
        self.listener.hints(queue, prefetch)
    }

    fn notes(&self) -> NoteStream {
        self.listener.notes()
    }

    fn healthy(&self) -> bool {
        self.sender.connected()
    }
}

/// The message as JSON; a trace state that would not fit is left out, since the news matters more.
fn payload<T: Serialize>(message: &T, untraced: impl FnOnce() -> T) -> Result<String> {
    let encode = |message: &T| serde_json::to_string(message).expect("strings and numbers always serialise");
    let mut text = encode(message);
    if text.len() > LONGEST_PAYLOAD {
        text = encode(&untraced());
    }
    if text.len() > LONGEST_PAYLOAD {
        return Err(Error::Invalid("the message is too long".into()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::JobId;
    use uuid::Uuid;

    fn hint(queue: &str, tracestate: &str) -> JobHint {
        let trace = TraceContext { traceparent: None, tracestate: Some(tracestate.into()) };
        JobHint { queue: queue.into(), job: JobId(Uuid::nil()), trace }
    }

    fn encoded(hint: &JobHint) -> Result<String> {
        payload(hint, || JobHint { trace: TraceContext::default(), ..hint.clone() })
    }

    #[test]
    fn a_trace_that_does_not_fit_is_left_out() {
        assert!(encoded(&hint("q", "k=v")).expect("fits").contains("k=v"));
        let without = encoded(&hint("q", &"x".repeat(9_000))).expect("fits without");
        assert_eq!(without, r#"{"queue":"q","job":"00000000-0000-0000-0000-000000000000"}"#);
        assert!(encoded(&hint(&"q".repeat(9_000), "")).is_err());
    }
}
