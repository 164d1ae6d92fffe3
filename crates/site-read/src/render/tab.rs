//! One page in one browser: opened, waited for, answered for its cookie wall, read and photographed.
//!
//! Everything is asked of the browser, or of a script world that the page cannot reach into; nothing is asked
//! of the page's own objects, which it may have replaced. What happens meanwhile is heeded in `session.rs`.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::browser::Browser;
use super::session::{Frame, Manners, Session, text};
use super::{Error, Options, Rendered, Screenshot, WIDTHS, walls};

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
    url: &Url,
    manners: Manners<'_>,
) -> Result<Rendered, Error> {
    let session = Session::open(&mut browser.pipe, options.max_told, manners).await?;
    let mut tab = Tab { session, options };
    tab.prepare().await?;
    tab.navigate(url).await?;
    tab.settle(options.max_settle).await?;
    tab.run(SCROLL).await?;
    tab.settle(AFTERMATH).await?;
    let walls = walls::dismiss(&mut tab).await?;
    tab.run(STILL).await?;
    let html = tab.html().await?;
    let url = tab.address().await?;
    tab.session.call("Animation.setPlaybackRate", json!({ "playbackRate": 0 })).await?;
    let mut screenshots = Vec::with_capacity(WIDTHS.len());
    for width in WIDTHS {
        screenshots.push(tab.picture(width).await?);
    }
    let log = tab.session.log;
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

pub(super) struct Tab<'a> {
    pub(super) session: Session<'a>,
    options: &'a Options,
}

impl Tab<'_> {
    async fn prepare(&mut self) -> Result<(), Error> {
        let still = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
        for (method, params) in [
            ("Page.enable", json!({})),
            ("Runtime.enable", json!({})),
            ("Log.enable", json!({})),
            ("DOM.enable", json!({})),
            ("Animation.enable", json!({})),
            ("Emulation.setEmulatedMedia", still),
        ] {
            self.session.call(method, params).await?;
        }
        self.resize(WIDTHS[0]).await
    }

    async fn navigate(&mut self, url: &Url) -> Result<(), Error> {
        let opened = self.session.call("Page.navigate", json!({ "url": url.as_str() })).await?;
        match opened["errorText"].as_str() {
            Some(said) => Err(Error::NotOpened { said: said.to_owned() }),
            None => Ok(()),
        }
    }

    /// Waits until the page is loaded and asks for nothing, so long at most.
    async fn settle(&mut self, limit: Duration) -> Result<(), Error> {
        let end = Instant::now() + limit;
        loop {
            let until = self.session.log.quiet_since().map_or(end, |since| end.min(since + QUIET));
            // A page that never stops talking would otherwise never let the clock be looked at.
            if Instant::now() >= until {
                return Ok(());
            }
            let Ok(heeded) = tokio::time::timeout_at(until, self.session.next()).await else {
                return Ok(());
            };
            heeded?;
        }
    }

    /// Waits for what a click on the page brings about, which may be without a request: a frame that is told to go.
    pub(super) async fn settle_after(&mut self) -> Result<(), Error> {
        self.session.log.stirred();
        self.settle(AFTERMATH).await
    }

    async fn html(&mut self) -> Result<String, Error> {
        let limit = self.options.max_html;
        let size =
            self.run("document.documentElement ? document.documentElement.outerHTML.length : 0").await?;
        if size.as_u64().is_some_and(|size| size > limit as u64) {
            return Err(Error::TooLarge { limit });
        }
        let document = self.session.call("DOM.getDocument", json!({ "depth": 0 })).await?;
        let whole = json!({ "nodeId": document["root"]["nodeId"], "includeShadowDOM": true });
        let mut html = self.session.call("DOM.getOuterHTML", whole).await?;
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
        let taken = self.session.call("Page.captureScreenshot", how).await?;
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
        self.session.call("Emulation.setDeviceMetricsOverride", size).await.map(drop)
    }

    /// Runs a script in a world of its own, which sees the document but none of the page's scripts; `null`
    /// when the page went elsewhere meanwhile or the script failed.
    pub(super) async fn run(&mut self, script: &str) -> Result<Value, Error> {
        let main_frame = self.session.main_frame.clone();
        self.run_in(None, &main_frame, script).await
    }

    /// The same in another frame: of this process, or in a session of its own.
    pub(super) async fn run_in(
        &mut self,
        of: Option<&Frame>,
        frame: &str,
        script: &str,
    ) -> Result<Value, Error> {
        let Some(context) = self.world(of, frame).await? else { return Ok(Value::Null) };
        let how = json!({
            "expression": script, "contextId": context, "awaitPromise": true, "returnByValue": true,
            "timeout": SCRIPT_LIMIT,
        });
        let answer = self.session.ask(of, "Runtime.evaluate", how).await?;
        Ok(answer.map_or(Value::Null, |mut answer| answer["result"]["value"].take()))
    }

    /// A world of our own in a frame, by its number.
    pub(super) async fn world(&mut self, of: Option<&Frame>, frame: &str) -> Result<Option<Value>, Error> {
        let world = json!({ "frameId": frame, "worldName": "reader" });
        let world = self.session.ask(of, "Page.createIsolatedWorld", world).await?;
        Ok(world.map(|mut world| world["executionContextId"].take()))
    }
}
