//! The rules for the body, and for drawings in it.

use super::stack::{Open, Place};
use super::{DEEPEST, Quirks, Tidy};
use crate::markup::names::Sort;
use crate::markup::tokens::{After, Start};
use crate::tree::{Attribute, Strings};

impl Tidy {
    pub(super) fn start_in_body(
        &mut self,
        strings: &Strings<'_>,
        tag: &Start<'_>,
        sort: Sort,
    ) -> Option<After> {
        let place = self.place();
        match sort {
            Sort::Html | Sort::Body | Sort::Rare => return None,
            // Has no place here.
            Sort::Head | Sort::Frame | Sort::Caption | Sort::Column | Sort::ColumnGroup => {}
            Sort::TableBody | Sort::Row | Sort::Cell => {}
            Sort::Void | Sort::Meta => self.add(tag),
            Sort::Title | Sort::Script | Sort::Raw | Sort::Xmp | Sort::Textarea => {
                return self.start_text(tag, sort);
            }
            Sort::Block | Sort::Division | Sort::List | Sort::LooseBlock | Sort::Paragraph => {
                self.end_paragraph()?;
                self.open(tag, sort, place)?;
            }
            Sort::Heading => {
                self.end_paragraph()?;
                if self.stack.last().is_some_and(|open| open.sort == Sort::Heading) {
                    self.stack.pop(&mut self.tree);
                }
                self.open(tag, sort, place)?;
            }
            Sort::Preformatted => {
                self.end_paragraph()?;
                self.open(tag, sort, place)?;
                self.skips_break = true;
            }
            Sort::Form if self.form.is_some() => {}
            Sort::Form => {
                self.end_paragraph()?;
                self.open(tag, sort, place)?;
                self.form = Some(self.current());
            }
            Sort::Item | Sort::Definition => {
                self.end_sibling(sort)?;
                self.end_paragraph()?;
                self.open(tag, sort, place)?;
            }
            Sort::Button if self.is_in(Sort::Button) => return None,
            // One within another ends it; the other stays in force.
            Sort::Anchor if self.formats(Sort::Anchor) => return None,
            Sort::Anchor | Sort::Formatting | Sort::Button | Sort::Object | Sort::Ordinary => {
                self.open(tag, sort, place)?;
            }
            Sort::Table => {
                if self.stack.find(|open| open.sort == Sort::Paragraph, bounds_button).is_some() {
                    match self.quirks {
                        Quirks::Yes => {}
                        Quirks::No => self.end_paragraph()?,
                        Quirks::Unknown => return None,
                    }
                }
                self.open(tag, sort, Place::Table)?;
            }
            Sort::Input | Sort::Rule | Sort::Select if self.is_in(Sort::Select) => return None,
            Sort::Input => self.add(tag),
            Sort::Rule => {
                self.end_paragraph()?;
                self.add(tag);
            }
            Sort::Select => self.open(tag, sort, place)?,
            Sort::Option | Sort::OptionGroup => {
                if self.is_in(Sort::Select) {
                    self.end_implied(|open| sort == Sort::Option && open.sort == Sort::OptionGroup);
                } else if self.stack.last().is_some_and(|open| open.sort == Sort::Option) {
                    self.stack.pop(&mut self.tree);
                }
                self.open(tag, sort, place)?;
            }
            Sort::Svg => self.open_foreign(strings, tag)?,
        }
        Some(After::Markup)
    }

    /// An element that holds nothing but text.
    fn start_text(&mut self, tag: &Start<'_>, sort: Sort) -> Option<After> {
        let after = match sort {
            Sort::Title | Sort::Textarea => After::TextWithReferences,
            Sort::Script => After::Script,
            _ => After::Text,
        };
        if sort == Sort::Xmp {
            self.end_paragraph()?;
        }
        self.skips_break = sort == Sort::Textarea;
        self.raw(tag, sort, after)
    }

    pub(super) fn end_in_body(&mut self, strings: &Strings<'_>, name: &str, sort: Sort) -> Option<()> {
        let same = |open: &Open| !open.foreign && strings.get(open.name) == name;
        let found = match sort {
            // What is open stays so: text behind the end goes where it would have gone before it.
            Sort::Body | Sort::Html => {
                self.ended |= self.is_in(Sort::Body);
                return Some(());
            }
            Sort::Rare => return None,
            // This one makes an element.
            Sort::Void if name == "br" => return None,
            Sort::Form => return self.end_form(),
            Sort::Paragraph => {
                self.stack.find(same, bounds_button)?;
                return self.end_paragraph();
            }
            Sort::Object => {
                if let Some(at) = self.stack.find(same, Sort::bounds) {
                    self.stack.close_to(at, &mut self.tree);
                }
                return Some(());
            }
            Sort::Anchor | Sort::Formatting => return self.end_formatting(same),
            Sort::Item => self.stack.find(same, |sort| sort.bounds() || sort == Sort::List),
            Sort::Heading => {
                self.stack.find(|open| open.sort == Sort::Heading && !open.foreign, Sort::bounds)
            }
            Sort::Block | Sort::Division | Sort::List | Sort::LooseBlock => {
                self.stack.find(same, Sort::bounds)
            }
            Sort::Preformatted | Sort::Button | Sort::Select | Sort::Definition => {
                self.stack.find(same, Sort::bounds)
            }
            _ => self.stack.find(same, Sort::is_special),
        };
        found.map_or(Some(()), |at| self.close(at))
    }

