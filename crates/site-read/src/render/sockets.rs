//! Web sockets of the page's own host, held against its robots.txt.
//!
//! Nobody but the page sees where one leads: the proxy sees a tunnel, and the browser asks nobody before it opens one. So
//! each part of the page gets a `WebSocket` that asks first, by a request that never leaves the browser: the session
//! answers it. It is there for manners, not for safety, which is the guard's; a site that outwits it breaks its own rules.
//! Where robots.txt forbids nothing, pages keep the `WebSocket` that they have.

use serde_json::{Value, json};
use url::Url;

const SCRIPT: &str = include_str!("sockets.js");
/// The path of a question, with the socket's address in its query.
const PATH: &str = "/.resettle-web-socket";
/// Where a socket that is not allowed leads: nowhere, by the name that is never given (RFC 6761).
const NOWHERE: &str = "resettle-refused.invalid";

/// Whether this is the host that stands for a refusal.
pub(super) fn is_nowhere(host: &str) -> bool {
    host == NOWHERE
}

/// What makes every part of a page ask before it opens a socket to this host.
pub(super) fn script(host: &str) -> String {
    format!("({SCRIPT})({}, {}, {})", json!(host), json!(PATH), json!(format!("wss://{NOWHERE}/")))
}

/// The commands that put the script into a part of a page: into its documents to come, and into a worker that waits.
pub(super) fn put(script: &str) -> [(&'static str, Value); 3] {
    [
        // Without it the next one has no effect.
        ("Page.enable", json!({})),
        ("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })),
        ("Runtime.evaluate", json!({ "expression": script })),
    ]
}

/// The address of the socket that a request asks about, if it is such a question.
pub(super) fn asked_about(question: &str) -> Option<Url> {
    let question = Url::parse(question).ok().filter(|url| url.path() == PATH)?;
    let (_, socket) = question.query_pairs().find(|(name, _)| name == "socket")?;
    Url::parse(&socket).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_a_socket_and_nothing_else_is_one() {
        let asked =
            asked_about("https://e.com:8443/.resettle-web-socket?socket=wss%3A%2F%2Fe.com%2Fa%3Fb%3D1");
        assert_eq!(asked.map(String::from).as_deref(), Some("wss://e.com/a?b=1"));
        for other in ["https://e.com/?socket=wss://e.com", "https://e.com/.resettle-web-socket", "x"] {
            assert_eq!(asked_about(other), None, "{other}");
        }
    }
}
