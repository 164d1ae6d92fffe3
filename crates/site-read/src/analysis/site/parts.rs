//! Parts that pages share.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::SORTS;
use crate::analysis::hash::Hash;
use crate::analysis::page::{PageAnalysis, PartRole};

/// Contents told apart of one part.
const VARIANTS: usize = 1_000;
/// Parts that are told.
const TOLD: usize = 50;

/// A part that pages share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedPart {
    /// What it is.
    pub role: PartRole,
    /// Its shape.
    pub structure: Hash,
    /// Pages that have it.
    pub pages: u32,
    /// The same, of a hundred.
    pub coverage: u8,
    /// Different contents: 1 is the same everywhere. Those of cards are not told apart.
    pub variants: u32,
    /// Elements in it.
    pub elements: u32,
    /// A page that has it.
    pub example: String,
}

#[derive(Debug, Default)]
pub(super) struct Fold {
    parts: HashMap<(PartRole, Hash), (SharedPart, HashSet<Hash>)>,
}

impl Fold {
    pub(super) fn page(&mut self, url: &str, page: &PageAnalysis) {
        for part in &page.parts {
            let key = (part.role, part.structure);
            if !self.parts.contains_key(&key) && self.parts.len() >= SORTS {
                continue;
            }
            let (shared, contents) = self.parts.entry(key).or_insert_with(|| {
                let shared = SharedPart {
                    role: part.role,
                    structure: part.structure,
                    pages: 0,
                    coverage: 0,
                    variants: 0,
                    elements: part.elements,
                    example: url.to_owned(),
                };
                (shared, HashSet::new())
            });
            shared.pages += 1;
            if contents.len() < VARIANTS {
                contents.insert(part.content);
            }
        }
    }

    /// Those that stand on two pages or more, the most widespread first.
    pub(super) fn finish(self, pages: u32) -> Vec<SharedPart> {
        let shared = self.parts.into_values().filter(|(part, _)| part.pages > 1);
        let mut shared: Vec<SharedPart> = shared
            .map(|(part, contents)| SharedPart {
                coverage: percent(part.pages, pages),
                variants: u32::try_from(contents.len()).unwrap_or(u32::MAX),
                ..part
            })
            .collect();
        shared.sort_by(|one, two| {
            let largest = two.elements.cmp(&one.elements);
            two.pages.cmp(&one.pages).then(largest).then(one.structure.cmp(&two.structure))
        });
        shared.truncate(TOLD);
        shared
    }
}

fn percent(part: u32, whole: u32) -> u8 {
    let percent = u64::from(part) * 100 / u64::from(whole.max(1));
    u8::try_from(percent.min(100)).unwrap_or(100)
}
