//! Follows a migration to its end: by the live stream, and where that breaks by paging through the history. Each
//! event is seen once and in order, whichever way it came.

use crate::client::{Client, Error};
use domain::{
    MigrationId,
    event::{Event, EventType},
    phase::Phase,
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A server that says nothing at all for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How a migration ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) success: bool,
    /// The migration's last state.
    pub(crate) state: String,
    /// Code and message of what went wrong.
    pub(crate) failure: Option<(String, String)>,
    /// Pages that were read.
    pub(crate) pages: u64,
}

/// Shows each event to `see` until this run of the migration, or a later one, is over.
pub(crate) async fn follow(
    client: &Client,
    id: MigrationId,
    run: i32,
    see: &mut dyn FnMut(&Event),
) -> Result<Ending, Error> {
    let mut follower =
        Follower { client, id, run, see, cursor: String::new(), seen: 0, ending: Ending::default() };
    let mut heard = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let before = follower.seen;
        let broken = match follower.live().await {
            Ok(true) => return Ok(follower.ending),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        // Tells a refusal from a broken stream, and goes on where no stream is served at all.
        match follower.paged().await {
            Ok(true) => return Ok(follower.ending),
            Ok(false) => heard = Instant::now(),
            Err(error) if !error.may_pass() || heard.elapsed() > PATIENCE => return Err(error),
            Err(_) => {}
        }
        if let Some(error) = broken {
            tracing::debug!(error = %service_kit::exit::chain(&error), "the stream broke");
        }
        pause = if follower.seen > before { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        sleep(pause).await;
    }
}

struct Follower<'a> {
    client: &'a Client,
    id: MigrationId,
    run: i32,
    see: &'a mut dyn FnMut(&Event),
    cursor: String,
    seen: i64,
    ending: Ending,
}

impl Follower<'_> {
    /// One connection. True when the run is over.
    async fn live(&mut self) -> Result<bool, Error> {
        // At the end of the history there is no stream; what was missed of it is paged.
        let Some(mut frames) = self.client.stream(self.id, &self.cursor).await? else { return Ok(false) };
        while let Some(frame) = frames.next().await? {
            // Other frames are about the connection, not about the migration.
            if frame.event.parse::<EventType>().is_ok()
                && let Ok(event) = serde_json::from_str(&frame.data)
                && self.take(&event)
            {
                return Ok(true);
            }
            if let Some(id) = frame.id {
                self.cursor = id;
            }
        }
        Ok(false)
    }

    async fn paged(&mut self) -> Result<bool, Error> {
        loop {
            let page = self.client.events_after(self.id, self.seen).await?;
            if page.is_empty() {
                return Ok(false);
            }
            for event in &page {
                if self.take(event) {
                    return Ok(true);
                }
            }
        }
    }

    fn take(&mut self, event: &Event) -> bool {
        if event.seq <= self.seen {
            return false;
        }
        self.seen = event.seq;
        let text = |name: &str| event.detail.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if event.phase == Some(Phase::Analyze)
            && let Some(pages) = event.detail.get("pages").and_then(Value::as_u64)
        {
            self.ending.pages = pages;
        }
        if event.event_type == EventType::Error && event.run >= self.run {
            self.ending.failure = Some((text("code"), text("message")));
        }
        (self.see)(event);
        if event.event_type != EventType::Done || event.run < self.run {
            return false;
        }
        self.ending.success = event.detail.get("success").and_then(Value::as_bool).unwrap_or(false);
        self.ending.state = text("state");
        true
    }
}