    fn end_formatting(&mut self, same: impl Fn(&Open) -> bool) -> Option<()> {
        if self.stack.last().is_some_and(&same) {
            self.stack.pop(&mut self.tree);
            return Some(());
        }
        if self.stack.find(&same, Sort::confines).is_some() {
            // Misnested.
            return None;
        }
        let found = self.stack.find(same, Sort::is_special);
        found.map_or(Some(()), |at| self.close(at))
    }

    fn end_form(&mut self) -> Option<()> {
        let Some(form) = self.form.take() else { return Some(()) };
        let Some(at) = self.stack.find(|open| open.node == form, Sort::bounds) else { return Some(()) };
        self.end_implied(|_| false);
        // Otherwise it alone is taken out, and what is in it stays open.
        (at + 1 == self.stack.len()).then(|| self.stack.pop(&mut self.tree))
    }

    /// An item ends the one before it.
    fn end_sibling(&mut self, sort: Sort) -> Option<()> {
        let passes = |sort| !Sort::is_special(sort) || matches!(sort, Sort::Division | Sort::Paragraph);
        let found = self.stack.find(|open| open.sort == sort && !open.foreign, |sort| !passes(sort));
        found.map_or(Some(()), |at| self.close(at))
    }

    /// Ends the paragraph that is open, if one is.
    fn end_paragraph(&mut self) -> Option<()> {
        let found = self.stack.find(|open| open.sort == Sort::Paragraph, bounds_button);
        found.map_or(Some(()), |at| self.close(at))
    }

    /// Ends what ends by itself, up to an element that is to stay.
    fn end_implied(&mut self, stays: impl Fn(&Open) -> bool) {
        while let Some(last) = self.stack.last()
            && last.sort.ends_by_itself()
            && !last.foreign
            && !stays(last)
        {
            self.stack.pop(&mut self.tree);
        }
    }

    /// Ends the element at this place of the stack and all in it, unless formatting among that would go on behind it.
    fn close(&mut self, at: usize) -> Option<()> {
        let goes_on = |open: &Open| open.sort.formats() || open.sort.confines();
        if self.stack.within(at).iter().any(goes_on) {
            return None;
        }
        self.stack.close_to(at, &mut self.tree);
        Some(())
    }

    fn is_in(&self, sort: Sort) -> bool {
        self.stack.find(|open| open.sort == sort && !open.foreign, Sort::bounds).is_some()
    }

    /// Whether formatting of this sort is in force.
    fn formats(&self, sort: Sort) -> bool {
        self.stack.find(|open| open.sort == sort && !open.foreign, Sort::confines).is_some()
    }

    /// A drawing, or an element of one.
    fn open_foreign(&mut self, strings: &Strings<'_>, tag: &Start<'_>) -> Option<()> {
        let adjusted: Vec<Attribute> =
            tag.attributes.iter().map(|each| without_prefix(strings, *each)).collect();
        let node = self.tree.open(self.current(), tag.name, false, &adjusted);
        if !tag.self_closing {
            let inside = self.place();
            self.stack.push(Open { node, name: tag.name, sort: Sort::Ordinary, inside, foreign: true });
        }
        (self.stack.len() <= DEEPEST).then_some(())
    }

    pub(super) fn start_foreign(&mut self, strings: &Strings<'_>, tag: &Start<'_>) -> Option<After> {
        let around = self.stack.last().map(|open| strings.get(open.name));
        // What these hold is HTML again.
        if matches!(around, Some("foreignobject" | "desc" | "title")) {
            return None;
        }
        // And HTML's own elements end the drawing.
        if ENDS_DRAWING.contains(&strings.get(tag.name)) {
            return None;
        }
        self.open_foreign(strings, tag)?;
        Some(After::Markup)
    }
}

const fn bounds_button(sort: Sort) -> bool {
    sort.bounds() || matches!(sort, Sort::Button)
}

/// `font` does so only with some attributes; it is left to html5ever as well.
const ENDS_DRAWING: [&str; 46] = [
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "i",
    "img",
    "li",
    "listing",
    "menu",
    "meta",
    "nobr",
    "ol",
    "p",
    "pre",
    "ruby",
    "s",
    "small",
    "span",
    "strong",
    "strike",
    "sub",
    "sup",
    "table",
    "tt",
    "u",
    "ul",
    "var",
    "html",
];

/// The attribute as it is known in a drawing: the prefixes of some are not part of their names.
fn without_prefix(strings: &Strings<'_>, attribute: Attribute) -> Attribute {
    let prefix = match strings.get(attribute.name) {
        "xlink:actuate" | "xlink:arcrole" | "xlink:href" | "xlink:role" | "xlink:show" | "xlink:title"
        | "xlink:type" | "xmlns:xlink" => 6,
        "xml:lang" | "xml:space" => 4,
        _ => 0,
    };
    Attribute { name: attribute.name.without(prefix), ..attribute }
}
