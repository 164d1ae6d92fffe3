//! Cookie walls: answered with no, never with yes.
//!
//! The table (`consent.json`) holds the refusing buttons of known consent tools, and the words of such buttons in
//! many languages, which count only on something that lies over the page and speaks of cookies. What offers no
//! refusal is hidden, and told so: the page then shows what a visitor sees after the wall, and nothing was agreed to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

const TABLE: &str = include_str!("consent.json");
const SCRIPT: &str = include_str!("consent.js");

/// A cookie wall that stood before the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Wall {
    /// It was told no.
    Refused {
        /// The consent tool, or the words on the button.
        by: String,
    },
    /// It had no button to refuse, and was hidden.
    Hidden {
        /// Its id and classes.
        by: String,
    },
}

/// A script that refuses the first wall it finds and returns what it did.
pub(super) fn script() -> String {
    call("refuse")
}

/// The same for a frame that lies over the page: all of it is the wall, if it speaks of cookies.
pub(super) fn framed_script() -> String {
    call("framed")
}

/// A script that returns where such a frame comes from, if it speaks of cookies.
pub(super) fn about_script() -> String {
    call("about")
}

/// A script that hides what is left and returns what it did. Where a frame was hidden before, the veil behind it goes
/// too.
pub(super) fn hiding_script(after_a_frame: bool) -> String {
    call(if after_a_frame { "unveil" } else { "hide" })
}

fn call(task: &str) -> String {
    // The first line is for readers of the file.
    let function = SCRIPT.split_once('\n').map_or(SCRIPT, |(_, rest)| rest);
    format!("({})({TABLE}, '{task}')", function.trim().trim_end_matches(';'))
}

/// What a script returned; what it has not returned in this shape is no wall.
pub(super) fn walls(found: &Value) -> Vec<Wall> {
    let found = found.as_array().into_iter().flatten();
    found.filter_map(|wall| Wall::deserialize(wall).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        refuse: Vec<Refusal>,
        words: BTreeMap<String, Vec<String>>,
        surely: Vec<String>,
        about: Vec<String>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Refusal {
        name: String,
        selector: String,
    }

    fn table() -> Table {
        serde_json::from_str(TABLE).expect("the table is JSON of this shape")
    }

    #[test]
    fn every_selector_can_be_used_and_stands_once() {
        let mut seen = BTreeSet::new();
        for Refusal { name, selector } in table().refuse {
            assert!(scraper::Selector::parse(&selector).is_ok(), "{name}: {selector}");
            assert!(seen.insert(selector), "{name} stands twice");
        }
    }

    #[test]
    fn words_are_written_as_they_are_compared() {
        for (language, words) in table().words {
            let different: BTreeSet<&String> = words.iter().collect();
            assert_eq!(different.len(), words.len(), "{language} says something twice");
            for word in words {
                assert_eq!(word, word.to_lowercase().trim(), "{language}");
            }
        }
        for word in table().about.iter().chain(&table().surely) {
            assert_eq!(*word, word.to_lowercase(), "compared with text in lower case");
        }
    }

    #[test]
    fn nothing_in_the_table_agrees_to_tracking() {
        let yes =
            ["accept all", "alle akzeptieren", "tout accepter", "aceptar todo", "accetta tutti", "agree"];
        for word in table().words.values().flatten() {
            assert!(!yes.contains(&word.as_str()), "{word}");
        }
        for Refusal { name, selector } in table().refuse {
            let selector = selector.to_lowercase();
            assert!(!selector.contains("accept-all") && !selector.contains("allowall"), "{name}");
        }
    }

    #[test]
    fn what_is_no_wall_is_passed_over() {
        let found = serde_json::json!([{ "how": "refused", "by": "x" }, { "how": "accepted" }, 7]);
        assert_eq!(walls(&found), [Wall::Refused { by: "x".to_owned() }]);
        assert!(walls(&Value::Null).is_empty());
    }
}
