//! The project, answering at its server's socket: HTTP by hand over, one connection for each request, everything bounded.

use std::{
    io,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION},
};
use hyper_util::rt::TokioIo;
use site_read::same_origin;
use tokio::{net::UnixStream, time::timeout};
use url::Url;

use super::original::{Answer, Form, Original};

/// The largest answer in bytes.
const LARGEST: usize = 64 * 1024 * 1024;
/// Longest wait for one.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Copy<'a> {
    socket: PathBuf,
    home: &'a Url,
    /// What is of another site is the same for both sides.
    elsewhere: &'a Original<'a>,
}

impl<'a> Copy<'a> {
    pub(super) fn of(socket: &Path, home: &'a Url, elsewhere: &'a Original<'a>) -> Self {
        Self { socket: socket.to_owned(), home, elsewhere }
    }

    /// Where the project has a path, if it stood where the site stands.
    pub(super) fn address(&self, path: &str) -> Result<Url, url::ParseError> {
        self.home.join(path)
    }

    /// The path and query of an address of the project; the address itself if it is of another site.
    pub(super) fn path<'u>(&self, url: &'u Url) -> &'u str {
        let own = url.host_str() == self.home.host_str() && url.port() == self.home.port();
        if own { &url[url::Position::BeforePath..url::Position::AfterQuery] } else { url.as_str() }
    }

    pub(super) async fn answer(&self, url: &Url, headers: &[(String, String)]) -> io::Result<Option<Answer>> {
        if !same_origin(url, self.home) {
            return self.elsewhere.answer(url, Form::Shown).await;
        }
        self.get(self.path(url), headers).await.map(Some)
    }

    /// Asks the server for a path, without following.
    pub(super) async fn get(&self, path: &str, headers: &[(String, String)]) -> io::Result<Answer> {
        let patience = timeout(PATIENCE, self.exchange(path, headers)).await;
        patience.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn exchange(&self, path: &str, headers: &[(String, String)]) -> io::Result<Answer> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = self.request(path, headers)?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(io::Error::other)?.to_bytes();
            let text = |name: HeaderName| {
                let value = head.headers.get(name).and_then(|value| value.to_str().ok());
                value.unwrap_or_default().to_owned()
            };
            let (content_type, location) = (text(CONTENT_TYPE), text(LOCATION));
            Ok(Answer { status: head.status.as_u16(), content_type, location, body })
        };
        let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
        let mut open = true;
        loop {
            tokio::select! {
                done = &mut exchange => return done,
                // What it brought before it closed is still to be read.
                _ = &mut connection, if open => open = false,
            }
        }
    }

    fn request(&self, path: &str, headers: &[(String, String)]) -> io::Result<Request<Empty<Bytes>>> {
        let host = &self.home[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = Request::get(path).header(HOST, host).header(CONNECTION, "close");
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) else {
                continue;
            };
            request = request.header(name, value);
        }
        request.body(Empty::new()).map_err(io::Error::other)
    }
}
