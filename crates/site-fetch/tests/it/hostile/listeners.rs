//! Listeners at every address of the namespace. Public ones answer; at the others every connection counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Ports that some row names, and a few that attackers like.
const PORTS: [u16; 8] = [80, 443, 22, 25, 6379, 8000, 8080, 9200];

#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    forbidden: Mutex<Vec<String>>,
}

pub(super) struct Listeners {
    seen: Arc<Seen>,
}

impl Listeners {
    pub(super) fn start(public: &[IpAddr]) -> Self {
        let seen = Arc::new(Seen::default());
        for port in PORTS {
            // Both families: an IPv4 connection arrives with a mapped address.
            let listener = TcpListener::bind(("::", port)).expect("a port of the namespace");
            let (seen, public) = (seen.clone(), public.to_vec());
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let (seen, public) = (seen.clone(), public.clone());
                    thread::spawn(move || arrived(stream, port, &seen, &public));
                }
            });
        }
        Self { seen }
    }

    /// The control: each forbidden listener does see a connection and its bytes when there is one.
    pub(super) fn prove(&self, forbidden: &[IpAddr]) {
        for address in forbidden {
            let mut stream = TcpStream::connect(SocketAddr::new(*address, 80)).expect("a listener");
            stream.write_all(b"control").expect("sent");
            // Ends when the listener has counted and hung up.
            stream.shutdown(std::net::Shutdown::Write).expect("ended");
            let _ = stream.read(&mut [0]);
        }
        let seen = std::mem::take(&mut *self.seen.forbidden.lock().unwrap_or_else(PoisonError::into_inner));
        assert_eq!(seen.len(), forbidden.len(), "{seen:?}");
        assert!(seen.iter().all(|line| line.ends_with(" 7 bytes")), "{seen:?}");
    }

    /// Answers given by public listeners.
    pub(super) fn answered(&self) -> usize {
        self.seen.answered.load(Ordering::SeqCst)
    }

    /// What arrived where nothing may.
    pub(super) fn forbidden(&self) -> Vec<String> {
        self.seen.forbidden.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn arrived(mut stream: TcpStream, port: u16, seen: &Seen, public: &[IpAddr]) {
    let at = stream.local_addr().expect("an address").ip().to_canonical();
    if public.contains(&at) && matches!(port, 80 | 443) {
        let _ = answer(stream, seen);
        return;
    }
    let mut bytes = Vec::new();
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = (&mut stream).take(64).read_to_end(&mut bytes);
    let mut forbidden = seen.forbidden.lock().unwrap_or_else(PoisonError::into_inner);
    forbidden.push(format!("{at} port {port}: {} bytes", bytes.len()));
}

/// `/to?301%68%74…` redirects; anything else, TLS included, is answered as it comes.
fn answer(mut stream: TcpStream, seen: &Seen) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    seen.answered.fetch_add(1, Ordering::SeqCst);
    let path = head.split(' ').nth(1).unwrap_or_default();
    if let Some(query) = path.strip_prefix("/to?") {
        let (status, location) = query.split_at(3);
        let bytes: Vec<u8> = location
            .split('%')
            .skip(1)
            .map(|pair| u8::from_str_radix(pair, 16).expect("two digits"))
            .collect();
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\nLocation: ")?;
        stream.write_all(&bytes)?;
        return stream.write_all(b"\r\n\r\n");
    }
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npublic")
}
