//! What a process tells its supervisor when it ends (the numbers are those of `sysexits.h`).

use crate::{BoxError, config};
use std::{error::Error, fmt, process::ExitCode};

/// Why the process ended, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Asked to stop, and stopped.
    Ok = 0,
    /// The configuration or the command line is wrong: starting again does not help.
    Config = 64,
    /// A fault of ours.
    Internal = 70,
    /// Something that is needed is not there yet (the schema is behind, a server is down): start again later.
    Unavailable = 75,
}

impl Code {
    /// Marks an error with the code that the process shall end with.
    pub fn because(self, source: impl Into<BoxError>) -> Coded {
        Coded { code: self, source: source.into() }
    }
}

/// An error that knows its exit code; see [`Code::because`]. It speaks with the voice of the error inside.
#[derive(Debug)]
pub struct Coded {
    code: Code,
    source: BoxError,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for Coded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}

/// The code of an error: the one marked in its chain, 64 for bad configuration, otherwise 70.
pub fn code_of(error: &(dyn Error + 'static)) -> Code {
    let mut link = Some(error);
    while let Some(current) = link {
        if let Some(coded) = current.downcast_ref::<Coded>() {
            return coded.code;
        }
        if current.is::<config::Error>() {
            return Code::Config;
        }
        link = current.source();
    }
    Code::Internal
}

/// Ends `main`: logs a failure with its whole chain, and prints it for the person at the terminal.
pub fn report<E>(result: Result<(), E>) -> ExitCode
where
    E: AsRef<dyn Error + Send + Sync + 'static>,
{
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error: &(dyn Error + Send + Sync + 'static) = error.as_ref();
            let code = code_of(error);
            let told = chain(error);
            tracing::error!(code = code as u8, error = %told, "the process ends");
            #[expect(
                clippy::print_stderr,
                reason = "logging may not have begun, and the person must be told"
            )]
            {
                eprintln!("{told}");
            }
            ExitCode::from(code as u8)
        }
    }
}

/// An error and all its causes on one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut link = error.source();
    while let Some(cause) = link {
        told.push_str(": ");
        told.push_str(&cause.to_string());
        link = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] BoxError);

    #[test]
    fn the_marked_code_is_found_at_any_depth() {
        let inner = Code::Unavailable.because("the schema is behind");
        assert_eq!(code_of(&Outer(Box::new(inner))), Code::Unavailable);
        assert_eq!(code_of(&Outer("plain".into())), Code::Internal);
    }

    #[test]
    fn it_survives_anyhow() {
        let error = anyhow::Error::from(Code::Unavailable.because("x")).context("starting");
        assert_eq!(code_of(error.as_ref()), Code::Unavailable);
        assert_eq!(report(Err::<(), _>(error)), ExitCode::from(75));
    }

    #[test]
    fn a_chain_is_told_once_per_link() {
        assert_eq!(chain(&Outer(Code::Internal.because("cause").into())), "outer: cause");
    }
}
