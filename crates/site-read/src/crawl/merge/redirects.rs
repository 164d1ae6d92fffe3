//! Redirects as they were seen, and chains of them made into one step.

use std::collections::{BTreeMap, HashSet};

use url::Url;

use crate::snapshot::Redirect;
use crate::web_address::{normal_form, without_fragment};

#[derive(Debug, Default)]
pub(super) struct Redirects {
    /// By the source's normal form.
    seen: BTreeMap<String, Redirect>,
}

impl Redirects {
    /// Between two spellings of one address there is nothing to redirect.
    pub(super) fn add(&mut self, from: &Url, to: &Url, status: u16) {
        if normal_form(from) == normal_form(to) {
            return;
        }
        let redirect = Redirect {
            from: without_fragment(from).to_string(),
            to: without_fragment(to).to_string(),
            status,
            steps: 1,
        };
        self.seen.entry(normal_form(from)).or_insert(redirect);
    }

    /// Every redirect as it was seen, of one step.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Redirect> {
        self.seen.values()
    }

    /// Each source with the end of its chain, and the sources that never end.
    pub(super) fn collapse(&self) -> (Vec<Redirect>, Vec<String>) {
        let mut ending = Vec::new();
        let mut endless = Vec::new();
        for (form, redirect) in &self.seen {
            match self.end(form, redirect) {
                Some((to, steps)) => ending.push(Redirect { to: to.to_owned(), steps, ..redirect.clone() }),
                None => endless.push(redirect.from.clone()),
            }
        }
        ending.sort();
        (ending, endless)
    }

    /// Where a chain ends and how many redirects it has; `None` if it never ends.
    fn end<'a>(&'a self, form: &'a str, first: &'a Redirect) -> Option<(&'a str, u32)> {
        let mut passed = HashSet::from([form.to_owned()]);
        let mut to = first.to.as_str();
        let mut steps = 1;
        loop {
            let form = Url::parse(to).map(|url| normal_form(&url)).ok()?;
            if passed.contains(&form) {
                return None;
            }
            let Some(next) = self.seen.get(&form) else {
                return Some((to, steps));
            };
            to = &next.to;
            steps += 1;
            passed.insert(form);
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::Redirects;

    #[test]
    fn chains_end_and_circles_are_told() {
        let url = |path: &str| Url::parse("http://e.com").and_then(|base| base.join(path)).expect("a path");
        let mut redirects = Redirects::default();
        for (from, to) in
            [("/a", "/b"), ("/b", "/c#x"), ("/x", "/y"), ("/y", "/x"), ("/z", "/x"), ("/s", "/%73")]
        {
            redirects.add(&url(from), &url(to), 301);
        }
        let (ending, endless) = redirects.collapse();
        let ending: Vec<_> = ending.iter().map(|r| (r.from.as_str(), r.to.as_str())).collect();
        assert_eq!(ending, [("http://e.com/a", "http://e.com/c"), ("http://e.com/b", "http://e.com/c")]);
        assert_eq!(endless, ["/x", "/y", "/z"].map(|path| url(path).to_string()));
    }
}
