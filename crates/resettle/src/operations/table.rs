//! Columns, bars and colours for a terminal. Whatever is not a terminal gets plain text, and nothing that a site or a user
//! wrote may steer one.

use crate::terminal::{is_coloured, say};
use std::fmt::Write;

const BAR: usize = 20;

/// What a cell says by its colour, too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Head,
    Good,
    Bad,
}

/// One cell.
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { text, tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Writes rows under a head, each column as wide as its widest cell; the last one is not padded.
pub(super) fn table(head: &[&str], rows: Vec<Vec<Cell>>) {
    let head: Vec<Cell> = head.iter().map(|name| Cell::new(*name, Tone::Head)).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at)).chain(head.get(at));
            cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let coloured = is_coloured();
    for row in std::iter::once(head).chain(rows) {
        say(line(&row, &widths, coloured));
    }
}

fn line(row: &[Cell], widths: &[usize], coloured: bool) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        let gap = if at + 1 == row.len() { 0 } else { width - cell.text.chars().count() + 2 };
        line.push_str(&painted(&cell.text, cell.tone, coloured));
        // A String takes every write.
        let _written = write!(line, "{:gap$}", "");
    }
    line
}

fn painted(text: &str, tone: Tone, coloured: bool) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Head => "1",
        Tone::Good => "32",
        Tone::Bad => "31",
    };
    if coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// How much of a whole; nothing where there is no terminal to draw on.
pub(super) fn bar(part: f64, whole: f64) -> String {
    if !is_coloured() {
        return String::new();
    }
    drawn(part, whole)
}

fn drawn(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 };
    let mut full = (share * BAR as f64).round() as usize;
    if part > 0.0 {
        full = full.max(1);
    }
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_only_a_terminal_sees_colours() {
        let row = [Cell::from("a\u{1b}[2J"), Cell::new("b", Tone::Bad)];
        assert_eq!(line(&row, &[7, 1], false), "a [2J    b");
        assert_eq!(line(&row, &[7, 1], true), "a [2J    \u{1b}[31mb\u{1b}[0m");
    }

    #[test]
    fn a_bar_shows_the_share_and_never_hides_that_there_is_something() {
        assert_eq!(drawn(0.0, 0.0), "░".repeat(BAR));
        assert_eq!(drawn(10.0, 10.0), "█".repeat(BAR));
        assert!(drawn(1.0, 1000.0).starts_with("█░"));
        assert_eq!(drawn(1.0, 2.0).matches('█').count(), BAR / 2);
    }
}
