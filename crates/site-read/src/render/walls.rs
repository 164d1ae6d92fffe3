//! The cookie walls of one page: those in its own document, and those in a frame that lies over it, which may be
//! another site's. What counts as a wall and as a no is in `consent.js` and its table.
//!
//! A frame that does not lie over the page is never touched: what it shows is part of the page.

use serde_json::{Value, json};

use super::Error;
use super::consent::{self, Wall};
use super::session::{Frame, text};
use super::tab::Tab;

/// Frames that are looked into at most.
const MAX_FRAMES: usize = 20;

/// Whether a frame's element, or something around it, lies over the page and can be seen.
const LIES_OVER: &str = r"function () {
    const box = this.getBoundingClientRect();
    if (box.width < 50 || box.height < 30 || getComputedStyle(this).visibility === 'hidden') return false;
    for (let at = this; at && at.nodeType === 1; at = at.parentElement ?? at.getRootNode().host) {
        if (/fixed|sticky/.test(getComputedStyle(at).position)) return true;
        if (at.matches('dialog[open], [role=dialog], [role=alertdialog]')) return true;
    }
    return false;
}";

/// Hides what lies over the page: the outermost such element around the frame.
const HIDE: &str = r"function () {
    let outermost = this;
    for (let at = this; at && at.nodeType === 1; at = at.parentElement ?? at.getRootNode().host) {
        if (at.matches('body, html') || at.querySelector('main, article')) break;
        if (/fixed|sticky/.test(getComputedStyle(at).position) || at.matches('dialog, [role=dialog], [role=alertdialog]')) outermost = at;
    }
    outermost.style.setProperty('display', 'none', 'important');
}";

/// A frame that lies over the page.
struct Over {
    /// Its own session, if it has one.
    of: Option<Frame>,
    id: String,
    /// The browser's handle on its element in the page.
    element: Value,
}

/// Says no to the walls, and hides those that take no no.
pub(super) async fn dismiss(tab: &mut Tab<'_>) -> Result<Vec<Wall>, Error> {
    let mut walls = consent::walls(&tab.run(&consent::script()).await?);
    if walls.is_empty() {
        for frame in over(tab).await? {
            let found = tab.run_in(frame.of.as_ref(), &frame.id, &consent::framed_script()).await?;
            walls.extend(consent::walls(&found));
        }
    }
    if !walls.is_empty() {
        tab.settle_after().await?;
    }
    // What a click has not moved away is hidden.
    let frames = hide_frames(tab).await?;
    let others = tab.run(&consent::hiding_script(!frames.is_empty())).await?;
    walls.extend(frames.into_iter().chain(consent::walls(&others)));
    Ok(walls)
}

async fn hide_frames(tab: &mut Tab<'_>) -> Result<Vec<Wall>, Error> {
    let mut hidden = Vec::new();
    for frame in over(tab).await? {
        let said = tab.run_in(frame.of.as_ref(), &frame.id, &consent::about_script()).await?;
        if let Some(by) = said.as_str() {
            tab.session.ask(None, "Runtime.callFunctionOn", on(&frame.element, HIDE)).await?;
            hidden.push(Wall::Hidden { by: format!("a frame of {by}") });
        }
    }
    Ok(hidden)
}

/// The frames directly in the page that lie over it.
async fn over(tab: &mut Tab<'_>) -> Result<Vec<Over>, Error> {
    let main = tab.session.main_frame.clone();
    let tree = tab.session.ask(None, "Page.getFrameTree", json!({})).await?.unwrap_or_default();
    let near = tree["frameTree"]["childFrames"].as_array().into_iter().flatten();
    let near = near.map(|child| (None, text(&child["frame"]["id"])));
    let far = tab.session.frames.iter().map(|frame| (Some(frame.clone()), frame.id.clone()));
    let candidates: Vec<_> = near.chain(far).take(MAX_FRAMES).collect();
    let Some(world) = tab.world(None, &main).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (of, id) in candidates {
        // A frame within another site's frame is none of the page's own, and has no element here.
        let owner = tab.session.ask(None, "DOM.getFrameOwner", json!({ "frameId": id })).await?;
        let Some(owner) = owner else { continue };
        let node = json!({ "backendNodeId": owner["backendNodeId"], "executionContextId": world });
        let element = tab.session.ask(None, "DOM.resolveNode", node).await?.unwrap_or_default();
        let element = element["object"]["objectId"].clone();
        let lies = tab.session.ask(None, "Runtime.callFunctionOn", on(&element, LIES_OVER)).await?;
        if lies.is_some_and(|lies| lies["result"]["value"] == true) {
            found.push(Over { of, id, element });
        }
    }
    Ok(found)
}

fn on(element: &Value, function: &str) -> Value {
    json!({ "objectId": element, "functionDeclaration": function, "returnByValue": true })
}
