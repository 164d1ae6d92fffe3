//! One HTTP server as a task of the lifecycle.

use crate::Lifecycle;
use actix_web::{App, HttpServer, web::ServiceConfig};
use std::{io, net::SocketAddr, time::Duration};

/// A request's head has to arrive within this.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than proxies keep idle connections (nginx: 60 s), so that it is always the proxy who closes one: otherwise
/// a request can meet a connection that is just being closed, and fail although all is well.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections of one thread; more wait to be accepted.
const MOST_CONNECTIONS: usize = 20_000;

/// Where and how to serve.
#[derive(Clone, Debug)]
pub struct Server {
    /// The task's name.
    pub name: &'static str,
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads; each has a runtime of its own, so nothing that must outlive a request may be spawned there.
    pub workers: usize,
    /// How long open requests get after the stop.
    pub grace: Duration,
}

/// Binds, and serves what `configure` mounts until the lifecycle stops. Returns the address that was bound.
///
/// Wrap middleware around scopes inside `configure`.
pub fn serve<F>(lifecycle: &Lifecycle, server: Server, configure: F) -> io::Result<SocketAddr>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let stopping = lifecycle.stopping().cancelled_owned();
    let running = HttpServer::new(move || App::new().configure(configure.clone()))
        .workers(server.workers)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .max_connections(MOST_CONNECTIONS)
        .shutdown_timeout(server.grace.as_secs().max(1))
        .shutdown_signal(stopping)
        .bind(server.listen)?;
    let address = running.addrs().first().copied().unwrap_or(server.listen);
    tracing::info!(%address, server = server.name, "listening");
    let running = running.run();
    lifecycle.spawn(server.name, async move { Ok(running.await?) });
    Ok(address)
}
