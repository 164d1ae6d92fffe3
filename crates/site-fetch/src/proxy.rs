//! The guard as an HTTP proxy, for a browser that has no other way out.
//!
//! A browser asks by itself: redirects, parts of a page, scripts' requests. Confined to a namespace without a
//! network it reaches only this proxy's UNIX socket, and here each target goes through the same guard as any
//! fetch: the name is resolved once, every answer is checked, and the connection is made to what was checked.
//! What is refused is answered 403, without a reason that a page could read, and kept for the report.
//!
//! It must never listen where another user could reach it, reuse a connection for a second target, or pass on
//! a request that it did not frame itself. Start at [`Proxy::listen`]; `serve.rs` answers, `meter.rs` bounds.

mod meter;
mod serve;

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use url::Url;

use crate::fetcher::Fetcher;
use meter::Budget;

/// Pause after a failed accept: it fails when descriptors run out, and trying at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Characters that are told of an address that was refused.
const MAX_TARGET: usize = 2000;

/// The bounds of one proxy.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections of the browser served at once; more wait to be accepted.
    pub max_connections: usize,
    /// Bytes of a request's or an answer's head, at least 8192; up to twice as many may be read before one is
    /// refused.
    pub max_head: usize,
    /// Most bytes to and from all targets together; then every connection ends.
    pub max_bytes: u64,
    /// Longest silence of a connection.
    pub idle_timeout: Duration,
    /// How long the proxy serves; then every connection ends.
    pub max_time: Duration,
    /// Different refusals kept for the report.
    pub max_refused: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 64,
            max_head: 64 * 1024,
            max_bytes: 256 * 1024 * 1024,
            idle_timeout: Duration::from_secs(20),
            max_time: Duration::from_secs(120),
            max_refused: 1000,
        }
    }
}

/// What else may not be asked: robots.txt, for one.
///
/// The address of an encrypted request is hidden inside its tunnel; for those only the guard decides here, and
/// whoever drives the browser must hold them against the policy there.
pub trait Policy: Send + Sync {
    /// The rule that forbids this address, if one does.
    fn forbids(&self, url: &Url) -> Option<String>;

    /// Whether requests to this host are the browser's own affair, whatever the address: answered 403, tunnels
    /// too, and not told, since no page asked for them.
    fn ignores(&self, host: &str) -> bool {
        let _ = host;
        false
    }
}

/// Forbids nothing beyond what the guard does.
impl Policy for () {
    fn forbids(&self, _url: &Url) -> Option<String> {
        None
    }
}

/// A target that the browser asked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turned {
    /// What was asked for: an address, or a host and port for a tunnel; the start of it, if it is very long.
    pub target: String,
    /// The rule that refused it.
    pub rule: String,
}

/// A proxy at work. Dropping it ends every connection.
pub struct Proxy {
    shared: Arc<Shared>,
    // Held for its drop, which ends the task and with it all connections.
    _serving: JoinSet<()>,
}

struct Shared {
    fetcher: Fetcher,
    options: Options,
    policy: Arc<dyn Policy>,
    budget: Arc<Budget>,
    refused: Mutex<BTreeSet<Turned>>,
}

impl Proxy {
    /// Listens at `socket`, which must not exist yet, for processes of this user only.
    ///
    /// Must be called inside a tokio runtime. The file is left behind when the proxy ends: put it into a
    /// folder of its own that goes away.
    pub fn listen(
        fetcher: Fetcher,
        socket: &Path,
        options: Options,
        policy: Arc<dyn Policy>,
    ) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
        let owner = std::fs::metadata(socket)?.uid();
        let budget = Arc::new(Budget::new(options.max_bytes));
        let max_time = options.max_time;
        let shared = Arc::new(Shared { fetcher, options, policy, budget, refused: Mutex::default() });
        let mut serving = JoinSet::new();
        let accepting = accept(listener, owner, Arc::clone(&shared));
        serving.spawn(async move {
            // Whether it ended by time makes no difference: nobody is served any longer.
            let _ = tokio::time::timeout(max_time, accepting).await;
        });
        Ok(Self { shared, _serving: serving })
    }

    /// What was refused so far, each once, in order.
    #[must_use]
    pub fn refused(&self) -> Vec<Turned> {
        let refused = self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().cloned().collect()
    }

    /// Bytes sent to and received from targets so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.budget.spent()
    }

    /// Whether the bytes are used up.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.shared.budget.is_exhausted()
    }
}

impl Shared {
    /// Keeps a refusal, once, and says it in the log. A page decides how many there are and how long.
    fn refuse(&self, target: &str, rule: String) {
        let target: String = target.chars().take(MAX_TARGET).collect();
        let turned = Turned { target, rule };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < self.options.max_refused && !refused.contains(&turned) {
            tracing::info!(target = turned.target, rule = turned.rule, "refused a request of the browser");
            refused.insert(turned);
        }
    }
}

async fn accept(listener: UnixListener, owner: u32, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= shared.options.max_connections.max(1) {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) if is_of(&stream, owner) => {
                connections.spawn(serve::connection(Arc::clone(&shared), stream));
            }
            Ok(_) => tracing::warn!("another user came to the browser's proxy and was turned away"),
            Err(error) => {
                tracing::warn!(%error, "the browser's proxy cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of(stream: &UnixStream, owner: u32) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == owner)
}
