//! How fast events reach those who listen, and what a silent listener costs, beside nginx with nchan.
//!
//!     sse all [ours|nchan]     every case; both in turn without a name
//!     sse idle [notify|amqp]   what 10,000 silent streams of ours cost, by either bell; both in turn without a name
//!     sse listen               the client: a process of its own, told on its standard input what to do
//!
//! Everything runs on loopback. The figures are printed, never judged: `make bench-sse` is for people.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]
#![expect(clippy::disallowed_methods, reason = "no service: whoever runs it sees it stop")]

mod cases;
mod listen;
mod memory;
mod nchan;
mod ours;
mod pack;

use ours::Ring;
use std::process::ExitCode;

/// Whatever goes wrong ends the measurement with its words.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let done = runtime.block_on(async {
        match words.as_slice() {
            ["listen"] => listen::run().await,
            ["all"] => match cases::run_ours().await {
                Ok(()) => cases::run_nchan().await,
                wrong => wrong,
            },
            ["all", "ours"] => cases::run_ours().await,
            ["all", "nchan"] => cases::run_nchan().await,
            ["idle"] => match cases::run_idle(Ring::Notify).await {
                Ok(()) => cases::run_idle(Ring::Amqp).await,
                wrong => wrong,
            },
            ["idle", "notify"] => cases::run_idle(Ring::Notify).await,
            ["idle", "amqp"] => cases::run_idle(Ring::Amqp).await,
            _ => Err("usage: sse all [ours|nchan] | sse idle [notify|amqp] | sse listen".into()),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("sse: {error}");
    ExitCode::FAILURE
}

/// Nanoseconds since the Unix epoch: one clock for all processes of a machine.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos() as u64
}
