//! The client: opens streams, reads them, and notes when each event came.
//!
//! Commands come line by line: `open ADDRESS FILE` (FILE holds a request's head for each stream, with blank lines
//! between), `report FILE` (FILE holds, line by line, an event's mark and the time from which its delivery counts;
//! what came is forgotten afterwards), `forget`, `stall` (the first stream is not read any more). Each is answered by
//! one line of JSON.

use crate::{Result, now};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

/// What an event's time of writing stands behind, in its data.
pub(crate) const MARK: &str = "\"sentNs\":";
/// Connections that are being opened at once.
const OPENING: usize = 200;
/// Arrivals whose times are kept.
const MOST: usize = 8_000_000;

#[derive(Default)]
struct Heard {
    /// An event's mark, and when it came.
    arrivals: Mutex<Vec<(u64, u64)>>,
    delivered: AtomicU64,
    open: AtomicU64,
    closed: AtomicU64,
    stalled: AtomicBool,
}

pub(crate) async fn run() -> Result<()> {
    let heard = Arc::new(Heard::default());
    while let Some(line) = next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["open", address, file] => open(&heard, address.parse()?, file).await?,
            ["report", file] => report(&heard, file)?,
            ["forget"] => {
                taken(&heard);
                json!({})
            }
            ["stall"] => {
                heard.stalled.store(true, Ordering::Relaxed);
                json!({})
            }
            _ => return Err(format!("an unknown command: {line}").into()),
        };
        println!("{answer}");
    }
    Ok(())
}

/// The next command, read where it holds up no stream.
async fn next_line() -> Result<Option<String>> {
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await?;
    Ok(line.transpose()?)
}

async fn open(heard: &Arc<Heard>, address: SocketAddr, file: &str) -> Result<Value> {
    let heads = std::fs::read_to_string(file)?;
    let turns = Arc::new(Semaphore::new(OPENING));
    let mut opening = Vec::new();
    for (number, head) in heads.split("\n\n").filter(|head| !head.is_empty()).enumerate() {
        let (heard, turns) = (Arc::clone(heard), Arc::clone(&turns));
        let head = format!("{}\r\n\r\n", head.replace('\n', "\r\n"));
        opening.push(tokio::spawn(async move {
            let _turn = turns.acquire().await?;
            let stream = begin(address, &head).await?;
            heard.open.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                read(&heard, stream, number == 0).await;
                heard.closed.fetch_add(1, Ordering::Relaxed);
            });
            Result::<()>::Ok(())
        }));
    }
    for one in opening {
        one.await??;
    }
    Ok(json!({"open": heard.open.load(Ordering::Relaxed)}))
}

/// Sends a request and reads the answer up to the end of its head.
async fn begin(address: SocketAddr, head: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    if !answer.starts_with(b"HTTP/1.1 200") {
        return Err(String::from_utf8_lossy(&answer).into_owned().into());
    }
    Ok(stream)
}

async fn read(heard: &Heard, stream: TcpStream, first: bool) {
    // Lives only between two waits: a silent stream costs the client nothing.
    let mut rest: Vec<u8> = Vec::new();
    while stream.readable().await.is_ok() {
        if first && heard.stalled.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let mut bytes = [0; 16 * 1024];
        match stream.try_read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => rest.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => return,
        }
        take(heard, &mut rest);
    }
}

/// Notes the events of all whole lines, and keeps the last one if it is not whole.
fn take(heard: &Heard, rest: &mut Vec<u8>) {
    let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { return };
    let (text, came) = (String::from_utf8_lossy(&rest[..=end]), now());
    let marks: Vec<(u64, u64)> = text
        .split(MARK)
        .skip(1)
        .filter_map(|after| Some((after.split([',', '}']).next()?.trim().parse().ok()?, came)))
        .collect();
    heard.delivered.fetch_add(marks.len() as u64, Ordering::Relaxed);
    let mut arrivals = heard.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
    let room = MOST.saturating_sub(arrivals.len()).min(marks.len());
    arrivals.extend_from_slice(&marks[..room]);
    drop(arrivals);
    rest.drain(..=end);
    if rest.is_empty() {
        *rest = Vec::new();
    }
}

fn taken(heard: &Heard) -> Vec<(u64, u64)> {
    heard.delivered.store(0, Ordering::Relaxed);
    std::mem::take(&mut *heard.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
}

fn report(heard: &Heard, file: &str) -> Result<Value> {
    let mut counts_from: HashMap<u64, u64> = HashMap::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let (mark, from) = line.split_once(' ').ok_or("a mark and a time")?;
        counts_from.insert(mark.parse()?, from.parse()?);
    }
    let (delivered, closed) = (heard.delivered.load(Ordering::Relaxed), heard.closed.load(Ordering::Relaxed));
    let arrivals = taken(heard);
    let (first, last) = (
        counts_from.values().min().copied().unwrap_or_default(),
        arrivals.iter().map(|(_, came)| *came).max().unwrap_or_default(),
    );
    let mut times: Vec<u64> = arrivals
        .iter()
        .filter_map(|(mark, came)| Some(came.saturating_sub(*counts_from.get(mark)?)))
        .collect();
    times.sort_unstable();
    let at = |part: f64| times.get(((times.len() as f64 - 1.0).max(0.0) * part) as usize).copied();
    Ok(json!({
        "delivered": delivered, "closed": closed, "seconds": last.saturating_sub(first) as f64 / 1e9,
        "p50": at(0.5), "p99": at(0.99), "most": at(1.0),
    }))
}
