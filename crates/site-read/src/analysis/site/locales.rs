//! The languages of a site, and how its pages name each other's versions.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use site_fetch::disk::{Key, Table};
use url::Url;

use super::{EXAMPLES, SORTS};
use crate::analysis::hash;
use crate::analysis::page::{Direction, PageAnalysis};
use crate::fingerprints::key;
use crate::spill::Spill;

/// The languages of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Locales {
    /// Each language, by its tag in lower case; the empty tag stands for pages that do not say.
    pub languages: Vec<Locale>,
    /// Pages that name versions of themselves in other languages.
    pub paired_pages: u32,
    /// Versions named by a page that they do not name back: search engines ignore such pairs.
    pub one_way: u32,
    /// Some of them.
    pub one_way_examples: Vec<String>,
}

/// One language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Locale {
    /// Its tag in lower case.
    pub language: String,
    /// Pages in it.
    pub pages: u32,
    /// Which way it is written, as its pages say.
    pub direction: Option<Direction>,
    /// What its pages' paths begin with, if all begin with the same locale: `/de/`.
    pub prefix: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Fold {
    languages: BTreeMap<String, Language>,
    paired_pages: u32,
    /// From a page to a version, both by hash.
    pairs: Table<0>,
    /// The same with the version's address, by the order in which they came.
    named: Spill<(u64, u64, String)>,
    pages: Table<0>,
}

#[derive(Debug, Default)]
struct Language {
    pages: u32,
    direction: Option<Direction>,
    /// `None` before the first page; `Some(None)` when pages differ or have none.
    prefix: Option<Option<String>>,
}

impl Fold {
    pub(super) fn page(&mut self, url: &str, page: &PageAnalysis) -> io::Result<()> {
        let language = page.language.as_deref().unwrap_or_default().to_ascii_lowercase();
        if self.languages.contains_key(&language) || self.languages.len() < SORTS {
            let known = self.languages.entry(language).or_default();
            known.pages += 1;
            known.direction = known.direction.or(page.direction);
            let prefix = prefix_of(url);
            known.prefix = match known.prefix.take() {
                None => Some(prefix),
                Some(same) if same == prefix => Some(same),
                Some(_) => Some(None),
            };
        }
        self.alternates(url, page)
    }

    fn alternates(&mut self, url: &str, page: &PageAnalysis) -> io::Result<()> {
        let here = hash::of(url.as_bytes());
        self.pages.insert(key(here), [])?;
        let versions = page.alternates.iter().filter(|version| version.url != url);
        let mut paired = false;
        for version in versions.filter(|version| !version.language.eq_ignore_ascii_case("x-default")) {
            paired = true;
            let there = hash::of(version.url.as_bytes());
            if self.pairs.insert(pair(here, there), [])?.is_none() {
                let named = (here, there, version.url.clone());
                self.named.insert(format!("{:010}", self.named.len()), named, version.url.len() + 50)?;
            }
        }
        self.paired_pages += u32::from(paired);
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Locales> {
        let languages = self.languages.iter().map(locale).collect();
        let mut told = Locales { languages, paired_pages: self.paired_pages, ..Locales::default() };
        let mut named = self.named.sorted()?;
        while let Some((_, (here, there, url))) = named.next()? {
            let is_read = self.pages.get(&key(there))?.is_some();
            if is_read && self.pairs.get(&pair(there, here))?.is_none() {
                told.one_way = told.one_way.saturating_add(1);
                if told.one_way_examples.len() < EXAMPLES {
                    told.one_way_examples.push(url);
                }
            }
        }
        Ok(told)
    }
}

/// One page naming another, both by hash.
fn pair(here: u64, there: u64) -> Key {
    (u128::from(here) << 64 | u128::from(there)).to_be_bytes()
}

fn locale((language, known): (&String, &Language)) -> Locale {
    Locale {
        language: language.clone(),
        pages: known.pages,
        direction: known.direction,
        prefix: known.prefix.clone().flatten(),
    }
}

/// The first piece of a path, if it looks like a locale: `de`, `pt-br`, `zh_Hant`.
fn prefix_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let first = url.path_segments()?.next()?;
    let mut pieces = first.split(['-', '_']);
    let language = pieces.next()?;
    let letters = |piece: &str| piece.bytes().all(|byte| byte.is_ascii_alphabetic());
    let looks = language.len() == 2 && letters(language);
    let rest = pieces.next().is_none_or(|region| matches!(region.len(), 2 | 4) && letters(region));
    (looks && rest && pieces.next().is_none()).then(|| format!("/{first}/"))
}

#[cfg(test)]
mod tests {
    use super::prefix_of;

    #[test]
    fn a_locale_is_told_from_other_first_pieces() {
        let of = |path: &str| prefix_of(&format!("https://x.example{path}"));
        assert_eq!(of("/de/a").as_deref(), Some("/de/"));
        assert_eq!(of("/pt-br/").as_deref(), Some("/pt-br/"));
        assert_eq!(of("/zh_Hant/x").as_deref(), Some("/zh_Hant/"));
        for path in ["/", "/docs/", "/a-b-c/", "/deu/", "/42/", "/en-a/"] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
