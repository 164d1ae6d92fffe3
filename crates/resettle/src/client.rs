//! A gateway, spoken to by HTTP: the embedded one as well as a remote one. Every answer is bounded in size and
//! every wait in time; a refusal is told in the server's own words.

mod frames;
mod problem;

pub(crate) use frames::Frames;
pub(crate) use problem::Problem;

use bytes::Bytes;
use domain::{MigrationId, event::Event};
use futures::StreamExt;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use service_kit::Secret;
use std::{path::Path, time::Duration};
use tokio::{fs::File, io::AsyncWriteExt};
use url::Url;
use uuid::Uuid;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Longer than the pause between two heartbeats of a stream.
const SILENCE: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;
/// A project of a large site; what is larger cannot be one.
const ARTIFACT_LIMIT: u64 = 8 * 1024 * 1024 * 1024;
const PAGE: u32 = 200;

/// Why the server could not be made to do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the server's address {address:?} is not an http(s) URL")]
    Address { address: String },
    #[error("HTTP cannot be used here")]
    Setup(#[source] reqwest::Error),
    #[error("the server at {server} cannot be reached")]
    Unreachable {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the connection to {server} broke")]
    Broken {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("{0}")]
    Refused(Box<Problem>),
    #[error("{server} answered what no Resettle gateway answers: {what}")]
    Unexpected { server: String, what: String },
    #[error("the download cannot be written")]
    Write(#[source] std::io::Error),
}

impl Error {
    /// May the same request pass a little later?
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Refused(problem) => problem.may_pass(),
            Self::Address { .. } | Self::Setup(_) | Self::Unexpected { .. } | Self::Write(_) => false,
        }
    }
}

/// One server and who we are to it.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Url,
    key: Secret,
}

/// What came of asking for a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// A new one.
    New(MigrationId),
    /// One of the same site was under way already.
    Joined(MigrationId),
}

impl Client {
    pub(crate) fn new(server: &str, key: Secret) -> Result<Self, Error> {
        let address = || Error::Address { address: server.to_owned() };
        let mut url = Url::parse(server).map_err(|_| address())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(address());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).read_timeout(SILENCE);
        let local = matches!(url.host(), Some(url::Host::Ipv4(ip)) if ip.is_loopback());
        if local {
            builder = builder.no_proxy();
        }
        Ok(Self { http: builder.build().map_err(Error::Setup)?, server: url, key })
    }

    /// Asks for a migration; the key makes repeating the request harmless.
    pub(crate) async fn start(&self, source: &str, prompt: &str, key: Uuid) -> Result<Started, Error> {
        let body = json!({"sourceUrl": source, "userPrompt": prompt});
        match self.submit("api/migration/start", &body, Some(&key.to_string())).await {
            Ok(answer) => self.id_in(&answer).map(Started::New),
            Err(Error::Refused(problem)) => match problem.active_migration() {
                Some(id) => Ok(Started::Joined(id)),
                None => Err(Error::Refused(problem)),
            },
            Err(error) => Err(error),
        }
    }

    /// One question of any sort, whose answer is shown and not understood here.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let request = self.request(method, path);
        self.answer(body.into_iter().fold(request, with)).await
    }

    /// A wish that may carry a key, which makes repeating it harmless.
    pub(crate) async fn submit(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Value, Error> {
        let request = with(self.request(Method::POST, path), body);
        let keyed =
            |request: RequestBuilder, key: &str| request.header("idempotency-key", format!("\"{key}\""));
        self.answer(key.into_iter().fold(request, keyed)).await
    }

    /// The number of a migration's last run.
    pub(crate) async fn run_of(&self, id: MigrationId) -> Result<i32, Error> {
        let record = self.ask(Method::GET, &format!("api/migration/{id}"), None).await?;
        let run = record["run"].as_i64().and_then(|run| i32::try_from(run).ok());
        run.ok_or_else(|| self.unexpected("a record without the number of its run"))
    }

    /// The history after an event, one page of it.
    pub(crate) async fn events_after(&self, id: MigrationId, since: i64) -> Result<Vec<Event>, Error> {
        let path = format!("api/migration/{id}/events?since_id={since}&limit={PAGE}");
        let answer: Value = self.answer(self.request(Method::GET, &path)).await?;
        let events = answer.get("events").cloned().unwrap_or(answer);
        serde_json::from_value(events).map_err(|error| self.unexpected(error.to_string()))
    }

    /// The live history from a cursor on; `None` when it is over there.
    pub(crate) async fn stream(&self, id: MigrationId, cursor: &str) -> Result<Option<Frames>, Error> {
        let mut request = self
            .request(Method::GET, &format!("api/migration/{id}/stream"))
            .header(header::ACCEPT, "text/event-stream");
        if !cursor.is_empty() {
            request = request.header("last-event-id", cursor);
        }
        let response = self.send(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let server = self.server.to_string();
        let body = response
            .bytes_stream()
            .map(move |chunk| chunk.map_err(|source| Error::Broken { server: server.clone(), source }));
        Ok(Some(Frames::new(body)))
    }

    /// Writes the project's archive into a file.
    pub(crate) async fn artifact(&self, id: MigrationId, into: &Path) -> Result<u64, Error> {
        let response = self.send(self.request(Method::GET, &format!("api/migration/{id}/artifact"))).await?;
        let mut file = File::create(into).await.map_err(Error::Write)?;
        let mut body = response.bytes_stream();
        let mut written = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|source| self.broken(source))?;
            written += chunk.len() as u64;
            if written > ARTIFACT_LIMIT {
                return Err(self.unexpected("a project without end"));
            }
            file.write_all(&chunk).await.map_err(Error::Write)?;
        }
        file.flush().await.map_err(Error::Write)?;
        Ok(written)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // A path of ours joined to a URL that ends with a slash; should that ever fail, the server says 404.
        let url = self.server.join(path).unwrap_or_else(|_| self.server.clone());
        self.http.request(method, url).bearer_auth(self.key.expose())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let unreachable = |source| Error::Unreachable { server: self.server.to_string(), source };
        let response = request.send().await.map_err(unreachable)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = self.body(response).await?;
        Err(Error::Refused(Box::new(Problem::read(status.as_u16(), &body))))
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let body = self.body(self.send(request).await?).await?;
        serde_json::from_slice(&body).map_err(|error| self.unexpected(error.to_string()))
    }

    async fn body(&self, response: Response) -> Result<Bytes, Error> {
        let mut stream = response.bytes_stream();
        let mut body = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|source| self.broken(source))?;
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(self.unexpected("an answer without end"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    fn id_in(&self, answer: &Value) -> Result<MigrationId, Error> {
        let id = answer.get("migrationId").and_then(Value::as_str).and_then(|id| id.parse().ok());
        id.ok_or_else(|| self.unexpected("no migrationId"))
    }

    fn broken(&self, source: reqwest::Error) -> Error {
        Error::Broken { server: self.server.to_string(), source }
    }

    fn unexpected(&self, what: impl Into<String>) -> Error {
        Error::Unexpected { server: self.server.to_string(), what: what.into() }
    }
}

fn with(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string())
}
