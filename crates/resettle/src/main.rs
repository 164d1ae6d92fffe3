//! The `resettle` program. Holds nothing: see [`resettle::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::program::run(resettle::run())
}
