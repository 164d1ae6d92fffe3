//! This test binary, started again to run one test as a process of its own.

use std::process::{Command, Output};

const ROLE: &str = "TELEMETRY_TEST_CHILD";

/// Is this process the child? Then the calling test has to do its work; otherwise there is nothing to do.
pub(crate) fn is_child() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Runs the named test as a child and answers what it wrote.
pub(crate) async fn run(test: &str) -> Output {
    let name = test.to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", &name, "--nocapture"])
            .env(ROLE, "1")
            .output()
            .expect("a child")
    });
    let output = ran.await.expect("no panic");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{test} is not there");
    output
}
