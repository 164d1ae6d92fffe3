//! The rules for tables and what is in them.

use super::Tidy;
use super::stack::{Open, Place};
use crate::markup::names::Sort;
use crate::markup::tokens::{After, Start};
use crate::tree::Strings;

impl Tidy {
    pub(super) fn start_in_table(
        &mut self,
        strings: &mut Strings<'_>,
        tag: &Start<'_>,
        sort: Sort,
    ) -> Option<After> {
        let part = is_part(sort);
        // Each turn goes one level in or out.
        loop {
            match (self.place(), sort) {
                (Place::Cell, _) if !part => return self.start_in_body(strings, tag, sort),
                (Place::Cell, _) => self.end_cell(),
                (Place::Row, Sort::Cell) | (Place::Table, Sort::Caption) => {
                    self.open(tag, sort, Place::Cell)?;
                    break;
                }
                (Place::TableBody, Sort::Row) => {
                    self.open(tag, sort, Place::Row)?;
                    break;
                }
                (Place::Table, Sort::TableBody) => {
                    self.open(tag, sort, Place::TableBody)?;
                    break;
                }
                (Place::Table, Sort::ColumnGroup) => {
                    self.open(tag, sort, Place::ColumnGroup)?;
                    break;
                }
                (Place::ColumnGroup, Sort::Column) => {
                    self.add(tag);
                    break;
                }
                (Place::TableBody, Sort::Cell) => self.imply(strings, "tr", Sort::Row, Place::Row)?,
                (Place::Table, Sort::Row | Sort::Cell) => {
                    self.imply(strings, "tbody", Sort::TableBody, Place::TableBody)?;
                }
                (Place::Table, Sort::Column) => {
                    self.imply(strings, "colgroup", Sort::ColumnGroup, Place::ColumnGroup)?;
                }
                (Place::ColumnGroup, _) => self.stack.pop(&mut self.tree),
                (Place::Row | Place::TableBody, _) if part => self.stack.pop(&mut self.tree),
                (_, Sort::Script) => return self.raw(tag, sort, After::Script),
                (_, Sort::Raw) if strings.get(tag.name) == "style" => {
                    return self.raw(tag, sort, After::Text);
                }
                // Would be moved out of the table.
                _ => return None,
            }
        }
        Some(After::Markup)
    }

    pub(super) fn end_in_table(&mut self, strings: &Strings<'_>, name: &str, sort: Sort) -> Option<()> {
        let same = |open: &Open| !open.foreign && strings.get(open.name) == name;
        let part = is_part(sort) || matches!(sort, Sort::Table | Sort::Body | Sort::Html);
        loop {
            let place = self.place();
            if place == Place::Cell && !part {
                return self.end_in_body(strings, name, sort);
            }
            if place == Place::ColumnGroup {
                match sort {
                    Sort::Column => return Some(()),
                    _ => self.stack.pop(&mut self.tree),
                }
                if sort == Sort::ColumnGroup {
                    return Some(());
                }
                continue;
            }
            if !part {
                return None;
            }
            let in_caption =
                place == Place::Cell && self.cell().is_some_and(|at| self.stack.at(at).sort == Sort::Caption);
            let means_this = match sort {
                Sort::Table => true,
                Sort::Cell | Sort::Caption => place == Place::Cell,
                Sort::Row => matches!(place, Place::Cell | Place::Row) && !in_caption,
                Sort::TableBody => place != Place::Table && !in_caption,
                _ => false,
            };
            // Of no effect where there is no such element in this table.
            if !means_this || self.stack.find(same, |sort| sort == Sort::Table).is_none() {
                return Some(());
            }
            let last = if place == Place::Cell {
                self.cell().map(|at| *self.stack.at(at))
            } else {
                self.stack.last().copied()
            };
            match place {
                Place::Cell => self.end_cell(),
                _ => self.stack.pop(&mut self.tree),
            }
            if last.is_some_and(|open| same(&open)) {
                return Some(());
            }
        }
    }

    /// The cell or caption that is open.
    fn cell(&self) -> Option<usize> {
        let cell = |open: &Open| matches!(open.sort, Sort::Cell | Sort::Caption) && !open.foreign;
        self.stack.find(cell, |sort| sort == Sort::Table)
    }

    /// Ends it and all in it; formatting does not reach out of it.
    fn end_cell(&mut self) {
        if let Some(at) = self.cell() {
            self.stack.close_to(at, &mut self.tree);
        }
    }
}

/// Whether it is a part of a table.
const fn is_part(sort: Sort) -> bool {
    matches!(
        sort,
        Sort::Caption | Sort::Column | Sort::ColumnGroup | Sort::TableBody | Sort::Row | Sort::Cell
    )
}
