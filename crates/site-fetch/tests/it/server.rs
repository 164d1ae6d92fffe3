//! A server that answers what a test tells it, byte for byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use site_fetch::{Fetcher, Options};
use url::Url;

/// What the server does with a request for a path.
pub(crate) type Answer = dyn Fn(&str, &mut TcpStream) -> std::io::Result<()> + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves until the test process ends; one request per connection.
    pub(crate) fn start(
        answer: impl Fn(&str, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                thread::spawn(move || serve(stream, &log, answer.as_ref()));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        let text = format!("http://{}{path}", self.address);
        Url::parse(&text).expect("a URL")
    }

    /// The requests so far, head and all.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.clone()
    }

    /// How often a path was asked for.
    pub(crate) fn hits(&self, path: &str) -> usize {
        let start = format!("GET {path} ");
        let requests = self.requests();
        requests.iter().filter(|head| head.starts_with(&start)).count()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>, answer: &Answer) {
    let mut head = String::new();
    let Ok(clone) = stream.try_clone() else { return };
    let mut reader = BufReader::new(clone);
    while !head.ends_with("\r\n\r\n") {
        match reader.read_line(&mut head) {
            Ok(n) if n > 0 => {}
            _ => return,
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    // The client may hang up in the middle: that is what several tests are about.
    let _ = answer(&path, &mut stream);
}

/// Writes a whole answer.
pub(crate) fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n")?;
    stream.write_all(body)
}

/// A listener at which nothing may arrive.
pub(crate) struct Forbidden(TcpListener);

impl Forbidden {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("nonblocking");
        Self(listener)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// Loopback connections are complete when `connect` returns, so one that was made is seen here.
    pub(crate) fn assert_untouched(&self) {
        let found = self.0.accept().map(|(_, from)| from);
        let kind = found.expect_err("a connection was made").kind();
        assert_eq!(kind, std::io::ErrorKind::WouldBlock);
    }
}

/// A fetcher to which these addresses are open.
pub(crate) fn fetcher(open: &[SocketAddr]) -> Fetcher {
    Fetcher::new(options(open)).expect("a fetcher")
}

pub(crate) fn options(open: &[SocketAddr]) -> Options {
    Options { allow: open.to_vec(), backoff: std::time::Duration::from_millis(5), ..Options::default() }
}
