//! The circuit of the host that a job reads from. A hint shared by all workers: while nobody can be asked about it,
//! work goes on as if there were none.

use crate::{Stop, worker::Workshop};
use domain::source_url::SourceUrl;
use std::sync::Arc;
use store::Claimed;
use url::Url;

/// One job's host.
pub(crate) struct Circuit {
    shop: Arc<Workshop>,
    host: String,
}

impl Circuit {
    /// None if the job names no host; that is told elsewhere.
    pub(crate) fn of(shop: &Arc<Workshop>, claimed: &Claimed) -> Option<Self> {
        let source = SourceUrl::parse(claimed.payload["sourceUrl"].as_str()?).ok()?;
        Self::of_server(Arc::clone(shop), source.as_url())
    }

    /// The circuit of a server.
    pub(crate) fn of_server(shop: Arc<Workshop>, url: &Url) -> Option<Self> {
        // Another port is another server.
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str()?),
            None => url.host_str()?.to_owned(),
        };
        Some(Self { shop, host })
    }

    /// May the host be asked now?
    pub(crate) async fn enter(&self) -> Result<(), Stop> {
        match self.shop.store.enter_circuit(&self.host).await {
            Ok(None) => Ok(()),
            Ok(Some(wait)) => Err(Stop::Snooze(wait)),
            Err(error) => {
                tracing::info!(error = service_kit::exit::chain(&error), "the circuit cannot be asked");
                Ok(())
            }
        }
    }

    /// Tells what came of it: that the host answered, or that it failed. Other failures say nothing of the host.
    pub(crate) async fn tell<T>(&self, came: &Result<T, Stop>) {
        let told = match came {
            Ok(_) => self.shop.store.circuit_passed(&self.host).await,
            Err(Stop::Failed(failure)) if failure.retryable && failure.reason.blames_the_host() => {
                let failed = self.shop.store.circuit_failed(&self.host).await;
                failed.map(|open| {
                    if let Some(open) = open {
                        tracing::warn!(
                            host = self.host,
                            seconds = open.as_secs(),
                            "nobody asks the host for a while"
                        );
                    }
                })
            }
            Err(_) => Ok(()),
        };
        if let Err(error) = told {
            tracing::info!(error = service_kit::exit::chain(&error), "the circuit cannot be told");
        }
    }
}
