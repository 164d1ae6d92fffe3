//! A listener: one connection, read frame by frame.

use crate::world::BOUND;
use domain::{MigrationId, event::Event};
use futures::StreamExt;
use reqwest::{Response, header::HeaderMap};
use serde_json::Value;
use std::{net::SocketAddr, pin::Pin, sync::OnceLock};
use tokio::time::timeout;

type Bytes = Pin<Box<dyn futures::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>;

pub struct Stream {
    pub headers: HeaderMap,
    body: Bytes,
    text: String,
    /// The last id that was received.
    pub cursor: String,
}

#[derive(Debug)]
pub struct Frame {
    /// Empty for a comment.
    pub event: String,
    pub data: Value,
    pub retry: Option<u64>,
}

impl Frame {
    pub fn event(&self) -> Event {
        serde_json::from_value(self.data.clone()).expect("the data is an event's envelope")
    }

    pub fn is_about_the_connection(&self) -> bool {
        matches!(self.event.as_str(), "" | "hello" | "bye" | "cursor")
    }
}

/// What all tests send requests with.
pub fn http() -> &'static reqwest::Client {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    HTTP.get_or_init(|| {
        // Another test may have been first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client")
    })
}

/// One request, whatever comes of it.
pub async fn get(address: SocketAddr, key: Option<&str>, path: &str, cursor: Option<&str>) -> Response {
    let mut request = http().get(format!("http://{address}{path}"));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if let Some(cursor) = cursor {
        request = request.header("last-event-id", cursor);
    }
    timeout(BOUND, request.send()).await.expect("an answer in time").expect("an answer")
}

pub fn path(migration: MigrationId) -> String {
    format!("/api/migration/{migration}/stream")
}

impl Stream {
    pub async fn open(address: SocketAddr, key: &str, migration: MigrationId, cursor: Option<&str>) -> Self {
        let response = get(address, Some(key), &path(migration), cursor).await;
        assert_eq!(response.status(), 200, "{:?}", response.text().await);
        Self::of(response, cursor)
    }

    /// The stream that an answer opens.
    pub fn of(response: Response, cursor: Option<&str>) -> Self {
        let headers = response.headers().clone();
        let cursor = cursor.unwrap_or_default().to_owned();
        Self { headers, body: Box::pin(response.bytes_stream()), text: String::new(), cursor }
    }

    /// The next frame or comment; `None` when the stream is over.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, id) = parse(frame);
                self.text = rest.to_owned();
                self.cursor = id.unwrap_or_else(|| std::mem::take(&mut self.cursor));
                return Some(frame);
            }
            let more = timeout(BOUND, self.body.next()).await.expect("a frame in time");
            match more {
                Some(Ok(bytes)) => self.text.push_str(std::str::from_utf8(&bytes).expect("text")),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The greeting's data.
    pub async fn hello(&mut self) -> Value {
        let frame = self.next().await.expect("a greeting");
        assert_eq!(frame.event, "hello");
        assert!(frame.retry.is_some(), "the greeting says when to come again");
        frame.data
    }

    /// The next event of the history, passing over what is about the connection.
    pub async fn event(&mut self) -> Option<Event> {
        loop {
            let frame = self.next().await?;
            if !frame.is_about_the_connection() {
                let event = frame.event();
                assert_eq!(frame.event, event.event_type.as_str());
                return Some(event);
            }
        }
    }

    /// The numbers of the next events.
    pub async fn numbers(&mut self, count: usize) -> Vec<i64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.push(self.event().await.expect("the stream goes on").seq);
        }
        numbers
    }
}

fn parse(text: &str) -> (Frame, Option<String>) {
    let mut frame = Frame { event: String::new(), data: Value::Null, retry: None };
    let mut id = None;
    for line in text.lines().filter(|line| !line.starts_with(':')) {
        let (field, value) = line.split_once(": ").expect("a field");
        match field {
            "id" => id = Some(value.to_owned()),
            "event" => frame.event = value.to_owned(),
            "data" => frame.data = serde_json::from_str(value).expect("JSON"),
            "retry" => frame.retry = Some(value.parse().expect("a number")),
            other => panic!("an unknown field {other}"),
        }
    }
    (frame, id)
}
