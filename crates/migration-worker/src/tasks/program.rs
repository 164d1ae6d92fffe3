//! A program that is given the envelope on its standard input and answers on its standard output. How it is confined is
//! its command's matter.

use super::executor::{self, Envelope};
use domain::{Failure, failure::Reason};
use futures::future::{Either, select};
use serde_json::Value;
use site_read::render::{End, Kept};
use std::{
    pin::pin,
    process::{Command, Stdio},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStdin, ChildStdout},
};

/// `EX_DATAERR` of sysexits(3): this input cannot be worked with.
const CANNOT_PASS: i32 = 65;
/// `EX_TEMPFAIL`: try again later.
const LATER: i32 = 75;
/// Characters of what a failed program said.
const LONGEST_TOLD: usize = 300;

/// Bounds of a program.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The longest result, in bytes.
    pub(super) max_result: u32,
    /// What it and all that it starts may take, in bytes.
    pub(super) memory: u64,
}

/// Runs it to its end. Dropping the future ends the program with all that descends from it.
pub(super) async fn run(
    mut command: Command,
    envelope: &Envelope<'_>,
    bounds: Bounds,
) -> Result<Value, Failure> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let (kept, ends) = Kept::start(command, bounds.memory).await.map_err(|error| broken(&error))?;
    let (Some(to), Some(from)) = (ends.to, ends.from) else {
        return Err(broken(&"it has no pipes"));
    };
    let mut to = ChildStdin::from_std(to).map_err(|error| broken(&error))?;
    let from = ChildStdout::from_std(from).map_err(|error| broken(&error))?;
    let given = envelope.bytes();
    let giving = async move {
        // A program may end without having read it all.
        let _ = to.write_all(&given).await;
        drop(to);
    };
    // One byte more than allowed tells that there is too much.
    let mut said = Vec::new();
    let mut bounded = from.take(u64::from(bounds.max_result) + 1);
    let reading = bounded.read_to_end(&mut said);
    // What it says decides, whether it reads or not.
    let read = match select(pin!(reading), pin!(giving)).await {
        Either::Left((read, _)) => read,
        Either::Right(((), reading)) => reading.await,
    };
    read.map_err(|error| broken(&error))?;
    if said.len() > bounds.max_result as usize {
        kept.end().await;
        return Err(executor::too_large(bounds.max_result));
    }
    judge(kept.ended().await, &said, bounds)
}

fn judge(end: End, said: &[u8], bounds: Bounds) -> Result<Value, Failure> {
    if end.outgrown {
        let told = format!("The program took more than {} bytes of memory and was ended.", bounds.memory);
        return Err(Failure::of(Reason::Internal, "task_outgrew_memory", told));
    }
    let failed = |reason, code: &str, what: &str| {
        let said: String = String::from_utf8_lossy(said).trim().chars().take(LONGEST_TOLD).collect();
        let told = if said.is_empty() { format!("{what}.") } else { format!("{what}: {said}") };
        Err(Failure::of(reason, code, told))
    };
    match end.status.and_then(|status| status.code()) {
        Some(0) => executor::result(said, bounds.max_result),
        Some(CANNOT_PASS) => {
            failed(Reason::InvalidInput, "task_refused", "The program does not take this job")
        }
        Some(LATER) => failed(Reason::RateLimited, "task_busy", "The program asks to be tried again later"),
        Some(code) => {
            failed(Reason::Internal, "task_failed", &format!("The program ended with status {code}"))
        }
        None => failed(Reason::Internal, "task_failed", "The program was ended by a signal"),
    }
}

fn broken(why: &dyn std::fmt::Display) -> Failure {
    tracing::error!(%why, "a program cannot be run");
    Failure::may_pass(
        "task_not_started",
        "The program of this kind could not be run; the operator has to look.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

    #[test]
    fn each_end_has_its_reason() {
        let bounds = Bounds { max_result: 100, memory: 7 };
        let ended = |raw: i32| End { outgrown: false, status: Some(ExitStatus::from_raw(raw)) };
        assert_eq!(judge(ended(0), b"7", bounds), Ok(Value::from(7)));
        for (end, reason, code) in [
            (ended(65 << 8), Reason::InvalidInput, "task_refused"),
            (ended(75 << 8), Reason::RateLimited, "task_busy"),
            (ended(1 << 8), Reason::Internal, "task_failed"),
            (ended(9), Reason::Internal, "task_failed"),
            (End { outgrown: true, status: None }, Reason::Internal, "task_outgrew_memory"),
        ] {
            let failure = judge(end, b"no such file", bounds).expect_err("it failed");
            assert_eq!((failure.reason, failure.code.as_str()), (reason, code));
            assert_eq!(failure.message.contains("no such file"), !end.outgrown, "{failure:?}");
        }
    }
}
