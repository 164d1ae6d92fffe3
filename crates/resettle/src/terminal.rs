//! What a command says: results on standard output, everything else on standard error. A reader that has gone
//! away, such as `head`, is no fault of the command.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

/// Part of the command's result.
pub(crate) fn say(text: impl Display) {
    let _reader_gone = writeln!(io::stdout().lock(), "{text}");
}

/// For the person at the terminal.
pub(crate) fn note(text: impl Display) {
    let _reader_gone = writeln!(io::stderr().lock(), "{text}");
}

/// May the screen be drawn on?
pub(crate) fn is_screen() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// May results be written in colours, and with bars? On a terminal, unless its user wants none (https://no-color.org).
pub(crate) fn is_coloured() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !plain && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Before the process ends.
pub(crate) fn flush() {
    let _reader_gone = io::stdout().flush();
}
