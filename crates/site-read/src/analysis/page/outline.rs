//! Headings, landmarks, and ids.

use std::collections::HashSet;

use super::{Heading, Landmark, PageAnalysis};
use crate::analysis::{clip, hash};
use crate::tree::Element;

/// Ids that are remembered to find the same one again.
const IDS: usize = 50_000;

#[derive(Default)]
pub(super) struct Outline {
    headings: Vec<Heading>,
    /// The heading that is open, and its text so far.
    open: Option<(u8, String)>,
    landmarks: Vec<Landmark>,
    /// Sectioning elements around: inside them, header and footer are not the page's.
    sections: u32,
    ids: HashSet<u64>,
    duplicate_ids: u32,
    skipped: u32,
    last_level: u8,
}

impl Outline {
    pub(super) fn open(&mut self, element: Element<'_>) {
        let name = element.name();
        if let Some(id) = element.attr("id").filter(|id| !id.is_empty())
            && self.ids.len() < IDS
            && !self.ids.insert(hash::of(id.as_bytes()))
        {
            self.duplicate_ids += 1;
        }
        if let Some(level) = level(name) {
            self.open = Some((level, String::new()));
        }
        if let Some(role) = role(element, self.sections) {
            let label = element.attr("aria-label").and_then(clip::some);
            clip::push(&mut self.landmarks, Landmark { role, label });
        }
        if is_section(name) {
            self.sections += 1;
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if let Some((_, heading)) = &mut self.open
            && heading.len() < clip::TEXT * 4
        {
            heading.push_str(text);
            heading.push(' ');
        }
    }

    pub(super) fn close(&mut self, element: Element<'_>) {
        let name = element.name();
        if level(name).is_some()
            && let Some((level, text)) = self.open.take()
        {
            // The first may be of any level: parts of a page are put together from elsewhere.
            if self.last_level > 0 && level > self.last_level + 1 {
                self.skipped += 1;
            }
            self.last_level = level;
            clip::push(&mut self.headings, Heading { level, text: clip::text(&text) });
        }
        if is_section(name) {
            self.sections = self.sections.saturating_sub(1);
        }
    }

    pub(super) fn finish(self, page: &mut PageAnalysis) {
        page.headings = self.headings;
        page.landmarks = self.landmarks;
        page.accessibility.duplicate_ids = self.duplicate_ids;
        page.accessibility.skipped_headings = self.skipped;
    }
}

fn level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

fn is_section(name: &str) -> bool {
    matches!(name, "article" | "aside" | "main" | "nav" | "section")
}

/// The landmark that an element is (HTML Accessibility API Mappings, section 3.5).
fn role(element: Element<'_>, sections: u32) -> Option<String> {
    const ROLES: [&str; 8] =
        ["banner", "complementary", "contentinfo", "form", "main", "navigation", "region", "search"];
    if let Some(given) = element.attr("role") {
        let given = given.split_ascii_whitespace().next()?;
        return ROLES.contains(&given).then(|| given.to_owned());
    }
    let named = || element.attr("aria-label").or(element.attr("aria-labelledby")).is_some();
    let role = match element.name() {
        "header" if sections == 0 => "banner",
        "footer" if sections == 0 => "contentinfo",
        "main" => "main",
        "nav" => "navigation",
        "aside" => "complementary",
        "search" => "search",
        "section" if named() => "region",
        "form" if named() => "form",
        _ => return None,
    };
    Some(role.to_owned())
}
