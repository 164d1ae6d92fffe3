//! The rules for all that comes before the body, written or not.

use super::Tidy;
use super::stack::Place;
use crate::markup::names::Sort;
use crate::markup::tokens::{After, Start};
use crate::tree::Strings;

impl Tidy {
    pub(super) fn start_early(
        &mut self,
        strings: &mut Strings<'_>,
        tag: &Start<'_>,
        sort: Sort,
    ) -> Option<After> {
        match (self.place(), sort) {
            (Place::BeforeHtml, Sort::Html) => self.open(tag, sort, Place::Html)?,
            (_, Sort::Html | Sort::Rare) => return None,
            (Place::BeforeHtml | Place::Html, Sort::Head) => {
                self.reach_html(strings)?;
                self.open(tag, sort, Place::Head)?;
            }
            (_, Sort::Head) => {}
            (_, Sort::Body) => {
                self.reach_after_head(strings)?;
                self.open(tag, sort, Place::Body)?;
            }
            // Goes into the head, which has been closed.
            (Place::AfterHead, Sort::Meta | Sort::Title | Sort::Script) => return None,
            (Place::AfterHead, Sort::Raw) if matches!(strings.get(tag.name), "style" | "noframes") => {
                return None;
            }
            (_, Sort::Meta) => {
                self.reach_head(strings)?;
                self.add(tag);
            }
            (_, Sort::Title) => {
                self.reach_head(strings)?;
                return self.raw(tag, sort, After::TextWithReferences);
            }
            (_, Sort::Script) => {
                self.reach_head(strings)?;
                return self.raw(tag, sort, After::Script);
            }
            (place, Sort::Raw) if place != Place::AfterHead && belongs_to_head(strings.get(tag.name)) => {
                self.reach_head(strings)?;
                return self.raw(tag, sort, After::Text);
            }
            _ => {
                self.reach_body(strings)?;
                return self.start_in_body(strings, tag, sort);
            }
        }
        Some(After::Markup)
    }

    pub(super) fn end_early(&mut self, sort: Sort) -> Option<()> {
        match (self.place(), sort) {
            (Place::Head, Sort::Head) => self.leave_head(),
            // These make elements that were not written.
            (_, Sort::Head) if self.place() != Place::AfterHead => return None,
            (_, Sort::Body | Sort::Html | Sort::Rare | Sort::Void) => return None,
            _ => {}
        }
        Some(())
    }

    fn reach_html(&mut self, strings: &mut Strings<'_>) -> Option<()> {
        if self.stack.is_empty() {
            self.imply(strings, "html", Sort::Html, Place::Html)?;
        }
        Some(())
    }

    fn reach_head(&mut self, strings: &mut Strings<'_>) -> Option<()> {
        self.reach_html(strings)?;
        if self.place() == Place::Html {
            self.imply(strings, "head", Sort::Head, Place::Head)?;
        }
        Some(())
    }

    fn leave_head(&mut self) {
        self.stack.pop(&mut self.tree);
        self.stack.enter(Place::AfterHead);
    }

    fn reach_after_head(&mut self, strings: &mut Strings<'_>) -> Option<()> {
        self.reach_head(strings)?;
        if self.place() == Place::Head {
            self.leave_head();
        }
        Some(())
    }

    pub(super) fn reach_body(&mut self, strings: &mut Strings<'_>) -> Option<()> {
        self.reach_after_head(strings)?;
        self.imply(strings, "body", Sort::Body, Place::Body)
    }
}

fn belongs_to_head(name: &str) -> bool {
    matches!(name, "style" | "noscript" | "noframes")
}
