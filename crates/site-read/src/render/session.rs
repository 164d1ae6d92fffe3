//! All that a page is made of, as the browser tells it apart: the page itself, frames of other sites, workers.
//!
//! Each such part has a session of its own, and whatever asks for anything stands still until its session judges
//! its requests. It must never let a part go that nobody judges, nor let a page open another: a window is closed
//! before it has asked for anything.

use std::collections::HashSet;

use serde_json::{Value, json};
use site_fetch::proxy::Policy;
use url::Url;

use super::Error;
use super::cdp::{Message, Pipe};
use super::log::Log;
use super::sockets;

/// Parts of one page that are let go at once; the others stand still.
const MAX_PARTS: usize = 60;

/// The browser's events that say something here; nothing else of what it tells is read.
const HEEDED: &[&str] = &[
    "Fetch.requestPaused",
    "Inspector.targetCrashed",
    "Log.entryAdded",
    "Network.loadingFailed",
    "Network.loadingFinished",
    "Network.requestWillBeSent",
    "Network.responseReceived",
    "Page.javascriptDialogOpening",
    "Page.loadEventFired",
    "Runtime.consoleAPICalled",
    "Runtime.exceptionThrown",
    "Target.attachedToTarget",
    "Target.detachedFromTarget",
];

/// A frame of another site: it runs in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) session: String,
    pub(super) id: String,
}

/// How a page's requests are made and judged.
pub(super) struct Manners<'a> {
    /// Appended to the browser's name.
    pub(super) agent: &'a str,
    pub(super) policy: &'a dyn Policy,
    /// What makes the page ask before it opens a web socket, if any is forbidden.
    pub(super) sockets: Option<String>,
}

/// The browser while it shows one page.
pub(super) struct Session<'a> {
    pipe: &'a mut Pipe,
    policy: &'a dyn Policy,
    sockets: Option<String>,
    /// The page's own session.
    page: String,
    /// Windows that were there before the page: the page's own and the browser's first one.
    windows: Vec<String>,
    /// Whom the page is told that reads it.
    agent: String,
    pub(super) main_frame: String,
    pub(super) frames: Vec<Frame>,
    /// Sessions of all parts that were let go.
    parts: HashSet<String>,
    pub(super) log: Log,
}

impl<'a> Session<'a> {
    /// Opens an empty page and sees to it that nothing of it escapes.
    pub(super) async fn open(
        pipe: &'a mut Pipe,
        max_told: usize,
        manners: Manners<'a>,
    ) -> Result<Session<'a>, Error> {
        let Manners { agent, policy, sockets } = manners;
        pipe.heed_only(HEEDED);
        let log = Log::new(max_told, String::new());
        let (page, main_frame) = (String::new(), String::new());
        let (windows, frames, parts) = (Vec::new(), Vec::new(), HashSet::new());
        let mut session = Self {
            pipe,
            policy,
            sockets,
            page,
            windows,
            agent: String::new(),
            main_frame,
            frames,
            parts,
            log,
        };
        let version = session.command(None, "Browser.getVersion", json!({})).await?;
        // Sites that turn headless browsers away are told who reads them all the same.
        let browser = text(&version["userAgent"]).replace("HeadlessChrome", "Chrome");
        session.agent = format!("{browser} {agent}");
        session.command(None, "Browser.setDownloadBehavior", json!({ "behavior": "deny" })).await?;
        let made = session.command(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        let there = session.command(None, "Target.getTargets", json!({})).await?;
        let there = there["targetInfos"].as_array().into_iter().flatten();
        session.windows = there.map(|target| text(&target["targetId"])).collect();
        let attach = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = session.command(None, "Target.attachToTarget", attach).await?;
        session.page = text(&attached["sessionId"]);
        let tree = session.call("Page.getFrameTree", json!({})).await?;
        session.main_frame = text(&tree["frameTree"]["frame"]["id"]);
        session.log = Log::new(max_told, session.main_frame.clone());
        session.command(None, "Target.setAutoAttach", attaching()).await?;
        for (method, params) in session.judged() {
            session.call(method, params).await?;
        }
        Ok(session)
    }

    /// A command to the page.
    pub(super) async fn call(&mut self, method: &'static str, params: Value) -> Result<Value, Error> {
        let page = self.page.clone();
        self.command(Some(&page), method, params).await
    }

