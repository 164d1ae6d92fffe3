//! The admin routes over a real port.

use futures::stream;
use prometheus::{IntCounter, Registry};
use service_kit::{
    Lifecycle,
    admin::{self, Readiness},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

async fn get(address: SocketAddr, path: &str) -> String {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    let read = connection.read_to_string(&mut answer);
    timeout(Duration::from_secs(20), read).await.expect("an answer in time").expect("text");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_alive_from_ready_and_metrics_are_text() {
    let lifecycle = Lifecycle::new(Duration::from_secs(5));
    let well = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&well);
    let readiness = Readiness::new(&lifecycle).with("postgres", move || {
        let well = asked.load(Ordering::SeqCst);
        async move { if well { Ok(()) } else { Err("refused at 10.1.2.3".into()) } }
    });
    let registry = Registry::new();
    let counter = IntCounter::new("resettle_tests_total", "Tests").expect("a counter");
    registry.register(Box::new(counter.clone())).expect("registered");
    counter.inc();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let address = admin::serve(&lifecycle, listen, readiness.clone(), registry).expect("a port");

    assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").await.contains("resettle_tests_total 1"));
    well.store(false, Ordering::SeqCst);
    let answer = get(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("postgres"), "{answer}");
    assert!(!answer.contains("10.1.2.3"), "reasons are for the log");
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"), "not ready is not dead");

    well.store(true, Ordering::SeqCst);
    assert!(readiness.missing().await.is_empty());
    lifecycle.stop();
    assert_eq!(readiness.missing().await[0].0, "process", "a process that stops is not ready");
    lifecycle.wait_with(stream::pending()).await.expect("it stops");
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
}
