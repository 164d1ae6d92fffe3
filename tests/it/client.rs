//! A gateway's client as a stranger would write it: HTTP in, JSON out, SSE by hand.

use crate::schemas;
use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Read, time::Duration};

/// One user of one gateway.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    stream_base: String,
    key: String,
}

/// One server-sent event.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("a frame's data is JSON")
    }
}

impl Client {
    /// `base` answers REST, `stream_base` the streams: one origin when embedded, two without an ingress.
    pub(crate) fn new(base: &str, stream_base: &str, key: &str) -> Self {
        let _first_stays = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(120))
            .build()
            .expect("a client without special settings can be built");
        Self { http, base: base.into(), stream_base: stream_base.into(), key: key.into() }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Response> {
        Ok(self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.key).send().await?)
    }

    pub(crate) async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Result<Response> {
        let mut request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.key).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", format!("\"{key}\""));
        }
        Ok(request.send().await?)
    }

    /// Changes the plan that this tag names.
    pub(crate) async fn change_plan(&self, id: &str, tag: &str, body: &Value) -> Result<Value> {
        let path = format!("{}/api/migration/{id}/plan", self.base);
        let request = self.http.patch(path).bearer_auth(&self.key).header("if-match", tag).json(body);
        let answer = request.send().await?;
        let status = answer.status();
        let answer: Value = answer.json().await?;
        ensure!(status == StatusCode::OK, "the change answered {status}: {answer}");
        Ok(answer)
    }

    /// Starts a migration and returns its id.
    pub(crate) async fn start(&self, url: &str) -> Result<String> {
        let body = json!({"sourceUrl": url, "userPrompt": "Keep it as it is."});
        let answer = self.post("/api/migration/start", None, &body).await?;
        let status = answer.status();
        let answer: Value = answer.json().await?;
        ensure!(status == StatusCode::ACCEPTED, "start answered {status}: {answer}");
        Ok(answer["migrationId"].as_str().context("an id")?.to_owned())
    }

    /// Follows the stream from `cursor` until it ends; the last frame of a finished run is `done`.
    pub(crate) async fn follow(&self, id: &str, cursor: Option<&str>) -> Result<Vec<Frame>> {
        let mut request =
            self.http.get(format!("{}/api/migration/{id}/stream", self.stream_base)).bearer_auth(&self.key);
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        let answer = request.send().await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(Vec::new());
        }
        ensure!(answer.status() == StatusCode::OK, "the stream answered {}", answer.status());
        let mut frames = Vec::new();
        let mut pending = String::new();
        let mut body = answer.bytes_stream();
        while let Some(chunk) = body.next().await {
            let Ok(chunk) = chunk else { break };
            pending.push_str(std::str::from_utf8(&chunk)?);
            while let Some(end) = pending.find("\n\n") {
                let block: String = pending.drain(..end + 2).collect();
                frames.extend(parse_frame(&block));
            }
        }
        Ok(frames)
    }

    /// Follows the stream over as many connections as it takes, until `done`; returns the envelopes.
    pub(crate) async fn follow_to_the_end(&self, id: &str) -> Result<Vec<Value>> {
        let mut envelopes: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        let mut pace = tokio::time::interval(Duration::from_millis(200));
        for _connection in 0..600 {
            pace.tick().await;
            let frames = match self.follow(id, cursor.as_deref()).await {
                Ok(frames) => frames,
                Err(_) => continue,
            };
            for frame in frames {
                if !frame.id.is_empty() {
                    cursor = Some(frame.id.clone());
                }
                if matches!(frame.event.as_str(), "phase_update" | "metric" | "log" | "error" | "done") {
                    envelopes.push(frame.json());
                }
            }
            if envelopes.last().is_some_and(|e| e["type"] == "done") {
                schemas::assert_valid(&envelopes);
                return Ok(envelopes);
            }
        }
        bail!("no `done` came; last: {:?}", envelopes.last())
    }

    /// The project as path → bytes.
    pub(crate) async fn artifact(&self, id: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let answer = self.get(&format!("/api/migration/{id}/artifact")).await?;
        ensure!(answer.status() == StatusCode::OK, "the artefact answered {}", answer.status());
        let bytes = answer.bytes().await?;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes))?;
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.insert(entry.name()?.into_owned(), content);
        }
        Ok(files)
    }
}

fn parse_frame(block: &str) -> Option<Frame> {
    let mut frame = Frame::default();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => frame.id = value.into(),
            "event" => frame.event = value.into(),
            "data" => frame.data.push_str(value),
            _ => {}
        }
    }
    (!frame.data.is_empty()).then_some(frame)
}

/// The sequence numbers of a history must be 1, 2, 3, … without a gap or a double.
pub(crate) fn assert_gapless(envelopes: &[Value]) {
    let sequence: Vec<i64> = envelopes.iter().map(|e| e["seq"].as_i64().expect("a number")).collect();
    let expected: Vec<i64> = (1..=sequence.len() as i64).collect();
    assert_eq!(sequence, expected, "the history has a gap, a double or another order");
    for pair in envelopes.windows(2) {
        assert!(pair[0]["progress"].as_i64() <= pair[1]["progress"].as_i64(), "progress fell: {pair:?}");
    }
}
