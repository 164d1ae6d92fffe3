//! Clients that leave when they like and are thrown out when they are not asked, and hold each frame against what they
//! have: the next number, or, in a feed that was taken up again, one that they know.

use super::field::Grounds;
use domain::MigrationId;
use futures::{Stream, StreamExt};
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Interval, interval};

/// Between two connections.
const PACE: Duration = Duration::from_millis(50);
/// Longer than any heartbeat: a connection that says nothing is dead.
const SILENCE: Duration = Duration::from_secs(10);
/// Frames that a feed is listened to at most, before its client leaves.
const STAYS: u64 = 300;

/// A generator of its own: the same disorder each time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A connection's frames.
struct Frames {
    bytes: Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

struct Frame {
    id: Option<String>,
    event: String,
    data: Value,
}

impl Frames {
    /// The next frame that is no comment; `None` when the connection is over, however that came.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let frame = parse(block);
                self.text = rest.to_owned();
                match frame {
                    Some(frame) => return Some(frame),
                    None => continue,
                }
            }
            let more = tokio::time::timeout(SILENCE, self.bytes.next()).await.ok()??.ok()?;
            self.text.push_str(std::str::from_utf8(&more).expect("frames are not cut within a character"));
        }
    }
}

fn parse(block: &str) -> Option<Frame> {
    let (mut id, mut event, mut data) = (None, String::new(), Value::Null);
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("event", value)) => event = value.to_owned(),
            Some(("data", value)) => data = serde_json::from_str(value).expect("JSON"),
            Some(_) | None => {}
        }
    }
    (!event.is_empty()).then_some(Frame { id, event, data })
}

/// One client's way to a path, over as many connections as it takes.
struct Client {
    grounds: Arc<Grounds>,
    path: String,
    cursor: String,
    dice: Dice,
    pace: Interval,
}

impl Client {
    fn new(grounds: Arc<Grounds>, path: String, dice: Dice) -> Self {
        Self { grounds, path, cursor: String::new(), dice, pace: interval(PACE) }
    }

    /// A connection that was greeted; `None` when there is nothing more to come.
    async fn connect(&mut self) -> Option<Frames> {
        loop {
            self.pace.tick().await;
            let url = format!("http://{}{}", self.grounds.address(&mut self.dice), self.path);
            let request = self.grounds.http.get(url).bearer_auth(&self.grounds.key);
            let request = request.header("last-event-id", &self.cursor);
            let Ok(Ok(answer)) = tokio::time::timeout(SILENCE, request.send()).await else { continue };
            match answer.status() {
                StatusCode::OK => {}
                StatusCode::NO_CONTENT => return None,
                // A part is away, or this one is just going.
                status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => continue,
                status => panic!("{} answered {status}", self.path),
            }
            let mut frames = Frames { bytes: Box::pin(answer.bytes_stream()), text: String::new() };
            let Some(hello) = frames.next().await else { continue };
            assert_eq!(hello.event, "hello");
            let expected = if self.cursor.is_empty() { "started" } else { "resumed" };
            assert_eq!(hello.data["verdict"], expected, "{}", hello.data);
            self.keep(hello.id);
            return Some(frames);
        }
    }

    fn keep(&mut self, id: Option<String>) {
        if let Some(id) = id {
            self.cursor = id;
        }
    }
}

/// Follows one migration to its end; the numbers of all events that came.
pub(crate) async fn listen(grounds: Arc<Grounds>, migration: MigrationId, dice: Dice) -> Vec<i64> {
    let mut client = Client::new(grounds, format!("/api/migration/{migration}/stream"), dice);
    let mut got: Vec<i64> = Vec::new();
    while let Some(mut frames) = client.connect().await {
        for _ in 0..client.dice.below(20) {
            let Some(frame) = frames.next().await else { break };
            client.keep(frame.id);
            let Some(seq) = frame.data["seq"].as_i64() else { continue };
            assert_eq!(seq, got.last().copied().unwrap_or(0) + 1, "{migration}: a gap or a double");
            got.push(seq);
            if frame.event == "done" {
                return got;
            }
        }
    }
    got
}

/// What a feed heard of one migration.
#[derive(Default)]
pub(crate) struct Told {
    numbers: Vec<i64>,
    pub(crate) over: bool,
}

/// A client of all migrations, already greeted.
pub(crate) struct Feed {
    client: Client,
    frames: Frames,
}

impl Feed {
    pub(crate) async fn begin(grounds: Arc<Grounds>, dice: Dice) -> Self {
        let mut client = Client::new(grounds, "/api/events/stream".to_owned(), dice);
        let frames = client.connect().await.expect("a feed has no end");
        Self { client, frames }
    }

    /// Follows until every migration is over; the numbers of all events that came, by migration.
    pub(crate) async fn follow(mut self) -> BTreeMap<MigrationId, Vec<i64>> {
        let mut all: HashMap<MigrationId, Told> = HashMap::new();
        loop {
            // Leaves anywhere, also in the middle of a backlog.
            for _ in 0..self.client.dice.below(STAYS) {
                let Some(frame) = self.frames.next().await else { break };
                self.client.keep(frame.id);
                let Some(seq) = frame.data["seq"].as_i64() else { continue };
                let id = frame.data["migrationId"].as_str().expect("an id").parse().expect("an id");
                let told = all.entry(id).or_default();
                // The first was there before.
                let last = told.numbers.last().copied().unwrap_or(1);
                assert!(seq <= last + 1, "{id}: {seq} came after {last}");
                if seq == last + 1 {
                    told.numbers.push(seq);
                }
                told.over |= frame.event == "done";
                if self.client.grounds.is_all(&all) {
                    return all.into_iter().map(|(id, told)| (id, told.numbers)).collect();
                }
            }
            self.frames = self.client.connect().await.expect("a feed has no end");
        }
    }
}
