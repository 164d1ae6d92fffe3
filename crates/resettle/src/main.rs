//! The `resettle` program. Holds nothing: see [`resettle::cli`].

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    resettle::run().await
}
