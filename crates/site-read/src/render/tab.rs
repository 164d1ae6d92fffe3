//! One page in one browser: opened, waited for, answered for its cookie wall, read and photographed.
//!
//! Everything is asked of the browser, or of a script world that the page cannot reach into; nothing is asked
//! of the page's own objects, which it may have replaced. A dialog is dismissed, a window closed, a download
//! denied as it comes.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use site_fetch::Fetcher;
use site_fetch::proxy::Policy;
use tokio::time::Instant;
use url::Url;

use super::browser::Browser;
use super::cdp::{Message, Pipe};
use super::log::Log;
use super::{Error, Options, Rendered, Screenshot, WIDTHS, Wall, consent};

/// How long a page must ask for nothing to count as finished.
const QUIET: Duration = Duration::from_millis(500);
/// How long a page may go on after something was done to it: scrolled, clicked, made narrow.
const AFTERMATH: Duration = Duration::from_secs(3);
/// Height of the window before the picture is taken.
const WINDOW: u32 = 900;
/// Longest run of one script of ours, in milliseconds.
const SCRIPT_LIMIT: u64 = 10_000;

/// Scrolls down in steps, so that what loads when it comes into view does, and back up.
const SCROLL: &str = r"(async () => {
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    for (let step = 1; step <= 30; step++) {
        const top = step * innerHeight * 0.8;
        scrollTo({ top, behavior: 'instant' });
        await rest(40);
        if (top + innerHeight > document.documentElement.scrollHeight) break;
    }
    scrollTo({ top: 0, behavior: 'instant' });
    await rest(40);
})()";

/// Brings what moves to its end where it has one, and stops the rest where it began.
const STILL: &str = r"(() => {
    for (const animation of document.getAnimations().slice(0, 5000)) {
        try { animation.finish(); } catch { animation.pause(); animation.currentTime = 0; }
    }
    for (const film of document.querySelectorAll('video, audio')) film.pause();
})()";

const HEIGHT: &str = r"Math.ceil(Math.max(
    document.documentElement.scrollHeight, document.body ? document.body.scrollHeight : 0))";

pub(super) async fn render(
    browser: &mut Browser,
    options: &Options,
    fetcher: &Fetcher,
    url: &Url,
    policy: &dyn Policy,
) -> Result<Rendered, Error> {
    let mut tab = Tab::open(&mut browser.pipe, options, policy).await?;
    tab.prepare(fetcher).await?;
    tab.navigate(url).await?;
    tab.settle(options.max_settle).await?;
    tab.run(SCROLL).await?;
    tab.settle(AFTERMATH).await?;
    let walls = tab.dismiss_walls().await?;
    tab.run(STILL).await?;
    let html = tab.html().await?;
    let url = tab.address().await?;
    tab.call("Animation.setPlaybackRate", json!({ "playbackRate": 0 })).await?;
    let mut screenshots = Vec::with_capacity(WIDTHS.len());
    for width in WIDTHS {
        screenshots.push(tab.picture(width).await?);
    }
    let log = tab.log;
    Ok(Rendered {
        url,
        status: log.status,
        html,
        screenshots,
        console: log.console,
        requests: log.requests,
        refused: log.refused,
        walls,
    })
}

struct Tab<'a> {
    pipe: &'a mut Pipe,
    session: String,
    target: String,
    frame: String,
    log: Log,
    options: &'a Options,
    policy: &'a dyn Policy,
}

impl<'a> Tab<'a> {
    async fn open(
        pipe: &'a mut Pipe,
        options: &'a Options,
        policy: &'a dyn Policy,
    ) -> Result<Tab<'a>, Error> {
        let log = Log::new(options.max_told, String::new());
        let empty = String::new;
        let mut tab = Self { pipe, session: empty(), target: empty(), frame: empty(), log, options, policy };
        tab.command(None, "Browser.setDownloadBehavior", json!({ "behavior": "deny" })).await?;
        let made = tab.command(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        tab.target = text(&made["targetId"]);
        let attach = json!({ "targetId": tab.target, "flatten": true });
        let attached = tab.command(None, "Target.attachToTarget", attach).await?;
        tab.session = text(&attached["sessionId"]);
        tab.command(None, "Target.setDiscoverTargets", json!({ "discover": true })).await?;
        let tree = tab.call("Page.getFrameTree", json!({})).await?;
        tab.frame = text(&tree["frameTree"]["frame"]["id"]);
        tab.log = Log::new(options.max_told, tab.frame.clone());
        Ok(tab)
    }

