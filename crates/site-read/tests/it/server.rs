//! A small site on loopback, made of a map or of a function.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use site_fetch::{Fetcher, Options};
use site_read::{Archive, Error, Limits, MemoryArchive, Snapshot};
use url::Url;

/// What one path answers.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: format!("Content-Type: {content_type}\r\n"),
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self { status, headers: format!("Location: {to}\r\n"), ..Self::default() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::html("<p>error") }
    }

    /// Closes the connection without a word.
    pub(crate) fn hang_up() -> Self {
        Self::default()
    }

    pub(crate) fn after(self, millis: u64) -> Self {
        Self { delay: Duration::from_millis(millis), ..self }
    }
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub(crate) fn of(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::by_host(move |_, path| answer(path))
    }

    /// Answers by the Host header and the path.
    pub(crate) fn by_host(answer: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(answer, |stream| Box::new(stream))
    }

    fn listen(
        answer: impl Fn(&str, &str) -> Reply + Send + Sync + 'static,
        dress: impl Fn(TcpStream) -> Box<dyn Stream> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let requests = log.clone();
        let (answer, dress) = (Arc::new(answer), Arc::new(dress));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, dress, requests) = (answer.clone(), dress.clone(), requests.clone());
                thread::spawn(move || serve(dress(stream), &requests, answer.as_ref()));
            }
        });
        Self { address, log }
    }

    /// The same over TLS.
    pub(crate) fn over_tls(
        config: Arc<ServerConfig>,
        answer: impl Fn(&str, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(answer, move |stream| {
            let session = ServerConnection::new(config.clone()).expect("the set-up is good");
            Box::new(StreamOwned::new(session, stream))
        })
    }

    /// Paths that are not in the list answer 404.
    pub(crate) fn with(paths: Vec<(&str, Reply)>) -> Self {
        let owned = paths.into_iter().map(|(path, reply)| (path.to_owned(), reply));
        let paths: HashMap<String, Reply> = owned.collect();
        Self::of(move |path| paths.get(path).cloned().unwrap_or_else(|| Reply::status(404)))
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a URL")
    }

    pub(crate) fn hits(&self, path: &str) -> usize {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|asked| *asked == path).count()
    }

    pub(crate) fn requests(&self) -> usize {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn all_requests(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn crawl(&self, limits: &Limits) -> Result<Read, Error> {
        self.crawl_from("/", limits).await
    }

    pub(crate) async fn crawl_from(&self, path: &str, limits: &Limits) -> Result<Read, Error> {
        crawl(&[self.address], &self.url(path), limits).await
    }

    /// Paths of the pages.
    pub(crate) fn paths<'a>(&self, addresses: impl Iterator<Item = &'a String>) -> Vec<String> {
        let origin = format!("http://{}", self.address);
        addresses.map(|address| address.replace(&origin, "")).collect()
    }
}

/// A connection, encrypted or not.
trait Stream: io::Read + Write {}

impl<T: io::Read + Write> Stream for T {}

fn serve(stream: Box<dyn Stream>, log: &Mutex<Vec<String>>, answer: &dyn Fn(&str, &str) -> Reply) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match reader.read_line(&mut head) {
                Ok(n) if n > 0 => {}
                _ => return,
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        log.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let host = lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let reply = answer(host.map_or("", |(_, value)| value), &path);
        if !reply.delay.is_zero() {
            thread::park_timeout(reply.delay);
        }
        let Reply { status, headers, body, .. } = reply;
        if status == 0 {
            return;
        }
        let length = body.len();
        let mut whole =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes();
        whole.extend_from_slice(&body);
        let stream = reader.get_mut();
        if stream.write_all(&whole).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// A snapshot and its bodies.
pub(crate) struct Read {
    pub(crate) snapshot: Snapshot,
    pub(crate) archive: MemoryArchive,
}

impl Read {
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(&self.snapshot).expect("JSON")
    }

    pub(crate) async fn html(&self, url: &Url) -> String {
        let page = self.snapshot.pages.get(url.as_str()).expect("the page");
        let body = self.archive.get(&page.html).await.expect("the body");
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    /// Codes and paths of the findings.
    pub(crate) fn found(&self, code: &str) -> Vec<String> {
        let findings = self.snapshot.findings.iter();
        let wanted = findings.filter(|finding| finding.code == code);
        wanted.map(|finding| finding.url.clone()).collect()
    }
}

pub(crate) async fn crawl(open: &[SocketAddr], start: &Url, limits: &Limits) -> Result<Read, Error> {
    let options = Options { allow: open.to_vec(), retries: 0, ..Options::default() };
    let fetcher = Fetcher::new(options).expect("a fetcher");
    let archive = MemoryArchive::new();
    let snapshot = site_read::crawl(&fetcher, &archive, start, limits, &|_| {}).await?;
    Ok(Read { snapshot, archive })
}
