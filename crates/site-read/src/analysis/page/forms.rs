//! Forms, their fields, and whether anything says what a field is for.

use std::collections::HashSet;

use super::walk::Place;
use super::{Field, Form, PageAnalysis};
use crate::analysis::clip;
use crate::tree::Element;

/// Fields of one form; labels of one page.
const FIELDS: usize = 200;
const LABELS: usize = 5_000;

#[derive(Default)]
pub(super) struct Forms {
    forms: Vec<Form>,
    /// The form that is open: forms do not nest.
    open: Option<usize>,
    /// Fields as they came: their form, their id, and whether something around them names them.
    fields: Vec<(Option<usize>, String, Field)>,
    /// Labels around, and whether they hold text.
    labels: Vec<bool>,
    /// Ids that a label names.
    named: HashSet<String>,
    buttons: Vec<bool>,
    empty_buttons: u32,
}

impl Forms {
    pub(super) fn open(&mut self, element: Element<'_>, place: &Place<'_>) {
        match element.name() {
            "form" => self.form(element, place),
            "label" => {
                if let Some(id) = element.attr("for")
                    && self.named.len() < LABELS
                {
                    self.named.insert(id.to_owned());
                }
                self.labels.push(false);
            }
            "button" => self.buttons.push(says_what_it_is(element)),
            "input" | "select" | "textarea" => self.field(element),
            // A picture with a text is a name too.
            "img" if element.attr("alt").is_some_and(|alt| !alt.trim().is_empty()) => self.text(""),
            _ => {}
        }
    }

    pub(super) fn text(&mut self, _text: &str) {
        for mark in [self.labels.last_mut(), self.buttons.last_mut()].into_iter().flatten() {
            *mark = true;
        }
    }

    pub(super) fn close(&mut self, element: Element<'_>) {
        match element.name() {
            "form" => self.open = None,
            "label" => {
                self.labels.pop();
            }
            "button" => self.empty_buttons += u32::from(self.buttons.pop() == Some(false)),
            _ => {}
        }
    }

    fn form(&mut self, element: Element<'_>, place: &Place<'_>) {
        if self.forms.len() >= clip::LIST {
            return;
        }
        let action = element.attr("action").and_then(|action| place.url(action));
        let method = element.attr("method").unwrap_or_default().trim().to_ascii_lowercase();
        let method = if matches!(method.as_str(), "post" | "dialog") { method } else { "get".to_owned() };
        self.open = Some(self.forms.len());
        self.forms.push(Form {
            action: action.unwrap_or_else(|| place.page.clone()).to_string(),
            method,
            encoding: element.attr("enctype").and_then(clip::some),
            fields: Vec::new(),
        });
    }

    fn field(&mut self, element: Element<'_>) {
        let kind = match element.name() {
            "input" => element.attr("type").unwrap_or("text").trim().to_ascii_lowercase(),
            name => name.to_owned(),
        };
        if self.fields.len() >= FIELDS * 10 {
            return;
        }
        let needs_none = matches!(kind.as_str(), "hidden" | "submit" | "reset" | "button" | "image");
        let labelled = needs_none || !self.labels.is_empty() || says_what_it_is(element);
        let field = Field {
            name: clip::text(element.attr("name").unwrap_or_default()),
            kind: clip::text(&kind),
            required: element.attr("required").is_some(),
            labelled,
        };
        let id = element.attr("id").unwrap_or_default().to_owned();
        self.fields.push((self.open, id, field));
    }

    pub(super) fn finish(mut self, page: &mut PageAnalysis) {
        let mut unlabelled = 0;
        for (form, id, mut field) in self.fields {
            field.labelled |= !id.is_empty() && self.named.contains(&id);
            unlabelled += u32::from(!field.labelled);
            if let Some(form) = form.and_then(|form| self.forms.get_mut(form))
                && form.fields.len() < FIELDS
            {
                form.fields.push(field);
            }
        }
        page.forms = self.forms;
        page.accessibility.fields_without_label = unlabelled;
        page.accessibility.empty_buttons = self.empty_buttons;
    }
}

/// Does an attribute say what it is for?
fn says_what_it_is(element: Element<'_>) -> bool {
    ["aria-label", "aria-labelledby", "title", "placeholder"]
        .iter()
        .any(|name| element.attr(name).is_some_and(|value| !value.trim().is_empty()))
}
