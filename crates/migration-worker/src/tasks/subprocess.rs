//! A program in a cell of its own: no network, none of our environment, none of our files but the system's programs and
//! what the operator names. It ends with the attempt, and with this process, however that ends.

use super::{
    Error, Kind,
    executor::Envelope,
    program::{self, Bounds},
};
use domain::Failure;
use serde_json::Value;
use site_read::render::Cells;
use std::path::PathBuf;

pub(super) struct Subprocess {
    cells: Cells,
    command: Vec<String>,
    readable: Vec<PathBuf>,
    bounds: Bounds,
}

impl Subprocess {
    pub(super) fn of(name: &str, kind: &Kind) -> Result<Self, Error> {
        let cells = Cells::find().and_then(|cells| cells.try_out().map(|()| cells));
        Ok(Self {
            cells: cells.map_err(|source| Error::Cell { kind: name.to_owned(), source })?,
            command: kind.command.clone(),
            readable: kind.readable.clone(),
            bounds: Bounds { max_result: kind.max_result_bytes, memory: kind.memory() },
        })
    }

    pub(super) async fn carry_out(&self, envelope: &Envelope<'_>) -> Result<Value, Failure> {
        let mut command = self.cells.command("task");
        for path in &self.readable {
            command.arg("--ro-bind").arg(path).arg(path);
        }
        command.arg("--").args(&self.command);
        program::run(command, envelope, self.bounds).await
    }
}
