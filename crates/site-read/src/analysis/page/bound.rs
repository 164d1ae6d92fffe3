//! The facts of one page within what is kept of it.
//!
//! Each list and each text has its bound, but all of them at their bounds would be gigabytes: a page that aims at that is
//! told without its lists.

use std::io;

use super::PageAnalysis;
use crate::analysis::problem::{Problem, Severity};

/// Most bytes of the facts as JSON.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The facts of a smaller document, with fewer bytes of addresses in them, cannot be as long.
const SMALL: usize = 256 * 1024;

impl PageAnalysis {
    /// Leaves out the lists of a page, read from a document of so many bytes, if they are too long to be kept; it says so.
    pub(crate) fn keep_to_bound(&mut self, document: usize) {
        // Most pages are far from it: only some are measured.
        if (document <= SMALL && self.address_bytes() <= SMALL) || self.json_bytes() <= MAX_BYTES {
            return;
        }
        let note = "holds more of everything than is kept of one page: forms, images, scripts and the like are not told";
        self.problems.truncate(20);
        self.problems.push(Problem::new(Severity::Warning, "too-much-to-tell", note));
        let Self { alternates, properties, twitter, structured_data, headings, landmarks, .. } = self;
        alternates.clear();
        properties.clear();
        twitter.clear();
        structured_data.clear();
        headings.clear();
        landmarks.clear();
        let Self { forms, scripts, fonts, images, third_parties, menu, parts, .. } = self;
        forms.clear();
        scripts.clear();
        fonts.clear();
        images.clear();
        third_parties.clear();
        menu.clear();
        parts.clear();
    }

    /// Bytes of the addresses that are told whole, however long.
    fn address_bytes(&self) -> usize {
        let optional = |url: &Option<String>| url.as_ref().map_or(0, String::len);
        self.images.iter().map(|image| optional(&image.url)).sum::<usize>()
            + self.scripts.iter().map(|script| optional(&script.url)).sum::<usize>()
            + self.forms.iter().map(|form| form.action.len()).sum::<usize>()
            + self.alternates.iter().map(|version| version.url.len()).sum::<usize>()
            + self.menu.iter().map(|item| item.url.len()).sum::<usize>()
    }

    fn json_bytes(&self) -> usize {
        let mut counted = Counted(0);
        // Nothing in it refuses to be written, and counting does not fail.
        if serde_json::to_writer(&mut counted, self).is_err() {
            return usize::MAX;
        }
        counted.0
    }
}

/// Counts what is written.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::analysis::page::{PageInput, analyse};

    fn told(html: &str) -> PageAnalysis {
        let url = Url::parse("http://e.com/").expect("an address");
        let document = crate::markup::parse(html).expect("a tree");
        let mut page = analyse(&document, &PageInput { url: &url, status: 200, headers: &[] });
        page.keep_to_bound(html.len());
        page
    }

    #[test]
    fn an_ordinary_large_page_is_told_whole() {
        let page =
            told(&"<h2>A heading</h2><form><input name=a></form><img src=x><p>Some text.".repeat(20_000));
        assert!(!page.forms.is_empty() && !page.headings.is_empty());
        assert!(page.problems.iter().all(|problem| problem.code != "too-much-to-tell"));
    }

    #[test]
    fn short_addresses_behind_a_long_base_stay_within_the_bound() {
        let base = format!("<base href='/{}/'>", "y".repeat(8000));
        let parts =
            "<img src=a><form action=b></form><script src=c></script><nav><a href=d>d</a></nav>".repeat(600);
        let bytes = told(&(base + &parts)).json_bytes();
        assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    }

    #[test]
    fn one_that_would_be_told_in_many_megabytes_is_told_without_its_lists() {
        // Six bytes each in JSON, five hundred in each text, five hundred texts of each sort.
        let text = "\u{1}".repeat(500);
        let one = format!("<input name='{text}'><h2>{text}</h2><img src=x alt='{text}'>");
        let page = told(&format!("<form>{}</form>", one.repeat(500)));
        assert!(page.json_bytes() < 64 * 1024, "{} bytes", page.json_bytes());
        assert!(page.forms.is_empty() && page.images.is_empty());
        let said = page.problems.iter().find(|problem| problem.code == "too-much-to-tell");
        assert!(said.is_some(), "{:?}", page.problems);
    }
}