    async fn prepare(&mut self, fetcher: &Fetcher) -> Result<(), Error> {
        let version = self.command(None, "Browser.getVersion", json!({})).await?;
        // Sites that turn headless browsers away are told who reads them all the same.
        let browser = text(&version["userAgent"]).replace("HeadlessChrome", "Chrome");
        let agent = format!("{browser} {}", fetcher.options().user_agent);
        let still = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
        let all = json!({ "patterns": [{ "urlPattern": "*" }] });
        for (method, params) in [
            ("Page.enable", json!({})),
            ("Network.enable", json!({ "maxTotalBufferSize": 0, "maxResourceBufferSize": 0 })),
            ("Network.setBypassServiceWorker", json!({ "bypass": true })),
            ("Runtime.enable", json!({})),
            ("Log.enable", json!({})),
            ("DOM.enable", json!({})),
            ("Animation.enable", json!({})),
            ("Emulation.setUserAgentOverride", json!({ "userAgent": agent })),
            ("Emulation.setEmulatedMedia", still),
            ("Fetch.enable", all),
        ] {
            self.call(method, params).await?;
        }
        self.resize(WIDTHS[0]).await
    }

    async fn navigate(&mut self, url: &Url) -> Result<(), Error> {
        let opened = self.call("Page.navigate", json!({ "url": url.as_str() })).await?;
        match opened["errorText"].as_str() {
            Some(said) => Err(Error::NotOpened { said: said.to_owned() }),
            None => Ok(()),
        }
    }

    /// Waits until the page is loaded and asks for nothing, so long at most.
    async fn settle(&mut self, limit: Duration) -> Result<(), Error> {
        let end = Instant::now() + limit;
        loop {
            let until = self.log.quiet_since().map_or(end, |since| end.min(since + QUIET));
            // A page that never stops talking would otherwise never let the clock be looked at.
            if Instant::now() >= until {
                return Ok(());
            }
            let Ok(message) = tokio::time::timeout_at(until, self.pipe.receive()).await else {
                return Ok(());
            };
            if let Message::Event { method, params } = message? {
                self.heed(&method, params).await?;
            }
        }
    }

    async fn dismiss_walls(&mut self) -> Result<Vec<Wall>, Error> {
        let found = self.run(&consent::script()).await?;
        let walls = consent::walls(&found);
        if !walls.is_empty() {
            self.settle(AFTERMATH).await?;
        }
        // What a click has not moved away is hidden.
        let hidden = self.run(&consent::hiding_script()).await?;
        Ok([walls, consent::walls(&hidden)].concat())
    }

    async fn html(&mut self) -> Result<String, Error> {
        let limit = self.options.max_html;
        let size =
            self.run("document.documentElement ? document.documentElement.outerHTML.length : 0").await?;
        if size.as_u64().is_some_and(|size| size > limit as u64) {
            return Err(Error::TooLarge { limit });
        }
        let document = self.call("DOM.getDocument", json!({ "depth": 0 })).await?;
        let whole = json!({ "nodeId": document["root"]["nodeId"], "includeShadowDOM": true });
        let mut html = self.call("DOM.getOuterHTML", whole).await?;
        match html["outerHTML"].take() {
            Value::String(html) if html.len() <= limit => Ok(html),
            _ => Err(Error::TooLarge { limit }),
        }
    }

    async fn address(&mut self) -> Result<Url, Error> {
        let address = text(&self.run("location.href").await?);
        Url::parse(&address).map_err(|_| Error::NotOpened { said: format!("it ended at {address}") })
    }

