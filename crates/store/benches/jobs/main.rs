//! How fast jobs go through, and what one costs: enqueued one by one and in bulk, drained, and timed one at a time, with
//! fences, transitions, announcements and a relay on, as in production.
//!
//!     jobs ours notify|amqp JOBS     one round in one of the two modes
//!     jobs backlog JOBS              claims before a backlog, with the plan
//!     jobs steady SECONDS            enqueued and drained at once, without and with a reader that holds a snapshot
//!
//! `benches/run` starts the servers and runs the peers beside. Figures are printed, never judged.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod backlog;
mod field;
mod machine;
mod ours;
mod steady;

use std::process::ExitCode;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ours", mode, jobs] => ours::run(mode, jobs).await,
        ["backlog", jobs] => backlog::run(jobs).await,
        ["steady", seconds] => steady::run(seconds).await,
        _ => Err("usage: jobs ours notify|amqp JOBS | jobs backlog JOBS | jobs steady SECONDS".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jobs: {error}");
            ExitCode::FAILURE
        }
    }
}
