//! What a page did while it was rendered, gathered from the browser's events. Bounded: a page decides how
//! many there are.

use std::collections::HashMap;

use serde_json::Value;
use site_fetch::proxy::Turned;
use tokio::time::Instant;

use super::{Request, sockets};

/// Characters kept of one line of the console, and of one address.
const MAX_LINE: usize = 500;
pub(crate) const MAX_ADDRESS: usize = 2000;
/// Requests under way that are waited for; a page with more is not waited for longer than it takes anyway.
const MAX_UNDER_WAY: usize = 10_000;

pub(super) struct Log {
    limit: usize,
    main_frame: String,
    pub(super) console: Vec<String>,
    pub(super) requests: Vec<Request>,
    pub(super) refused: Vec<Turned>,
    pub(super) status: Option<u16>,
    pub(super) loaded: bool,
    /// Requests without an end yet, by the browser's name of them, and the session that tells it.
    under_way: HashMap<String, String>,
    /// Where in `requests` one is, by the browser's name of it.
    places: HashMap<String, usize>,
    quiet_since: Instant,
}

impl Log {
    pub(super) fn new(limit: usize, main_frame: String) -> Self {
        Self {
            limit,
            main_frame,
            console: Vec::new(),
            requests: Vec::new(),
            refused: Vec::new(),
            status: None,
            loaded: false,
            under_way: HashMap::new(),
            places: HashMap::new(),
            quiet_since: Instant::now(),
        }
    }

    /// Since when the page is loaded and asks for nothing.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        (self.loaded && self.under_way.is_empty()).then_some(self.quiet_since)
    }

    pub(super) fn refuse(&mut self, target: &str, rule: String) {
        if self.refused.len() < self.limit {
            self.refused.push(Turned { target: short(target, MAX_ADDRESS), rule });
        }
    }

    /// A frame or a worker is gone, and with it all that it asked for.
    pub(super) fn gone(&mut self, session: &str) {
        self.under_way.retain(|_, of| of != session);
        self.quiet_since = Instant::now();
    }

    /// Something was done to the page: it has to be quiet from now on to count as quiet.
    pub(super) fn stirred(&mut self) {
        self.quiet_since = Instant::now();
    }

    pub(super) fn note(&mut self, session: &str, method: &str, params: &Value) {
        match method {
            "Network.requestWillBeSent" => self.asked(session, params),
            "Network.responseReceived" => self.answered(&params["requestId"], params),
            "Network.loadingFinished" | "Network.loadingFailed" => {
                self.under_way.remove(params["requestId"].as_str().unwrap_or_default());
                self.quiet_since = Instant::now();
            }
            "Page.loadEventFired" => {
                self.loaded = true;
                self.quiet_since = Instant::now();
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                let thrown = details["exception"]["description"].as_str();
                self.complain(thrown.or(details["text"].as_str()).unwrap_or_default());
            }
            "Runtime.consoleAPICalled" if params["type"] == "error" => {
                let words = params["args"].as_array().into_iter().flatten();
                let words: Vec<String> = words.take(20).map(word).collect();
                self.complain(&words.join(" "));
            }
            "Log.entryAdded" if params["entry"]["level"] == "error" => {
                self.complain(params["entry"]["text"].as_str().unwrap_or_default());
            }
            _ => {}
        }
    }

    fn asked(&mut self, session: &str, params: &Value) {
        let id = params["requestId"].as_str().unwrap_or_default();
        if !params["redirectResponse"].is_null() {
            self.set_status(id, &params["redirectResponse"]);
        }
        let url = params["request"]["url"].as_str().unwrap_or_default();
        // What is in the page already is asked of nobody, and a question about a socket of us alone.
        if url.starts_with("data:") || url.starts_with("blob:") || sockets::asked_about(url).is_some() {
            return;
        }
        // The document of a frame may be handed to another process on the way, and its end is not told here then.
        let elsewhere = params["type"] == "Document" && params["frameId"] != self.main_frame.as_str();
        if !elsewhere && self.under_way.len() < MAX_UNDER_WAY {
            self.under_way.insert(id.to_owned(), session.to_owned());
        }
        if self.requests.len() < self.limit {
            self.places.insert(id.to_owned(), self.requests.len());
            let kind = params["type"].as_str().unwrap_or("Other").to_owned();
            let method = params["request"]["method"].as_str().unwrap_or_default().to_owned();
            self.requests.push(Request { url: short(url, MAX_ADDRESS), kind, method, status: None });
        }
    }

    fn answered(&mut self, id: &Value, params: &Value) {
        self.set_status(id.as_str().unwrap_or_default(), &params["response"]);
        if params["type"] == "Document" && params["frameId"] == self.main_frame.as_str() {
            self.status = status(&params["response"]);
        }
    }

    fn set_status(&mut self, id: &str, response: &Value) {
        let request = self.places.get(id).and_then(|place| self.requests.get_mut(*place));
        if let Some(request) = request {
            request.status = status(response);
        }
    }

    fn complain(&mut self, line: &str) {
        if self.console.len() < self.limit && !line.is_empty() {
            self.console.push(short(line, MAX_LINE));
        }
    }
}

fn status(response: &Value) -> Option<u16> {
    response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| *status > 0)
}

fn word(argument: &Value) -> String {
    match &argument["value"] {
        Value::String(text) => text.clone(),
        Value::Null => argument["description"].as_str().unwrap_or_default().to_owned(),
        other => other.to_string(),
    }
}

fn short(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}