    async fn picture(&mut self, width: u32) -> Result<Screenshot, Error> {
        self.resize(width).await?;
        self.settle(AFTERMATH).await?;
        let tall = self.run(HEIGHT).await?.as_u64().and_then(|height| u32::try_from(height).ok());
        let height = tall.unwrap_or(WINDOW).clamp(1, self.options.max_height.max(1));
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let how = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.call("Page.captureScreenshot", how).await?;
        let png = BASE64.decode(taken["data"].as_str().unwrap_or_default());
        let png = png.map_err(|error| Error::Command {
            method: "Page.captureScreenshot",
            said: format!("it answered with something else than a picture: {error}"),
        })?;
        Ok(Screenshot { width, height, png: png.into() })
    }

    async fn resize(&mut self, width: u32) -> Result<(), Error> {
        let mobile = width < 600;
        let size = json!({ "width": width, "height": WINDOW, "deviceScaleFactor": 1, "mobile": mobile });
        self.call("Emulation.setDeviceMetricsOverride", size).await.map(drop)
    }

    /// Runs a script in a world of its own, which sees the document but none of the page's scripts; `null`
    /// when the page went elsewhere meanwhile or the script failed.
    async fn run(&mut self, script: &str) -> Result<Value, Error> {
        let world = json!({ "frameId": self.frame, "worldName": "reader" });
        let world = self.call("Page.createIsolatedWorld", world).await?;
        let how = json!({
            "expression": script, "contextId": world["executionContextId"], "awaitPromise": true,
            "returnByValue": true, "timeout": SCRIPT_LIMIT,
        });
        match self.call("Runtime.evaluate", how).await {
            Ok(mut answer) => Ok(answer["result"]["value"].take()),
            Err(Error::Command { .. }) => Ok(Value::Null),
            Err(error) => Err(error),
        }
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
        let sent = self.pipe.send(session, method, params).await?;
        loop {
            match self.pipe.receive().await? {
                Message::Answer { id, outcome } if id == sent => {
                    return outcome.map_err(|said| Error::Command { method, said });
                }
                // To what was sent in passing, by `heed`.
                Message::Answer { .. } => {}
                Message::Event { method, params } => self.heed(&method, params).await?,
            }
        }
    }

    async fn heed(&mut self, event: &str, params: Value) -> Result<(), Error> {
        match event {
            "Fetch.requestPaused" => return self.judge(&params).await,
            "Page.javascriptDialogOpening" => {
                // To leave a page is allowed, nothing else.
                let accept = params["type"] == "beforeunload";
                self.tell("Page.handleJavaScriptDialog", json!({ "accept": accept })).await?;
            }
            "Target.targetCreated" => {
                let info = &params["targetInfo"];
                if info["type"] == "page"
                    && info["targetId"] != self.target.as_str()
                    && !info["openerId"].is_null()
                {
                    let close = json!({ "targetId": info["targetId"] });
                    self.pipe.send(None, "Target.closeTarget", close).await?;
                }
            }
            "Inspector.targetCrashed" => {
                return Err(Error::Ended(std::io::Error::other("the page crashed")));
            }
            _ => self.log.note(event, &params),
        }
        Ok(())
    }

    /// Lets a request through to the proxy, unless the policy forbids it: it alone sees encrypted ones here.
    async fn judge(&mut self, params: &Value) -> Result<(), Error> {
        let address = params["request"]["url"].as_str().unwrap_or_default();
        let rule = Url::parse(address).ok().and_then(|url| self.policy.forbids(&url));
        let id = &params["requestId"];
        let Some(rule) = rule else {
            return self.tell("Fetch.continueRequest", json!({ "requestId": id })).await;
        };
        self.log.refuse(address, rule);
        self.tell("Fetch.failRequest", json!({ "requestId": id, "errorReason": "BlockedByClient" })).await
    }

    /// Sends a command whose answer does not matter.
    async fn tell(&mut self, method: &str, params: Value) -> Result<(), Error> {
        self.pipe.send(Some(&self.session), method, params).await.map(drop)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
