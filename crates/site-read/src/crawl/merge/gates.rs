//! Pages that stand before others: for the time being addresses lead there, and say to it where their visitor wanted to go.
//! Sign-ins and questions for consent do so. What lies behind them was not read, and somebody has to say it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::snapshot::Redirect;

/// Parameters by which pages for errors are told what was asked for, as ASP.NET's is.
const OF_ERRORS: [&str; 2] = ["aspxerrorpath", "404"];

/// A page that others lead to first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gate {
    /// Its address without the query.
    pub(super) at: Url,
    /// How many addresses lead to it.
    pub(super) before: usize,
    /// The first of them.
    pub(super) example: String,
}

/// Every gate among these redirects, each of one step, in order of their addresses.
pub(super) fn gates<'a>(redirects: impl Iterator<Item = &'a Redirect>) -> Vec<Gate> {
    let mut gates: BTreeMap<Url, Gate> = BTreeMap::new();
    for Redirect { from, to, status, .. } in redirects {
        let (Ok(from), Ok(to)) = (Url::parse(from), Url::parse(to)) else { continue };
        if let Some(at) = gate(&from, &to, *status) {
            let new = || Gate { at: at.clone(), before: 0, example: from.to_string() };
            gates.entry(at.clone()).or_insert_with(new).before += 1;
        }
    }
    gates.into_values().collect()
}

/// The gate that this redirect leads to, if it is one: its address without the query.
pub(super) fn gate(from: &Url, to: &Url, status: u16) -> Option<Url> {
    (matches!(status, 302 | 303 | 307) && is_told(to, from)).then(|| without_query(to))
}

/// Has the one a parameter that is the other's address?
fn is_told(to: &Url, from: &Url) -> bool {
    let path = decoded(from.path());
    let whole = from.query().map(|query| format!("{path}?{}", decoded(query)));
    to.query_pairs().filter(|(name, _)| !OF_ERRORS.contains(&name.as_ref())).any(|(_, value)| {
        let value = decoded(&value);
        value == path || value == decoded(from.as_str()) || whole.as_ref() == Some(&value)
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

pub(super) fn without_query(url: &Url) -> Url {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(redirects: &[(&str, &str, u16)]) -> Vec<(String, usize, String)> {
        let absolute = |path: &str| format!("http://e.com{path}");
        let redirects: Vec<Redirect> = redirects
            .iter()
            .map(|(from, to, status)| Redirect {
                from: absolute(from),
                to: absolute(to),
                status: *status,
                steps: 1,
            })
            .collect();
        let gates = gates(redirects.iter()).into_iter();
        gates.map(|gate| (gate.at.path().to_owned(), gate.before, gate.example)).collect()
    }

    #[test]
    fn a_page_that_is_told_where_its_visitor_wanted_to_go_is_a_gate() {
        let found = told(&[
            ("/", "/consent?return=/", 302),
            ("/a?b=c", "/consent?return=%2Fa%3Fb%3Dc", 302),
            ("/mine", "/login?next=http%3A%2F%2Fe.com%2Fmine", 303),
            ("/%C3%BCber", "/login?next=%2F%C3%BCber", 307),
        ]);
        let example = |path: &str| format!("http://e.com{path}");
        assert_eq!(
            found,
            [("/consent".to_owned(), 2, example("/")), ("/login".to_owned(), 2, example("/mine"))]
        );
    }

    #[test]
    fn what_leads_on_for_good_or_says_nothing_is_none() {
        let other = [
            ("/old", "/new?from=/old", 301),
            ("/", "/en/", 302),
            ("/a", "/a?utm_source=b", 302),
            ("/random", "/pages/4?of=9", 307),
            ("/gone.aspx", "/Error?aspxerrorpath=/gone.aspx", 302),
        ];
        assert_eq!(told(&other), []);
    }
}
