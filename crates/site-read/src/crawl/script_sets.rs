//! Which pages are worth opening for what their scripts ask for, or link to: one for each set of scripts, if one of these asks at all.
//! Decided in canonical order from what was merged; asks nothing itself.

use std::collections::{HashMap, HashSet};

use url::Url;

use crate::journal::Scripts;
use crate::web_address::normal_form;

/// Sets of scripts that are told apart. A site with more has one for each page, and the bound on openings is long reached.
const MOST_SETS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct ScriptSets {
    /// Of the sets: only the first page of each counts.
    names: HashSet<u64>,
    /// By the normal form of the page that has them.
    pages: HashMap<String, Scripts>,
    /// Scripts that ask for files or make links, in their normal forms.
    asking: HashSet<String>,
    opened: usize,
}

/// What comes of a page with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// None of its scripts asks for anything, or makes links.
    Needless,
    /// It is opened.
    Begun,
    /// It would be, but as many as may be were opened before.
    Bounded,
}

impl ScriptSets {
    /// Takes note of a page; `true` if its scripts are new.
    pub(super) fn learn(&mut self, page: &Url, scripts: &Scripts) -> bool {
        let new = self.names.len() < MOST_SETS && self.names.insert(scripts.name);
        if new {
            self.pages.insert(normal_form(page), scripts.clone());
        }
        new
    }

    /// Takes note of a script that asks for files or makes links.
    pub(super) fn asks(&mut self, script: &Url) {
        self.asking.insert(normal_form(script));
    }

    /// Whether this page is opened: its scripts have been read by now.
    pub(super) fn open(&mut self, page: &Url, most: usize) -> Opening {
        let Some(scripts) = self.pages.remove(&normal_form(page)) else { return Opening::Needless };
        if !scripts.ask && !scripts.files.iter().any(|file| self.asking.contains(&normal_form(file))) {
            return Opening::Needless;
        }
        if self.opened >= most {
            return Opening::Bounded;
        }
        self.opened += 1;
        Opening::Begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse("https://a.example/").and_then(|base| base.join(path)).expect("an address")
    }

    #[test]
    fn one_page_is_opened_for_each_set_of_scripts_that_asks() {
        let mut sets = ScriptSets::default();
        let scripts = |name, file: &str| Scripts { name, ask: false, files: vec![url(file)] };
        assert!(sets.learn(&url("one"), &scripts(1, "ask.js")));
        assert!(!sets.learn(&url("same"), &scripts(1, "ask.js")));
        assert!(sets.learn(&url("mute"), &scripts(2, "menu.js")));
        assert!(sets.learn(&url("inline"), &Scripts { ask: true, ..scripts(3, "menu.js") }));
        sets.asks(&url("ask.js"));
        assert_eq!(sets.open(&url("one"), 1), Opening::Begun);
        assert_eq!(sets.open(&url("mute"), 1), Opening::Needless);
        assert_eq!(sets.open(&url("inline"), 1), Opening::Bounded);
    }
}
