//! The scripts of a page, in the order in which the browser met them. They are taken out of the tree and run by an island
//! once React has taken over, so that nothing they do is undone. Analytics and widgets that are known are Next's own to load,
//! and `async` ones that need nothing of the chain. Data that only looks like a script stays where it is.

use std::collections::{BTreeMap, BTreeSet};

use site_read::analysis::{
    ScriptKind,
    known::{self, Loading, Service},
};

mod taken;

pub(crate) use taken::{of_body, of_head, unmark};

/// One script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) src: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) module: bool,
    /// Waits for the whole document, as `defer` and modules do.
    pub(crate) deferred: bool,
    /// How Next.js loads it: nothing of the page waits for it, and it waits for nothing. None for the chain.
    pub(crate) loading: Option<Loading>,
    /// Whose it is, if that is known.
    pub(crate) service: Option<Service>,
    /// The name of the mark where it stood; none for one at the end that does not ask for its place.
    pub(crate) place: Option<String>,
    /// What else its element says: `id`, `data-*`, `integrity`, `onload`.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Script {
    /// A script without a file.
    pub(crate) fn inline(code: String) -> Self {
        let (attributes, service) = (BTreeMap::new(), known::script_saying(&code));
        let code = Some(code);
        Self {
            src: None,
            code,
            module: false,
            deferred: false,
            loading: None,
            service,
            place: None,
            attributes,
        }
    }
}

/// What an inline script says that does more than to start a service: it waits for others, or changes the page.
const OWN_WORK: &[&str] = &[
    "$(",
    "jquery",
    "document.write",
    "domcontentloaded",
    "getelementbyid",
    "innerhtml",
    "queryselector",
    "window.onload",
    "\"click\"",
    "'click'",
    "\"submit\"",
    "'submit'",
];
/// A start of a service is no longer than this, in bytes.
const LONGEST_START: usize = 4096;

/// Gives analytics and widgets to Next.js: all of a service, or nothing of it, since its scripts may wait for one another.
pub(crate) fn tell_apart(scripts: &mut [Script]) {
    let held: BTreeSet<&str> = scripts
        .iter()
        .filter(|script| script.apart().is_none())
        .filter_map(|script| script.service.map(|service| service.name))
        .collect();
    let loading: Vec<Option<Loading>> = scripts
        .iter()
        .map(|script| script.apart().filter(|_| script.service.is_some_and(|it| !held.contains(it.name))))
        .collect();
    for (script, apart) in scripts.iter_mut().zip(loading) {
        script.loading = apart.or(script.loading);
    }
}

impl Script {
    /// Puts one that Next.js would load into the chain, behind all that does not wait.
    pub(crate) fn join(&mut self) {
        self.deferred |= self.loading.take().is_some();
    }

    /// Puts one of the site's own that waits for nothing into the chain, whose page is whole when it begins.
    pub(crate) fn wait_for_the_page(&mut self) {
        if self.reads_the_page() && self.loading.take().is_some() {
            self.attributes.insert("async".to_owned(), String::new());
        }
    }

    /// Does it work on the page that it stands in? What other parties bring, to count or to show something, does not; a
    /// library does, and an inline script that does more than to start them.
    pub(crate) fn reads_the_page(&self) -> bool {
        let is_own = |it: Service| matches!(it.kind, ScriptKind::Framework | ScriptKind::Library);
        self.service.is_none_or(is_own) || !self.starts_at_most()
    }

    /// How its service lets it be loaded apart, if it does nothing else.
    fn apart(&self) -> Option<Loading> {
        let alone = self.starts_at_most() && !self.module && !has_handler(&self.attributes);
        self.service.and_then(|service| service.loading).filter(|_| alone)
    }

    /// Does what it says itself nothing but to start a service?
    fn starts_at_most(&self) -> bool {
        self.code.as_ref().is_none_or(|code| {
            let text = code.to_ascii_lowercase();
            code.len() <= LONGEST_START && !OWN_WORK.iter().any(|word| text.contains(word))
        })
    }
}

/// Is there one that is told when a script came (`onload`)?
fn has_handler(attributes: &BTreeMap<String, String>) -> bool {
    attributes.keys().any(|name| name.starts_with("on"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    #[rstest]
    #[case::own("<script src=/js/site.js></script>", true)]
    #[case::a_library("<script src=/js/jquery.min.js></script>", true)]
    #[case::a_framework("<script src=/_nuxt/entry.js></script>", true)]
    #[case::one_that_counts("<script src='https://www.googletagmanager.com/gtag/js?id=G-1'></script>", false)]
    #[case::one_that_starts_to_count("<script>gtag('config', 'G-1')</script>", false)]
    #[case::one_that_counts_and_more(
        "<script type=module>gtag('event', 'seen'); document.querySelector('p').hidden = true</script>",
        true
    )]
    #[case::one_that_shows("<script src=https://client.crisp.chat/l.js></script>", false)]
    fn scripts_of_the_site_and_its_libraries_read_the_page(#[case] script: &str, #[case] reads: bool) {
        let mut body = parse::document(&format!("<!doctype html><body>{script}")).body;
        let scripts = of_body(&mut body, &mut Vec::new());
        assert_eq!(scripts.iter().map(Script::reads_the_page).collect::<Vec<_>>(), [reads]);
    }
}
