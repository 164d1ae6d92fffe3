//! From offsets to lines and columns, both from 1. Columns count UTF-16 code units, as editors, the TypeScript compiler and
//! SARIF's default do.

use std::cell::Cell;

/// So many characters of a source line are shown on each side of what is wrong.
const AROUND: usize = 60;

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The last place that was asked for: a long line with many findings is counted through once.
    last: Cell<(usize, u32)>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let after = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect(), last: Cell::new((0, 1)) }
    }

    /// The line of an offset, from 0.
    pub(super) fn row(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Line and column of an offset, from 1. Cheapest in ascending order.
    pub(super) fn place(&self, offset: usize) -> (u32, u32) {
        let row = self.row(offset);
        let (known, column) = self.last.get();
        let (from, column) = if (self.starts[row]..=offset).contains(&known) {
            (known, column)
        } else {
            (self.starts[row], 1)
        };
        let between = self.text.get(from..offset).unwrap_or_default();
        let column = column + between.encode_utf16().count() as u32;
        self.last.set((offset, column));
        (row as u32 + 1, column)
    }

    /// Where the line of an offset begins, and the line.
    pub(super) fn around(&self, offset: usize) -> (usize, &'a str) {
        let row = self.row(offset);
        let end = self.starts.get(row + 1).copied().unwrap_or(self.text.len());
        (self.starts[row], self.text[self.starts[row]..end].trim_end_matches(['\n', '\r']))
    }

    /// The line of a range, cut to what is around it, with what is `hidden` blotted out; and where in it the range begins
    /// and how far it goes, in characters.
    pub(super) fn excerpt(&self, range: (usize, usize), hidden: &[(usize, usize)]) -> Excerpt {
        let (start, line) = self.around(range.0);
        let at = range.0.saturating_sub(start).min(line.len());
        let (Some(before), Some(behind)) = (line.get(..at), line.get(at..)) else {
            return Excerpt::default();
        };
        let covered = |at: usize| hidden.iter().any(|(from, to)| (*from..*to).contains(&at));
        let shown = |(at, c): (usize, char)| match c {
            _ if covered(at) => '•',
            c if c.is_control() => ' ',
            c => c,
        };
        let mut left: Vec<(usize, char)> = before.char_indices().rev().take(AROUND).collect();
        left.reverse();
        let right: Vec<(usize, char)> =
            behind.char_indices().take(AROUND).map(|(by, c)| (at + by, c)).collect();
        let width = right.iter().filter(|(by, _)| start + by < range.1).count().max(1);
        let whole = left.iter().chain(&right).map(|(by, c)| shown((start + by, *c)));
        Excerpt { text: whole.collect(), caret: left.len(), width }
    }
}

/// A piece of a source line with what is wrong in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, or the part of it around the place.
    pub text: String,
    /// Where it begins, in characters from 0.
    pub caret: usize,
    /// How many characters it covers in this line, at least one.
    pub width: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_utf_16_code_units() {
        let lines = Lines::of("a\n𝒳é<b>\n");
        assert_eq!(lines.place(0), (1, 1));
        assert_eq!(lines.place("a\n𝒳é".len()), (2, 4));
        assert_eq!(lines.place("a\n𝒳é<b>\n".len()), (3, 1));
    }

    #[test]
    fn an_excerpt_is_cut_and_blotted() {
        let text = format!("{}key = \"secret\";{}", "x".repeat(200), "y".repeat(200));
        let from = 200 + 7;
        let excerpt = Lines::of(&text).excerpt((from, from + 6), &[(from, from + 6)]);
        assert_eq!(
            excerpt.text.chars().skip(excerpt.caret).take(excerpt.width).collect::<String>(),
            "••••••"
        );
        assert!(excerpt.text.chars().count() <= 2 * AROUND && !excerpt.text.contains("secret"));
    }
}
