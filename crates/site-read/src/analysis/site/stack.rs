//! What a site is made with, and whom it loads from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SORTS;
use crate::analysis::page::{PageAnalysis, ScriptKind};

/// Something that a site is made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Technology {
    /// Its name.
    pub name: String,
    /// `generator`, `platform`, or what its script does.
    pub sort: String,
    /// Its version, if one was seen.
    pub version: Option<String>,
    /// Pages that show it.
    pub pages: u32,
}

/// A host of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherHost {
    /// Its name.
    pub host: String,
    /// What it is for.
    pub purpose: String,
    /// Pages that load from it.
    pub pages: u32,
}

#[derive(Debug, Default)]
pub(super) struct Fold {
    technologies: BTreeMap<String, Technology>,
    hosts: BTreeMap<String, OtherHost>,
}

impl Fold {
    pub(super) fn page(&mut self, page: &PageAnalysis) {
        let mut seen: BTreeMap<String, (&str, Option<String>)> = BTreeMap::new();
        if let Some(generator) = &page.generator {
            let (name, version) = split(generator);
            seen.insert(name, ("generator", version));
        }
        for platform in &page.platforms {
            seen.entry(platform.clone()).or_insert(("platform", None));
        }
        for script in &page.scripts {
            if let (Some(name), Some(sort)) = (&script.name, sort_of(script.kind)) {
                let known = seen.entry(name.clone()).or_insert((sort, None));
                known.1 = known.1.take().or_else(|| script.version.clone());
            }
        }
        for (name, (sort, version)) in seen {
            self.technology(name, sort, version);
        }
        for party in &page.third_parties {
            if self.hosts.contains_key(&party.host) || self.hosts.len() < SORTS {
                let new = || OtherHost { host: party.host.clone(), purpose: party.purpose.clone(), pages: 0 };
                self.hosts.entry(party.host.clone()).or_insert_with(new).pages += 1;
            }
        }
    }

    fn technology(&mut self, name: String, sort: &str, version: Option<String>) {
        if !self.technologies.contains_key(&name) && self.technologies.len() >= SORTS {
            return;
        }
        let known = self.technologies.entry(name.clone()).or_insert_with(|| Technology {
            name,
            sort: sort.to_owned(),
            version: None,
            pages: 0,
        });
        known.pages += 1;
        known.version = known.version.take().or(version);
    }

    pub(super) fn technologies(&self) -> Vec<Technology> {
        self.technologies.values().cloned().collect()
    }

    pub(super) fn third_parties(&self) -> Vec<OtherHost> {
        self.hosts.values().cloned().collect()
    }
}

const fn sort_of(kind: ScriptKind) -> Option<&'static str> {
    match kind {
        ScriptKind::Analytics => Some("analytics"),
        ScriptKind::TagManager => Some("tag manager"),
        ScriptKind::Advertising => Some("advertising"),
        ScriptKind::Consent => Some("consent"),
        ScriptKind::Widget => Some("widget"),
        ScriptKind::Framework => Some("framework"),
        ScriptKind::Library => Some("library"),
        ScriptKind::DomMutation | ScriptKind::Own | ScriptKind::Data => None,
    }
}

/// `WordPress 6.4.2` is a name and a version; so is `Hugo 0.1-DEV`.
fn split(generator: &str) -> (String, Option<String>) {
    let mut name = Vec::new();
    for word in generator.split_whitespace() {
        let bare = word.trim_start_matches(['v', 'V', '(']);
        if bare.starts_with(|first: char| first.is_ascii_digit()) {
            let version = bare.trim_end_matches([':', ';', ',', ')']);
            return (name.join(" ").trim_end_matches([',', ':', ';']).to_owned(), Some(version.to_owned()));
        }
        name.push(word);
    }
    (name.join(" "), None)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_generator_is_a_name_and_a_version() {
        assert_eq!(split("WordPress 6.4.2"), ("WordPress".into(), Some("6.4.2".into())));
        assert_eq!(split("Docutils 0.17: https://x"), ("Docutils".into(), Some("0.17".into())));
        assert_eq!(split("Joomla! - Open Source"), ("Joomla! - Open Source".into(), None));
        assert_eq!(split("Hugo v0.1-DEV"), ("Hugo".into(), Some("0.1-DEV".into())));
    }
}
