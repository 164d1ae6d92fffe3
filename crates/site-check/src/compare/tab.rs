//! One page in the browser: shown, waited for, and measured at each width.
//!
//! Every page gets a context of its own, so that none leaves anything to another. Every request is stopped and answered by
//! us; the browser itself has no way out. What a page throws, opens or asks never reaches past this file but as data.

use std::{collections::HashMap, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Value, json};
use site_read::render::{Browser, Error, Message, WIDTHS};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    look::{Asked, Boxes, Facts, Look},
    original::Answer,
    scripts::{AT_ONCE, BOXES, CHANGED, FACTS, PAINTED_LATE, SCROLL, SEED, STATE, STILL, UNNOTICED, WATCH},
    stage::Side,
};

/// Elements that are compared on a page, and characters of its text.
const MOST_NODES: usize = 5000;
const MOST_TEXT: usize = 4_000_000;
/// What assistive technology is told of, at most: of all of a page, since what is cut off would count as missing.
const MOST_SPOKEN: usize = 200_000;
/// Requests, errors and names that are kept of a page.
const MOST_TOLD: usize = 2000;
/// How long a page must do nothing to count as finished, and how long it is waited for: when it is opened, and after
/// something was done to it.
const OPENING: Wait = Wait { quiet: Duration::from_millis(400), limit: Duration::from_secs(15) };
const AFTERMATH: Wait = Wait { quiet: Duration::from_millis(120), limit: Duration::from_secs(3) };
/// Every request is answered at once: if its end was not told by then, it never is. Some begin for one frame or worker and end
/// for another.
const UNTOLD: Duration = Duration::from_secs(2);
/// Longest run of one script of ours, in milliseconds.
const SCRIPT_LIMIT: u64 = 20_000;
const WINDOW: u32 = 900;
const TALLEST: u32 = 12_000;
/// Roles that say nothing by themselves.
const SILENT: &[&str] = &[
    "none",
    "generic",
    "StaticText",
    "InlineTextBox",
    "RootWebArea",
    "LineBreak",
    "ListMarker",
    "LayoutTableCell",
];

/// How often a page is looked at until it is steady, and for how long at most.
const LOOKS: Duration = Duration::from_millis(50);
const STEADY: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
struct Wait {
    quiet: Duration,
    limit: Duration,
}

pub(super) struct Tab<'a> {
    browser: &'a mut Browser,
    side: &'a Side<'a>,
    context: String,
    session: String,
    frame: String,
    look: Look,
    loaded: bool,
    /// Requests that are not at their end, and when they were made.
    under_way: HashMap<String, Instant>,
    /// When it last did something.
    busy: Instant,
}

impl<'a> Tab<'a> {
    pub(super) async fn open(browser: &'a mut Browser, side: &'a Side<'a>) -> Result<Self, Error> {
        let empty = String::new;
        let (look, busy) = (Look::default(), Instant::now());
        let mut tab = Self {
            browser,
            side,
            context: empty(),
            session: empty(),
            frame: empty(),
            look,
            loaded: false,
            under_way: HashMap::new(),
            busy,
        };
        let context = tab.command(None, "Target.createBrowserContext", json!({})).await?;
        tab.context = text(&context["browserContextId"]);
        let target = json!({ "url": "about:blank", "browserContextId": tab.context });
        let target = tab.command(None, "Target.createTarget", target).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = tab.command(None, "Target.attachToTarget", attach).await?;
        tab.session = text(&attached["sessionId"]);
        let tree = tab.call("Page.getFrameTree", json!({})).await?;
        tab.frame = text(&tree["frameTree"]["frame"]["id"]);
        Ok(tab)
    }

