//! Clocks that are wrong: a process sees the wall clock some time ahead or behind, by Debian's libfaketime, while the
//! machine's stays as it is. Its monotonic clock is left alone, as a wrong wall clock leaves it.

use crate::process::find_program;
use std::{path::PathBuf, process::Command};

const LIBRARY: &str = "libfaketimeMT.so.1";

/// Lets the command, and all that it starts, see a wall clock that is so many seconds ahead; behind, if negative.
pub fn skew(command: &mut Command, seconds: i64) {
    command
        .env("LD_PRELOAD", find_program(LIBRARY, &folders()))
        .env("FAKETIME", format!("{seconds:+}s"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1");
}

/// What the library keeps for a process, and leaves behind when that is killed.
pub(crate) fn forget(pid: u32) {
    for name in [format!("faketime_shm_{pid}"), format!("sem.faketime_sem_{pid}")] {
        // Most processes' clocks are right.
        let _none = std::fs::remove_file(PathBuf::from("/dev/shm").join(name));
    }
}

/// Debian has a folder for each architecture.
fn folders() -> Vec<PathBuf> {
    let within = |folder: &str| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let found = within("/usr/lib").chain(within("/usr/local")).map(|entry| entry.path().join("faketime"));
    found.chain([PathBuf::from("/usr/lib/faketime")]).collect()
}
