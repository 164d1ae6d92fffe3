//! One attempt at a job that carries out no migration.

use super::executor::{self, Envelope};
use crate::{Stop, circuit::Circuit, run::Run};
use serde_json::Value;
use std::sync::Arc;
use tokio::time::timeout;

impl Run {
    /// Has the kind's executor do the work; the claim has begun it.
    pub(crate) async fn task(&self, binding: &super::Binding) -> Result<Value, Stop> {
        let (limit, run) = (binding.kind.timeout, self.claimed.run);
        tracing::info!(run, waited_seconds = self.claimed.waited.as_secs_f64(), "the job begins");
        let server = binding.executor.url();
        let circuit = server.and_then(|url| Circuit::of_server(Arc::clone(&self.shop), url));
        if let Some(circuit) = &circuit {
            circuit.enter().await?;
        }
        self.hold.show(|live| live.step = format!("executor {}", binding.kind.executor.as_str()));
        let envelope = Envelope::of(&self.claimed);
        let work = timeout(limit, binding.executor.carry_out(&envelope));
        let worked = match self.hold.interruptible(Box::pin(work)).await {
            Ok(Ok(done)) => done.map_err(Stop::from),
            Ok(Err(_elapsed)) => Err(Stop::Failed(executor::overdue())),
            Err(stop) => Err(stop),
        };
        if let Some(circuit) = &circuit {
            circuit.tell(&worked).await;
        }
        worked
    }
}