    /// A command to the frame's own session, or the page's; `None` when the browser refuses it, which it does when
    /// the frame has gone meanwhile.
    pub(super) async fn ask(
        &mut self,
        frame: Option<&Frame>,
        method: &'static str,
        params: Value,
    ) -> Result<Option<Value>, Error> {
        let session = frame.map_or_else(|| self.page.clone(), |frame| frame.session.clone());
        match self.command(Some(&session), method, params).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Command { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Heeds the next thing that happens. May be dropped while it waits; nothing is lost then.
    pub(super) async fn next(&mut self) -> Result<(), Error> {
        match self.pipe.receive().await? {
            Message::Event { session, method, params } => self.heed(&session, &method, &params).await,
            // To what was sent in passing.
            Message::Answer { .. } => Ok(()),
        }
    }

    /// Sends a command and heeds what happens until its answer comes.
    async fn command(
        &mut self,
        session: Option<&str>,
        method: &'static str,
        params: Value,
    ) -> Result<Value, Error> {
        let sent = self.pipe.send(session, method, params).await?;
        loop {
            match self.pipe.receive().await? {
                Message::Answer { id, outcome } if id == sent => {
                    return outcome.map_err(|said| Error::Command { method, said });
                }
                Message::Answer { .. } => {}
                Message::Event { session, method, params } => self.heed(&session, &method, &params).await?,
            }
        }
    }

    async fn heed(&mut self, session: &str, event: &str, params: &Value) -> Result<(), Error> {
        match event {
            "Fetch.requestPaused" => return self.judge(session, params).await,
            "Page.javascriptDialogOpening" => {
                // To leave a page is allowed, nothing else.
                let accept = params["type"] == "beforeunload";
                let answer = json!({ "accept": accept });
                self.tell(session, "Page.handleJavaScriptDialog", answer).await?;
            }
            "Target.attachedToTarget" => self.attached(params).await?,
            "Target.detachedFromTarget" => {
                let gone = params["sessionId"].as_str().unwrap_or_default();
                self.frames.retain(|frame| frame.session != gone);
                self.parts.remove(gone);
                self.log.gone(gone);
            }
            "Inspector.targetCrashed" if session == self.page => {
                return Err(Error::Ended(std::io::Error::other("the page crashed")));
            }
            // A frame's: the page itself may still be loading.
            "Page.loadEventFired" if session != self.page => {}
            _ => self.log.note(session, event, params),
        }
        Ok(())
    }

    /// A part of the page is there, and stands still.
    async fn attached(&mut self, params: &Value) -> Result<(), Error> {
        let target = &params["targetInfo"];
        let id = text(&target["targetId"]);
        if self.windows.contains(&id) {
            return Ok(());
        }
        if target["type"] == "page" {
            return self.pipe.send(None, "Target.closeTarget", json!({ "targetId": id })).await.map(drop);
        }
        if self.parts.len() >= MAX_PARTS {
            let rule = format!("a page has {MAX_PARTS} frames of other sites and workers at most");
            self.log.refuse(target["url"].as_str().unwrap_or_default(), rule);
            return Ok(());
        }
        let session = text(&params["sessionId"]);
        self.parts.insert(session.clone());
        if target["type"] == "iframe" {
            self.frames.push(Frame { session: session.clone(), id });
        }
        // What a worker has none of it refuses, and goes on to the next.
        for (method, params) in self.judged() {
            self.tell(&session, method, params).await?;
        }
        self.tell(&session, "Runtime.runIfWaitingForDebugger", json!({})).await
    }

    /// Lets a request through to the proxy, unless the policy forbids it: it alone sees encrypted ones here.
    async fn judge(&mut self, session: &str, params: &Value) -> Result<(), Error> {
        let address = params["request"]["url"].as_str().unwrap_or_default();
        if let Some(socket) = sockets::asked_about(address) {
            return self.judge_socket(session, params, &socket).await;
        }
        let rule = Url::parse(address).ok().and_then(|url| self.policy.forbids(&url));
        let id = &params["requestId"];
        let Some(rule) = rule else {
            return self.tell(session, "Fetch.continueRequest", json!({ "requestId": id })).await;
        };
        self.log.refuse(address, rule);
        let failed = json!({ "requestId": id, "errorReason": "BlockedByClient" });
        self.tell(session, "Fetch.failRequest", failed).await
    }

    /// Answers whether a web socket may be opened.
    async fn judge_socket(&mut self, session: &str, params: &Value, socket: &Url) -> Result<(), Error> {
        let rule = self.policy.forbids(socket);
        let code = if rule.is_some() { 403 } else { 204 };
        if let Some(rule) = rule {
            self.log.refuse(socket.as_str(), rule);
        }
        let headers = json!([{ "name": "Access-Control-Allow-Origin", "value": "*" }]);
        let answer =
            json!({ "requestId": params["requestId"], "responseCode": code, "responseHeaders": headers });
        self.tell(session, "Fetch.fulfillRequest", answer).await
    }

    /// What makes a part's requests ours to judge, and those of its own parts.
    fn judged(&self) -> Vec<(&'static str, Value)> {
        let mut commands = vec![
            ("Network.enable", json!({ "maxTotalBufferSize": 0, "maxResourceBufferSize": 0 })),
            ("Network.setBypassServiceWorker", json!({ "bypass": true })),
            ("Network.setUserAgentOverride", json!({ "userAgent": self.agent })),
            ("Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }] })),
            ("Target.setAutoAttach", attaching()),
        ];
        commands.extend(self.sockets.as_deref().into_iter().flat_map(sockets::put));
        commands
    }

    /// Sends a command whose answer does not matter.
    async fn tell(&mut self, session: &str, method: &str, params: Value) -> Result<(), Error> {
        self.pipe.send(Some(session), method, params).await.map(drop)
    }
}

fn attaching() -> Value {
    json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true })
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
