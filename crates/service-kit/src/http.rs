//! One HTTP server as a task of the lifecycle.

use crate::Lifecycle;
use actix_web::{App, HttpServer, web::ServiceConfig};
use std::{io, net::SocketAddr, time::Duration};

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
        .shutdown_timeout(server.grace.as_secs().max(1))
        .shutdown_signal(stopping)
        .bind(server.listen)?;
    let address = running.addrs().first().copied().unwrap_or(server.listen);
    tracing::info!(%address, server = server.name, "listening");
    let running = running.run();
    lifecycle.spawn(server.name, async move { Ok(running.await?) });
    Ok(address)
}
