//! What the program says and how it ends: help, refusals, a server that is not there.

use crate::scratch::{Scratch, resettle};
use std::process::Output;

fn run(arguments: &[&str]) -> Output {
    resettle(arguments).output().expect("the program is there")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_is_as_documented() {
    for command in [
        "",
        "up",
        "migrate",
        "crawl",
        "convert",
        "demo",
        "lint",
        "key create",
        "schema migrate",
        "schema restored",
        "doctor",
        "watch",
        "jobs",
        "jobs list",
        "jobs submit",
        "gates",
        "gates set",
        "dlq",
        "dlq discard",
        "workers",
        "operator grant",
        "completions",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = run(&arguments);
        assert!(output.status.success(), "{command}");
        let name = if command.is_empty() { "resettle".to_owned() } else { command.replace(' ', "-") };
        insta::assert_snapshot!(format!("help-{name}"), out(&output));
    }
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    for arguments in [
        &["mgrate", "https://example.com/"][..],
        &["migrate"],
        &["migrate", "example.com"],
        &["migrate", "ftp://example.com/"],
        &["migrate", "https://me:secret@example.com/"],
        &["migrate", "https://example.com/", "--server", "http://127.0.0.1:1/"],
        &["migrate", "https://example.com/", "--allow-address", "nonsense"],
        &[
            "migrate",
            "https://example.com/",
            "--allow-address",
            "1.1.1.1:1",
            "--server",
            "http://x/",
            "--api-key",
            "k",
        ],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {}", err(&output));
        assert!(!err(&output).contains("secret"), "{}", err(&output));
    }
}

#[test]
fn refusals_say_what_to_do() {
    let no_key = run(&["migrate", "https://example.com/", "--server", "http://127.0.0.1:1/"]);
    insta::assert_snapshot!("refusal-no-key", err(&no_key));
    let no_scheme = run(&["migrate", "example.com"]);
    insta::assert_snapshot!("refusal-no-scheme", err(&no_scheme));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    let out = scratch.path().join("out");
    // One that nobody else is given meanwhile.
    let [port] = testkit::ports::free();
    let server = format!("http://127.0.0.1:{port}/");
    let mut command =
        resettle(&["migrate", "https://example.com/", "--server", &server, "--api-key", "rsk_x"]);
    let output = command.arg("--out").arg(&out).output().expect("the program is there");
    assert_eq!(output.status.code(), Some(75));
    let said = err(&output);
    assert!(said.contains(&format!("the server at {server} cannot be reached")), "{said}");
    assert!(!out.exists(), "nothing is left");
}

#[test]
fn a_strangers_folder_is_refused_before_anything_is_asked() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path().join("thesis.txt"), "irreplaceable").expect("written");
    let mut command =
        resettle(&["migrate", "https://example.com/", "--server", "http://127.0.0.1:1/", "--api-key", "k"]);
    let output = command.arg("--out").arg(scratch.path()).output().expect("the program is there");
    let said = err(&output);
    assert!(said.contains("was not written by resettle"), "{said}");
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn each_shell_gets_its_completions() {
    for (shell, sign) in
        [("bash", "complete -F"), ("zsh", "#compdef resettle"), ("fish", "complete -c resettle")]
    {
        let output = run(&["completions", shell]);
        assert!(output.status.success(), "{}", err(&output));
        let script = out(&output);
        assert!(script.contains(sign) && script.contains("dlq"), "{script}");
    }
    assert_eq!(run(&["completions", "cmd"]).status.code(), Some(64));
}

#[test]
fn another_machine_is_not_asked_with_this_ones_key() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.data()).expect("a folder");
    std::fs::write(scratch.data().join("api-key"), "rsk_of_this_machine").expect("written");
    let mut command = resettle(&["workers", "--server", "http://resettle.invalid/", "--data"]);
    let output = command.arg(scratch.data()).output().expect("the program is there");
    assert_eq!(output.status.code(), Some(64));
    assert!(err(&output).contains("a key is needed: give --api-key or RESETTLE_API_KEY"), "{}", err(&output));
}
