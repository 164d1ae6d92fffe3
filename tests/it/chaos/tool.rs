//! What does the chores: an endpoint outside the system that does a thing once per idempotency key, refuses who comes with
//! an older epoch than it has seen, and keeps a log of what it was asked and what it did. It fails and hangs when it is told to.

use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{Error, ErrorKind, Result},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::sleep,
};

pub(crate) const KIND: &str = "chore";
/// No request of ours is longer.
const LONGEST: usize = 64 * 1024;

/// The endpoint; it serves until it is dropped.
pub(crate) struct Tool {
    url: String,
    timeout: Duration,
    diary: Arc<Mutex<Diary>>,
    serving: AbortHandle,
}

/// What it was asked, what it did, and what is to go wrong.
#[derive(Default)]
struct Diary {
    asked: Vec<Asked>,
    /// By idempotency key: whose effect, and its number.
    effects: BTreeMap<String, (String, usize)>,
    /// So many of the next calls are answered too late.
    hangs: u32,
    /// So many of the next calls are answered with a fault.
    fails: u32,
    /// How long each piece of work takes, and how long one that comes too late.
    pace: Duration,
    too_long: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    job_id: String,
    epoch: i64,
}

/// What is answered to one call.
enum Answer {
    Done(usize),
    DoneTooLate,
    Fault,
    Stale,
}

impl Tool {
    /// Each piece of work takes as long as `pace`; an attempt that takes longer than `timeout` is ended by its worker.
    pub(crate) async fn serve(pace: Duration, timeout: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        let diary = Arc::new(Mutex::new(Diary { pace, too_long: timeout * 2, ..Diary::default() }));
        let shared = Arc::clone(&diary);
        #[expect(clippy::disallowed_methods, reason = "aborted when the tool is dropped")]
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let diary = Arc::clone(&shared);
                #[expect(clippy::disallowed_methods, reason = "ends with its connection")]
                tokio::spawn(async move {
                    // An error is a caller that has gone.
                    let _gone = exchange(stream, &diary).await;
                });
            }
        });
        Self { url, timeout, diary, serving: serving.abort_handle() }
    }

    /// The kind, as a worker's configuration has it.
    pub(crate) fn kind(&self, concurrency: u32) -> String {
        format!(
            "[jobs.kinds.{KIND}]\nexecutor = \"http\"\nurl = \"{}\"\nsecret = \"a secret of 24 or more characters\"\n\
             timeout = \"{}ms\"\nmax_attempts = 8\nconcurrency = {concurrency}\n",
            self.url,
            self.timeout.as_millis()
        )
    }

    pub(crate) fn hang(&self, calls: u32) {
        self.diary().hangs += calls;
    }

    pub(crate) fn fail(&self, calls: u32) {
        self.diary().fails += calls;
    }

    /// Was each attempt at this job made once, and its work done once, and is that its result? `epoch` is the job's.
    pub(crate) fn check(
        &self,
        job: &str,
        epoch: i64,
        result: Option<&Value>,
    ) -> std::result::Result<(), String> {
        let diary = self.diary();
        let mut epochs: Vec<i64> =
            diary.asked.iter().filter(|asked| asked.job_id == job).map(|asked| asked.epoch).collect();
        epochs.sort_unstable();
        let all = epochs.len();
        epochs.dedup();
        if epochs.len() != all || epochs.last().is_some_and(|last| *last > epoch) {
            return Err(format!("the tool was called {all} times for epochs {epochs:?} of {epoch}"));
        }
        let effects: Vec<usize> =
            diary.effects.values().filter(|(whose, _)| whose == job).map(|(_, effect)| *effect).collect();
        match (result, effects.as_slice()) {
            (None, [] | [_]) => Ok(()),
            (Some(result), [effect]) if *result == json!({"effect": effect}) => Ok(()),
            _ => Err(format!("its result is {result:?}, and the tool's effects are {effects:?}")),
        }
    }

    fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().expect("nobody panics while holding it")
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Diary {
    fn take(&mut self, asked: Asked, key: &str) -> Answer {
        let newest = self.asked.iter().filter(|one| one.job_id == asked.job_id).map(|one| one.epoch).max();
        let stale = newest.is_some_and(|newest| newest > asked.epoch);
        let whose = asked.job_id.clone();
        self.asked.push(asked);
        if stale {
            return Answer::Stale;
        }
        if self.fails > 0 {
            self.fails -= 1;
            return Answer::Fault;
        }
        let next = self.effects.len();
        let (_, effect) = self.effects.entry(key.to_owned()).or_insert((whose, next));
        let effect = *effect;
        if self.hangs > 0 {
            self.hangs -= 1;
            return Answer::DoneTooLate;
        }
        Answer::Done(effect)
    }
}

async fn exchange(mut stream: TcpStream, diary: &Mutex<Diary>) -> Result<()> {
    let (head, body) = request(&mut stream).await?;
    let key =
        head.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap_or_default().to_owned();
    let asked: Asked = serde_json::from_slice(&body)?;
    let (answer, pace, too_long) = {
        let mut diary = diary.lock().expect("nobody panics while holding it");
        (diary.take(asked, &key), diary.pace, diary.too_long)
    };
    let (status, body) = match answer {
        Answer::Done(effect) => {
            sleep(pace).await;
            ("200 OK", json!({"effect": effect}).to_string())
        }
        Answer::DoneTooLate => {
            sleep(too_long).await;
            return Ok(());
        }
        Answer::Fault => ("500 Internal Server Error", String::new()),
        Answer::Stale => ("409 Conflict", String::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

/// Head, in lower case, and body.
async fn request(stream: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let body = &bytes[end + 4..];
            if length.is_some_and(|length| body.len() >= length) {
                return Ok((head, body.to_owned()));
            }
        }
        if bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
            return Err(Error::from(ErrorKind::InvalidData));
        }
    }
}
