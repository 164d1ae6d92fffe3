//! Real signals to a real process: this test binary again, told by a variable to be a service.

use futures::FutureExt;
use service_kit::{Lifecycle, Signals, exit};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, ExitCode, Stdio},
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
        let lifecycle = match role.as_str() {
            "starting" | "busy" => {
                let signals = Signals::listen().expect("signals can be heard");
                Lifecycle::heeding(signals, Duration::from_secs(60))
            }
            _ => Lifecycle::new(Duration::from_secs(60)),
        };
        if role == "starting" {
            let work = async { println!("ready") }.then(|()| std::future::pending::<()>());
            let stopped = lifecycle.starting(work).await.is_none();
            assert!(stopped && lifecycle.stopping().is_cancelled());
            println!("stopped");
            return ExitCode::SUCCESS;
        }
        if role == "busy" {
            assert_eq!(lifecycle.starting(async { 7 }).await, Some(7));
            println!("ready");
            // It does not come to listen until it has read a line: the signal is there first.
            std::io::stdin().read_line(&mut String::new()).expect("a line");
        }
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
    std::process::exit(if code == ExitCode::SUCCESS { 0 } else { 70 });
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
            .stdin(Stdio::piped())
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
fn a_service_that_is_still_starting_stops_in_order() {
    for signal in ["-TERM", "-INT"] {
        let mut service = Service::start("starting");
        service.signal(signal);
        service.says("stopped");
        assert_eq!(service.code(), Some(0));
    }
}

#[test]
fn a_signal_that_comes_before_anybody_waits_for_it_is_not_forgotten() {
    let mut service = Service::start("busy");
    service.signal("-TERM");
    service.child.stdin.take().expect("a pipe").write_all(b"\n").expect("it reads");
    service.says("stopping");
    service.says("stopped");
    assert_eq!(service.code(), Some(0));
}

#[test]
fn the_death_of_a_task_ends_the_process_with_another_code() {
    assert_eq!(Service::start("dying").code(), Some(70));
}
