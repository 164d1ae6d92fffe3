//! One connection of the browser: tunnels by CONNECT, and plain requests in absolute form.
//!
//! A plain request is checked and gets a connection of its own, also when the browser keeps its side open: a
//! checked connection never serves another target. Heads and bodies are parsed and written anew by hyper, so
//! that no two readers can disagree about where a request ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri, client, server};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use url::Url;

use super::Shared;
use super::meter::Metered;
use crate::error::Error;

/// Header fields of one head.
const MAX_FIELDS: usize = 200;

/// What concerns one connection only and must not be passed on, beside what `Connection` names.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("proxy-connection"),
];

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// A tunnel that begins when the answer to CONNECT is out.
struct Tunnel {
    browser: OnUpgrade,
    target: Metered,
}

/// Why a request is not carried out.
enum No {
    /// Not a request that a proxy takes.
    Malformed(&'static str),
    /// A rule stands against it.
    Refused(String),
    /// Nobody's business but the browser's.
    Ignored,
    /// The target cannot be reached.
    Unreachable(String),
}

pub(super) async fn connection(shared: Arc<Shared>, stream: UnixStream) {
    let tunnel = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (shared, tunnel) = (Arc::clone(&shared), Arc::clone(&tunnel));
        async move { Ok::<_, Infallible>(answer(&shared, &tunnel, request).await) }
    });
    let options = &shared.options;
    let served = server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.idle_timeout)
        .max_buf_size(options.max_head.max(8192))
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection of the browser ended early");
    }
    let opened = tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Tunnel { browser, mut target }) = opened
        && let Ok(browser) = browser.await
    {
        // How it ends is the affair of its two ends.
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(browser), &mut target).await;
    }
}

async fn answer(shared: &Shared, tunnel: &Mutex<Option<Tunnel>>, mut request: Request<Incoming>) -> Answer {
    let asked = request.uri().to_string();
    let outcome = if request.method() == Method::CONNECT {
        let browser = hyper::upgrade::on(&mut request);
        open(shared, request.uri()).await.map(|target| {
            let mut slot = tunnel.lock().unwrap_or_else(PoisonError::into_inner);
            *slot = Some(Tunnel { browser, target });
            says(StatusCode::OK, "")
        })
    } else {
        forward(shared, request).await
    };
    // A page can read what comes back for its own name: it is told no reason, which would hold the address that the
    // name has here.
    outcome.unwrap_or_else(|no| match no {
        No::Malformed(why) => says(StatusCode::BAD_REQUEST, why),
        No::Unreachable(why) => {
            tracing::debug!(why, "a target of the browser cannot be reached");
            says(StatusCode::BAD_GATEWAY, "")
        }
        No::Ignored => says(StatusCode::FORBIDDEN, ""),
        No::Refused(rule) => {
            shared.refuse(&asked, rule);
            says(StatusCode::FORBIDDEN, "")
        }
    })
}

/// The connection of a tunnel. Its bytes stay the browser's secret; where they go does not.
async fn open(shared: &Shared, uri: &Uri) -> Result<Metered, No> {
    let authority = uri.authority().filter(|authority| authority.port().is_some());
    let authority = authority.ok_or(No::Malformed("CONNECT takes a host and a port"))?;
    let url = Url::parse(&format!("https://{authority}/"));
    dial(shared, &url.map_err(|_| No::Malformed("not a host and a port"))?).await
}

async fn forward(shared: &Shared, request: Request<Incoming>) -> Result<Answer, No> {
    if request.uri().scheme_str() != Some("http") {
        return Err(No::Malformed("a proxy takes absolute http addresses and CONNECT"));
    }
    let url = Url::parse(&request.uri().to_string()).map_err(|_| No::Malformed("not an address"))?;
    if request.headers().contains_key(header::UPGRADE) {
        return Err(No::Refused("protocols are not changed outside a tunnel".to_owned()));
    }
    if let Some(rule) = shared.policy.forbids(&url) {
        return Err(No::Refused(rule));
    }
    let target = dial(shared, &url).await?;
    let (mut sender, exchange) = client::conn::http1::Builder::new()
        .max_buf_size(shared.options.max_head.max(8192))
        .max_headers(MAX_FIELDS)
        .handshake(TokioIo::new(target))
        .await
        .map_err(|error| No::Unreachable(error.to_string()))?;
    let mut driving = JoinSet::new();
    driving.spawn(async move {
        // Its failure is the request's or the body's, and told there.
        let _ = exchange.await;
    });
    let answer = sender.send_request(own(request, &url)?).await;
    let answer = answer.map_err(|error| No::Unreachable(error.to_string()))?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(No::Unreachable("the server changed the protocol unasked".to_owned()));
    }
    let (mut head, body) = answer.into_parts();
    strip(&mut head.headers);
    Ok(Response::from_parts(head, Driven { body, _driving: driving }.boxed()))
}

/// The same request as it goes to the target: origin form, its Host from its address, framed anew.
fn own(request: Request<Incoming>, url: &Url) -> Result<Request<Incoming>, No> {
    let (mut head, body) = request.into_parts();
    let path = url[url::Position::BeforePath..url::Position::AfterQuery].parse::<Uri>();
    head.uri = path.map_err(|_| No::Malformed("not a path"))?;
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let host = HeaderValue::from_str(host).map_err(|_| No::Malformed("not a host"))?;
    strip(&mut head.headers);
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::HOST, host);
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(Request::from_parts(head, body))
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

async fn dial(shared: &Shared, url: &Url) -> Result<Metered, No> {
    if shared.budget.is_exhausted() {
        return Err(No::Refused("the bytes of this page are used up".to_owned()));
    }
    if url.host_str().is_some_and(|host| shared.policy.ignores(host)) {
        return Err(No::Ignored);
    }
    let target = shared.fetcher.target(url).await.map_err(|error| match error {
        Error::Refused(refused) => No::Refused(refused.to_string()),
        other => No::Unreachable(other.to_string()),
    })?;
    let limit = shared.fetcher.options().connect_timeout;
    let addresses: &[SocketAddr] = &target.addresses;
    let stream = tokio::time::timeout(limit, TcpStream::connect(addresses)).await;
    let stream = stream.map_err(|_| No::Unreachable(format!("{} took too long", target.host)))?;
    let stream = stream.map_err(|error| No::Unreachable(error.to_string()))?;
    // Small writes of a handshake should not wait for one another; without it they only do.
    let _ = stream.set_nodelay(true);
    Ok(Metered::new(stream, Arc::clone(&shared.budget), shared.options.idle_timeout))
}

fn says(status: StatusCode, text: &'static str) -> Answer {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = status;
    answer
}

/// A body together with the connection that it comes from: one ends with the other.
struct Driven {
    body: Incoming,
    _driving: JoinSet<()>,
}

impl Body for Driven {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
