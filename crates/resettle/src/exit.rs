//! How a command ends: what its exit code says, and how its errors are told.

use crate::terminal::note;
use service_kit::exit::{Code, chain, code_of};
use std::process::ExitCode;

/// What a command came to, when nothing went wrong on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was asked for is done.
    Done,
    /// The migration failed or was called off, or its project does not build.
    Unsuccessful,
    /// Ctrl-C.
    Interrupted,
}

/// The exit code; see `resettle --help`.
pub(crate) fn code(result: Result<Outcome, anyhow::Error>) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Unsuccessful) => ExitCode::from(1),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            let error: &(dyn std::error::Error + 'static) = error.as_ref();
            note(format_args!("resettle: {}", chain(error)));
            ExitCode::from(code_of(error) as u8)
        }
    }
}

/// The command line asks for something that cannot be.
pub(crate) fn usage(what: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Code::Config.because(what.into()))
}

/// Something that is needed cannot be reached; later may work.
pub(crate) fn unavailable(error: impl Into<service_kit::BoxError>) -> anyhow::Error {
    anyhow::Error::new(Code::Unavailable.because(error))
}
