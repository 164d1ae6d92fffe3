//! Real signals to a real process: this test binary again, told by a variable to be a service.

use service_kit::{Lifecycle, exit};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

const ROLE: &str = "SERVICE_KIT_TEST_ROLE";

/// Not a test by itself: the body of the child process.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    // One thread: a task first runs after `wait` has begun to listen for signals, so "ready" means that it does.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let code = runtime.block_on(async move {
        let lifecycle = Lifecycle::new(Duration::from_secs(60));
        let stop = if role == "stubborn" { lifecycle.killed() } else { lifecycle.stopping() };
        let soft = lifecycle.stopping();
        lifecycle.spawn("service", async move {
            println!("ready");
            soft.cancelled().await;
            println!("stopping");
            stop.cancelled().await;
            println!("stopped");
            Ok(())
        });
        if role == "dying" {
            lifecycle.spawn("dying", async { Err("on purpose".into()) });
        }
        exit::report(lifecycle.wait().await.map_err(anyhow::Error::from))
    });
    // `ExitCode` cannot be asked for its number, so compare.
    std::process::exit(if code == std::process::ExitCode::SUCCESS { 0 } else { 70 });
}

struct Service {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Service {
    fn start(role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "signals::child", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut service = Self { child, lines };
        service.says("ready");
        service
    }

    fn says(&mut self, expected: &str) {
        let said = self.lines.find(|line| line.as_ref().is_ok_and(|line| line.ends_with(expected)));
        assert!(said.is_some(), "it ended without saying {expected:?}");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

#[test]
fn sigterm_and_sigint_stop_in_order_with_zero() {
    for signal in ["-TERM", "-INT"] {
        let mut service = Service::start("obedient");
        service.signal(signal);
        service.says("stopping");
        service.says("stopped");
        assert_eq!(service.code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_what_does_not_stop() {
    let mut service = Service::start("stubborn");
    service.signal("-TERM");
    service.says("stopping");
    service.signal("-TERM");
    service.says("stopped");
    assert_eq!(service.code(), Some(0));
}

#[test]
fn the_death_of_a_task_ends_the_process_with_another_code() {
    assert_eq!(Service::start("dying").code(), Some(70));
}
