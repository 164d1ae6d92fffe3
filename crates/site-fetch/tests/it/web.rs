//! A real HTTP server, plain or over TLS, HTTP/1.1 or HTTP/2, that counts connections and body bytes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Answer = dyn Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync;

/// What the server has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) body_bytes: AtomicUsize,
    /// The names that clients sent in TLS.
    pub(crate) names: Mutex<Vec<Option<String>>>,
    pub(crate) requests: Mutex<Vec<String>>,
}

impl Seen {
    /// Method, version, path and the headers named here, one line a request.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn names(&self) -> Vec<Option<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Serves on a thread of its own until the test process ends.
pub(crate) fn start(
    tls: Option<ServerConfig>,
    answer: impl Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync + 'static,
) -> (SocketAddr, Arc<Seen>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("nonblocking");
    let address = listener.local_addr().expect("an address");
    let seen = Arc::new(Seen::default());
    let shared = seen.clone();
    let answer: Arc<Answer> = Arc::new(answer);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, accept(listener, tls, shared, answer));
    });
    (address, seen)
}

async fn accept(
    listener: std::net::TcpListener,
    tls: Option<ServerConfig>,
    seen: Arc<Seen>,
    answer: Arc<Answer>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let (seen, answer, acceptor) = (seen.clone(), answer.clone(), acceptor.clone());
        tokio::task::spawn_local(async move {
            let Some(acceptor) = acceptor else {
                return serve(stream, false, seen, answer).await;
            };
            if let Ok(stream) = acceptor.accept(stream).await {
                let session = stream.get_ref().1;
                let name = session.server_name().map(str::to_owned);
                seen.names.lock().unwrap_or_else(PoisonError::into_inner).push(name);
                let is_h2 = session.alpn_protocol() == Some(b"h2");
                serve(stream, is_h2, seen, answer).await;
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    is_h2: bool,
    seen: Arc<Seen>,
    answer: Arc<Answer>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request);
        let mut line = format!("{:?} {}", request.version(), request.uri().path());
        for (name, value) in request.headers() {
            line.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        seen.requests.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let bytes = hyper::body::Body::size_hint(response.body()).exact().unwrap_or(0);
        seen.body_bytes.fetch_add(bytes as usize, Ordering::SeqCst);
        async move { Ok::<_, Infallible>(response) }
    });
    // The client may hang up in the middle: that is what some tests are about.
    let _ = if is_h2 {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(stream), service).await
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    };
}

/// An answer with these headers.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body.into())).expect("an answer")
}