    pub(super) async fn prepare(&mut self, width: u32) -> Result<(), Error> {
        let still = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
        for (method, params) in [
            ("Page.enable", json!({})),
            ("Page.addScriptToEvaluateOnNewDocument", json!({ "source": SEED })),
            ("Page.addScriptToEvaluateOnNewDocument", json!({ "source": UNNOTICED })),
            ("Network.enable", json!({ "maxTotalBufferSize": 0, "maxResourceBufferSize": 0 })),
            ("Network.setCacheDisabled", json!({ "cacheDisabled": true })),
            ("Network.setBypassServiceWorker", json!({ "bypass": true })),
            ("Runtime.enable", json!({})),
            ("Log.enable", json!({})),
            ("Animation.enable", json!({})),
            ("Emulation.setEmulatedMedia", still),
            ("Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }] })),
        ] {
            self.call(method, params).await?;
        }
        self.resize(width).await
    }

    pub(super) async fn show(mut self, url: &Url, widths: &[u32]) -> Result<Look, Error> {
        let opened = self.call("Page.navigate", json!({ "url": url.as_str() })).await?;
        if let Some(said) = opened["errorText"].as_str() {
            return Err(Error::NotOpened { said: said.to_owned() });
        }
        self.settle(OPENING).await?;
        self.run(SCROLL).await?;
        self.settle(AFTERMATH).await?;
        self.steady().await?;
        self.look.url = text(&self.run("location.href").await?);
        self.look.facts = self.facts().await?;
        self.run(WATCH).await?;
        self.look.spoken = self.spoken().await?;
        for width in widths {
            self.resize_to(*width).await?;
            let boxes = self.run(&format!("{}({MOST_NODES})", BOXES.trim_end())).await?;
            let boxes = Boxes::read(*width, boxes.as_str().unwrap_or_default());
            self.look.boxes.push(boxes.map_err(|error| unreadable("the boxes of the page", &error))?);
        }
        if self.run(CHANGED).await? == true {
            // As wide as it was for the first look: what it says may hang on that.
            for width in widths.iter().take(1) {
                self.resize(*width).await?;
                self.settle(AFTERMATH).await?;
            }
            self.steady().await?;
            self.look.last_words = Some(self.facts().await?.words);
        }
        let (told, asked) = (self.look.console.len(), self.look.asked.len());
        self.pictures().await?;
        // What a page does because it is pictured is no fault of it.
        self.look.console.truncate(told);
        self.look.asked.truncate(asked);
        let context = json!({ "browserContextId": self.context });
        self.command(None, "Target.disposeBrowserContext", context).await?;
        Ok(self.look)
    }

    /// Last of all, since a page notices it: while a picture is taken, its window is one pixel wide for a moment.
    async fn pictures(&mut self) -> Result<(), Error> {
        self.run(AT_ONCE).await?;
        let seen = self.look.boxes.iter().map(|boxes| (boxes.width, boxes.height));
        let pictured: Vec<_> = seen.filter(|(width, _)| WIDTHS.contains(width)).collect();
        for (width, height) in pictured {
            self.resize_to(width).await?;
            let picture = self.still(width, height).await?;
            self.look.pictures.insert(width, picture);
        }
        Ok(())
    }

    async fn facts(&mut self) -> Result<Facts, Error> {
        let facts = self.run(&format!("{}({MOST_TEXT})", FACTS.trim_end())).await?;
        parsed("the facts of the page", facts.as_str().unwrap_or_default())
    }

    /// Waits until the page is loaded and does nothing, so long at most.
    async fn settle(&mut self, wait: Wait) -> Result<(), Error> {
        let end = Instant::now() + wait.limit;
        loop {
            let awaited = self.under_way.values().map(|made| *made + UNTOLD).max();
            let quiet = (self.busy + wait.quiet).max(awaited.unwrap_or(self.busy));
            let until = if self.loaded { end.min(quiet) } else { end };
            if Instant::now() >= end {
                return Ok(());
            }
            // What came while nobody listened is heeded first, however late it is.
            let Ok(message) = timeout_at(until, self.browser.pipe.receive()).await else { return Ok(()) };
            if let Message::Event { method, params, .. } = message? {
                self.heed(&method, &params).await?;
            }
        }
    }

    /// Waits, so long at most, until nothing counts up, slides or grows any more: until three looks in a row see the same.
    async fn steady(&mut self) -> Result<(), Error> {
        let end = Instant::now() + STEADY;
        let (mut before, mut same) = (Value::Null, 0);
        while same < 2 && Instant::now() < end {
            // A page that leads on while it is looked at is not steady.
            let now = match self.run(STATE).await {
                Err(Error::Command { .. }) => Value::Null,
                told => told?,
            };
            same = if now == before && !now.is_null() { same + 1 } else { 0 };
            before = now;
            self.listen(LOOKS).await?;
        }
        Ok(())
    }

    /// Heeds what happens for so long.
    async fn listen(&mut self, time: Duration) -> Result<(), Error> {
        let until = Instant::now() + time;
        while let Ok(message) = timeout_at(until, self.browser.pipe.receive()).await {
            if let Message::Event { method, params, .. } = message? {
                self.heed(&method, &params).await?;
            }
        }
        Ok(())
    }

    /// Makes the window so wide, and waits until the page is so as well and stands still.
    async fn resize_to(&mut self, width: u32) -> Result<(), Error> {
        self.resize(width).await?;
        self.settle(AFTERMATH).await?;
        self.steady().await?;
        self.run(STILL).await.map(drop)
    }

    async fn resize(&mut self, width: u32) -> Result<(), Error> {
        let mobile = width < 600;
        let size = json!({ "width": width, "height": WINDOW, "deviceScaleFactor": 1, "mobile": mobile });
        self.busy = Instant::now();
        self.call("Emulation.setDeviceMetricsOverride", size).await.map(drop)
    }

    /// A picture. Of what is painted late only pictures tell whether it is done: then the first one that is as the one before
    /// it, or what there is after so long.
    async fn still(&mut self, width: u32, height: u32) -> Result<bytes::Bytes, Error> {
        let end = Instant::now() + STEADY;
        let mut picture = self.picture(width, height).await?;
        let mut rests = self.run(PAINTED_LATE).await? != true;
        while !rests && Instant::now() < end {
            self.listen(LOOKS).await?;
            let next = self.picture(width, height).await?;
            rests = next == picture;
            picture = next;
        }
        Ok(picture)
    }

    async fn picture(&mut self, width: u32, height: u32) -> Result<bytes::Bytes, Error> {
        let height = height.clamp(1, TALLEST);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        // Packed quickly rather than tightly: most pictures are looked at once and thrown away.
        let how = json!({
            "format": "png", "captureBeyondViewport": true, "clip": clip, "optimizeForSpeed": true,
        });
        let taken = self.call("Page.captureScreenshot", how).await?;
        let png = BASE64.decode(taken["data"].as_str().unwrap_or_default());
        png.map(Into::into).map_err(|error| unreadable("the picture", &error))
    }

    /// What assistive technology is told of, in its order.
    async fn spoken(&mut self) -> Result<Vec<(String, String)>, Error> {
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await?;
        let nodes = tree["nodes"].as_array().into_iter().flatten();
        let told = nodes.filter(|node| node["ignored"] != true).filter_map(|node| {
            let role = node["role"]["value"].as_str()?;
            let name = node["name"]["value"].as_str().unwrap_or_default();
            let name: Vec<&str> = name.split_whitespace().collect();
            (!SILENT.contains(&role)).then(|| (role.to_owned(), name.join(" ")))
        });
        Ok(told.take(MOST_SPOKEN).collect())
    }

    /// Runs a script in a world of its own, which sees the document but none of the page's scripts.
    async fn run(&mut self, script: &str) -> Result<Value, Error> {
        let world = json!({ "frameId": self.frame, "worldName": "judge" });
        let world = self.call("Page.createIsolatedWorld", world).await?;
        let how = json!({
            "expression": script, "contextId": world["executionContextId"], "awaitPromise": true,
            "returnByValue": true, "timeout": SCRIPT_LIMIT,
        });
        let mut answer = self.call("Runtime.evaluate", how).await?;
        if let Some(thrown) = answer["exceptionDetails"]["exception"]["description"].as_str() {
            return Err(Error::Command { method: "Runtime.evaluate", said: thrown.to_owned() });
        }
        Ok(answer["result"]["value"].take())
    }

    async fn call(&mut self, method: &'static str, params: Value) -> Result<Value, Error> {
        let session = self.session.clone();
        self.command(Some(&session), method, params).await
    }

    /// Sends a command and heeds what happens until its answer comes.
    async fn command(
        &mut self,
        session: Option<&str>,
        method: &'static str,
        params: Value,
    ) -> Result<Value, Error> {
        let sent = self.browser.pipe.send(session, method, params).await?;
        loop {
            match self.browser.pipe.receive().await? {
                Message::Answer { id, outcome } if id == sent => {
                    return outcome.map_err(|said| Error::Command { method, said });
                }
                // To what was sent in passing.
                Message::Answer { .. } => {}
                Message::Event { method, params, .. } => self.heed(&method, &params).await?,
            }
        }
    }

    async fn heed(&mut self, event: &str, params: &Value) -> Result<(), Error> {
        match event {
            "Fetch.requestPaused" => self.answer(params).await?,
            "Page.loadEventFired" => (self.loaded, self.busy) = (true, Instant::now()),
            "Network.requestWillBeSent" if ends(params) && self.under_way.len() < MOST_TOLD => {
                self.under_way.insert(text(&params["requestId"]), Instant::now());
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                self.under_way.remove(params["requestId"].as_str().unwrap_or_default());
                self.busy = Instant::now();
            }
            "Network.responseReceived"
                if params["type"] == "Document" && params["frameId"] == self.frame.as_str() =>
            {
                let status = params["response"]["status"].as_u64();
                self.look.status = status.and_then(|status| u16::try_from(status).ok());
            }
            "Page.javascriptDialogOpening" => {
                self.tell("Page.handleJavaScriptDialog", json!({ "accept": false })).await?;
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                let thrown = details["exception"]["description"].as_str();
                self.complain(thrown.or(details["text"].as_str()).unwrap_or_default());
            }
            "Runtime.consoleAPICalled" if params["type"] == "error" => {
                let words =
                    params["args"].as_array().into_iter().flatten().take(20).map(|word| {
                        word["value"].as_str().or(word["description"].as_str()).unwrap_or_default()
                    });
                self.complain(&words.collect::<Vec<_>>().join(" "));
            }
            // What could not be loaded is told by the requests.
            "Log.entryAdded"
                if params["entry"]["level"] == "error" && params["entry"]["source"] != "network" =>
            {
                self.complain(params["entry"]["text"].as_str().unwrap_or_default());
            }
            "Inspector.targetCrashed" => {
                return Err(Error::Ended(std::io::Error::other("the page crashed")));
            }
            _ => {}
        }
        Ok(())
    }

    /// Where an error is thrown differs from side to side; what is thrown does not.
    fn complain(&mut self, said: &str) {
        let line = said.lines().next().unwrap_or_default();
        if self.look.console.len() < MOST_TOLD && !line.is_empty() {
            self.look.console.push(line.chars().take(500).collect());
        }
    }

    async fn answer(&mut self, params: &Value) -> Result<(), Error> {
        self.busy = Instant::now();
        let (id, request) = (&params["requestId"], &params["request"]);
        let address = text(&request["url"]);
        let url = Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let answer = match url.filter(|_| request["method"] == "GET") {
            Some(url) => {
                self.side.answer(&url, &wishes(&request["headers"])).await.map_err(Error::NotAnswered)?
            }
            None => None,
        };
        if self.look.asked.len() < MOST_TOLD {
            let (status, bytes) = answer.as_ref().map_or((0, 0), |it| (it.status, it.body.len() as u64));
            self.look.asked.push(Asked { url: address, status, bytes });
        }
        let Some(Answer { status, content_type, location, body }) = answer else {
            let failed = json!({ "requestId": id, "errorReason": "BlockedByClient" });
            return self.tell("Fetch.failRequest", failed).await;
        };
        let headers = [("content-type", content_type), ("location", location)];
        let headers: Vec<Value> = headers
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| json!({ "name": name, "value": value }))
            // Fonts and modules of another host are asked for with their origin.
            .chain([json!({ "name": "access-control-allow-origin", "value": "*" })])
            .collect();
        let full = json!({
            "requestId": id, "responseCode": status, "responseHeaders": headers, "body": BASE64.encode(&body),
        });
        self.tell("Fetch.fulfillRequest", full).await
    }

    /// Sends a command whose answer does not matter.
    async fn tell(&mut self, method: &str, params: Value) -> Result<(), Error> {
        self.browser.pipe.send(Some(&self.session), method, params).await.map(drop)
    }
}

/// Is it a request whose end is told? A player reads as much as it plays, and a stream goes on.
fn ends(request: &Value) -> bool {
    !matches!(request["type"].as_str(), Some("Media" | "EventSource" | "WebSocket" | "Ping"))
}

/// What decides about the framework's answer: which part of a page it is to send.
fn wishes(headers: &Value) -> Vec<(String, String)> {
    let headers = headers.as_object().into_iter().flatten();
    let named =
        headers.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
    named.filter(|(name, _)| name == "rsc" || name == "accept" || name.starts_with("next-")).collect()
}

fn parsed<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

fn unreadable(what: &'static str, error: &dyn std::error::Error) -> Error {
    Error::Command { method: what, said: format!("it cannot be read: {error}") }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
