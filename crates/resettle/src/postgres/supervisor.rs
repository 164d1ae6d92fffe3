//! Keeps the server running: one that dies is started again, but not without end.

use super::{Error, server::Server};
use std::{collections::VecDeque, time::Duration};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// More deaths than this within [`WINDOW`] are a fault that no restart cures.
const DEATHS: usize = 6;
const WINDOW: Duration = Duration::from_secs(60);

/// After the first death at once, then a little longer each time: orphaned sessions need a moment to end.
const STEP: Duration = Duration::from_millis(500);

/// Runs until asked to stop, then stops the server.
pub(crate) async fn keep(mut server: Server, stopping: CancellationToken) -> Result<(), Error> {
    let mut deaths = VecDeque::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return server.close().await,
            gone = server.gone() => gone?,
        }
        let now = Instant::now();
        deaths.push_back(now);
        deaths.retain(|death| now.duration_since(*death) < WINDOW);
        if deaths.len() > DEATHS {
            return Err(Error::Dying { times: deaths.len(), within: WINDOW, said: server.log_tail() });
        }
        tracing::warn!(deaths = deaths.len(), "PostgreSQL died: starting it again");
        let pause = STEP * u32::try_from(deaths.len() - 1).unwrap_or(u32::MAX);
        if stopping.run_until_cancelled(sleep(pause)).await.is_none() {
            return server.close().await; // dead already, so this only tidies up
        }
        // A start that fails leaves a dead server, which the next round counts.
        if let Err(error) = server.again().await {
            tracing::warn!(error = %service_kit::exit::chain(&error), "PostgreSQL did not start again");
        }
    }
}
