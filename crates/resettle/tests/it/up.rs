//! `resettle up` as a process: it serves, it stops, it is killed, it comes back.

use crate::scratch::{STARTED, Scratch, runs};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};
use testkit::process::Child;

const STOPPED: Duration = Duration::from_secs(60);

/// The address that it prints when it is up.
async fn address(up: &mut Child) -> String {
    let line = up.line("resettle is up at http://", STARTED).await;
    let url = line.rsplit_once("http://").expect("just found").1;
    url.trim_end_matches('/').to_owned()
}

/// One request over a plain socket; the whole answer.
fn get(address: &str, path: &str, key: Option<&str>) -> String {
    let mut connection = TcpStream::connect(address).expect("it listens");
    connection.set_read_timeout(Some(STOPPED)).expect("settable");
    let authorization = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answered");
    answer
}

#[tokio::test]
async fn the_three_services_answer_on_one_port_and_ctrl_c_ends_all() {
    let scratch = Scratch::new();
    let mut up = scratch.up();
    let address = address(&mut up).await;
    assert!(get(&address, "/readyz", None).starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/api/migration", None).starts_with("HTTP/1.1 401"));
    let key = std::fs::read_to_string(scratch.data().join("api-key")).expect("the key is there");
    let listed = get(&address, "/api/migration", Some(key.trim()));
    assert!(listed.starts_with("HTTP/1.1 200"), "{listed}");
    // The broadcaster's own refusal, not the gateway's "nothing here".
    let path = format!("/api/migration/{}/stream", uuid::Uuid::now_v7());
    let stream = get(&address, &path, Some(key.trim()));
    assert!(stream.starts_with("HTTP/1.1 404") && stream.contains("migration_not_found"), "{stream}");
    let pid = scratch.postmaster().expect("it is ready");

    up.interrupt();
    assert!(up.exited(STOPPED).await.success());
    assert!(!runs(pid), "the database is stopped with it");
}

#[tokio::test]
async fn a_stop_that_comes_while_it_is_starting_is_heeded() {
    let scratch = Scratch::new();
    let mut up = scratch.up();
    let made = || async { scratch.data().exists() };
    testkit::wait::until_true("its data folder to be made", STARTED, made).await;
    up.terminate();
    assert!(up.exited(STOPPED).await.success(), "{}", up.log());
    assert!(scratch.postmaster().is_none_or(|pid| !runs(pid)), "the database is stopped with it");
}

#[tokio::test]
async fn a_second_start_is_told_who_holds_the_folder() {
    let scratch = Scratch::new();
    let mut first = scratch.up();
    address(&mut first).await;
    let mut second = scratch.up();
    assert_eq!(second.exited(STOPPED).await.code(), Some(75));
    let said = second.log();
    assert!(said.contains(&format!("in use by another resettle (process {})", first.pid())), "{said}");
    first.terminate();
    assert!(first.exited(STOPPED).await.success());
}

#[tokio::test]
async fn after_a_kill_the_database_that_was_left_running_is_taken_over() {
    let scratch = Scratch::new();
    let mut up = scratch.up();
    let before = address(&mut up).await;
    let key = std::fs::read_to_string(scratch.data().join("api-key")).expect("the key is there");
    let pid = scratch.postmaster().expect("it is ready");
    up.kill();
    assert!(runs(pid), "a kill -9 reaches only the process that it names");

    let mut up = scratch.up();
    let after = address(&mut up).await;
    assert_ne!(before, after);
    assert_eq!(scratch.postmaster(), Some(pid), "the same server");
    assert!(get(&after, "/api/migration", Some(key.trim())).starts_with("HTTP/1.1 200"), "the same key");
    up.terminate();
    assert!(up.exited(STOPPED).await.success());
    assert!(!runs(pid), "a server that was taken over is stopped like one's own");
}
