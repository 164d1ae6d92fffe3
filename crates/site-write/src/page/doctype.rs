//! Doctypes of another time, by which browsers lay a page out otherwise (<https://quirks.spec.whatwg.org/>). React begins every
//! document with today's, and no style says all that an older one means: so the document says which one it had, and a script of
//! the project's puts it into the files that `next build` wrote.

use crate::dom::Mode;

/// Where the script is in the project: see [`crate::OLD_DOCTYPES`].
pub(crate) const FILE: &str = "scripts/old-doctypes.mjs";
/// What it holds.
pub(crate) const SCRIPT: &str = include_str!("../../template/old-doctypes.mjs");

/// Where a document says it: an attribute of `<html>`.
const ATTRIBUTE: &str = "data-doctype";

const NOTE: &str = "the page has an old doctype, or none; `scripts/old-doctypes.mjs` keeps it so after `next build`, and `next dev` shows \
     the page by the rules of today";

/// What it says there.
const TRANSITIONAL: &str = "transitional";
const NONE: &str = "none";

/// Says what the document had, if that was another than today's in its meaning; answers what a person is told. An attribute of the
/// page's own by that name stays where nobody can take it for ours.
pub(super) fn keep(mode: Mode, html: &mut Vec<(String, String)>) -> Option<(&'static str, String)> {
    html.retain(|attribute| !is_ours(attribute));
    let had = match mode {
        Mode::Standards => return None,
        Mode::LimitedQuirks => TRANSITIONAL,
        Mode::Quirks => NONE,
    };
    html.retain(|(name, _)| name != ATTRIBUTE);
    html.push((ATTRIBUTE.to_owned(), had.to_owned()));
    Some(("old_doctype", NOTE.to_owned()))
}

/// Does a document say that it had an old one?
pub(crate) fn is_old(html: &[(String, String)]) -> bool {
    html.iter().any(is_ours)
}

fn is_ours((name, value): &(String, String)) -> bool {
    name == ATTRIBUTE && [TRANSITIONAL, NONE].contains(&value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    #[rstest]
    #[case("<!doctype html>", None)]
    #[case(
        "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd'>",
        None
    )]
    #[case("<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Frameset//EN' 'x'>", Some("transitional"))]
    #[case("<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN' 'x'>", Some("transitional"))]
    #[case("<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN'>", Some("none"))]
    #[case("", Some("none"))]
    fn a_document_says_what_it_had(#[case] doctype: &str, #[case] said: Option<&str>) {
        let mut document = parse::document(&format!("{doctype}<html lang=en data-doctype=none>"));
        let told = keep(document.mode, &mut document.html);
        assert_eq!(told.is_some(), said.is_some());
        assert_eq!(is_old(&document.html), said.is_some());
        let mut expected = vec![("lang".to_owned(), "en".to_owned())];
        expected.extend(said.map(|said| (ATTRIBUTE.to_owned(), said.to_owned())));
        assert_eq!(document.html, expected);
        assert!(said.is_none_or(|said| SCRIPT.contains(&format!("\n  {said}:"))));
    }

    #[test]
    fn an_attribute_of_the_pages_own_stays_under_the_doctype_of_today() {
        let mut document = parse::document("<!doctype html><html data-doctype=html5>");
        assert_eq!(keep(document.mode, &mut document.html), None);
        assert_eq!(document.html, [(ATTRIBUTE.to_owned(), "html5".to_owned())]);
        assert!(!is_old(&document.html));
    }
}
