//! Processes are started, signalled, and never left behind.

use std::{process::Command, time::Duration};
use testkit::{process::Child, wait};

const BOUND: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("WORD", "from the test");
    command
}

/// The state letter of `/proc`, if the process is there.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

#[tokio::test]
async fn output_is_kept_and_the_end_is_seen() {
    let mut child = Child::spawn("talker", shell("echo \"said $WORD\"; echo aside >&2; exit 3"));
    assert_eq!(child.line("said", BOUND).await, "said from the test");
    assert_eq!(child.exited(BOUND).await.code(), Some(3));
    assert!(child.log().contains("aside"));
    assert!(!child.is_running());
}

#[tokio::test]
async fn a_frozen_process_stands_still_until_it_is_thawed() {
    let mut child = Child::spawn(
        "sleeper",
        shell("trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.05; done"),
    );
    child.line("up", BOUND).await;
    child.freeze();
    let pid = child.pid();
    wait::until_true("the process to stop", BOUND, || async { state(pid) == Some('T') }).await;
    child.terminate();
    assert!(child.is_running());
    child.thaw();
    child.line("asked", BOUND).await;
    assert!(child.exited(BOUND).await.success());
}

#[tokio::test]
async fn what_is_dropped_is_gone() {
    let mut child = Child::spawn("stubborn", shell("trap '' TERM; echo up; while :; do sleep 1; done"));
    child.line("up", BOUND).await;
    let pid = child.pid();
    drop(child);
    assert_eq!(state(pid), None);
}
