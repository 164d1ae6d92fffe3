//! One attempt at a job that carries out no migration.

use super::executor::{self, Envelope};
use crate::{Stop, circuit::Circuit, run::Run};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How much longer than the attempt itself may take whoever sweeps waits: the attempt's own clock comes first.
const SWEEPERS_GRACE: Duration = Duration::from_secs(30);

impl Run {
    /// Has the kind's executor do the work.
    pub(crate) async fn task(&self, binding: &super::Binding) -> Result<Value, Stop> {
        let limit = binding.kind.timeout;
        let run = self.pen.begin_task(limit + SWEEPERS_GRACE).await?;
        tracing::info!(run, waited_seconds = self.claimed.waited.as_secs_f64(), "the job begins");
        let server = binding.executor.url();
        let circuit = server.and_then(|url| Circuit::of_server(Arc::clone(&self.shop), url));
        if let Some(circuit) = &circuit {
            circuit.enter().await?;
        }
        self.hold.show(|live| live.step = format!("executor {}", binding.kind.executor.as_str()));
        let envelope = Envelope::of(&self.claimed, run);
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
