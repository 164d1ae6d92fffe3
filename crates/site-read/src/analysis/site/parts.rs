//! Parts that pages share.

use std::collections::HashMap;
use std::io;

use serde::{Deserialize, Serialize};
use site_fetch::disk::Table;

use super::SORTS;
use crate::analysis::hash::{Hash, Hasher};
use crate::analysis::page::{PageAnalysis, PartRole};
use crate::fingerprints::key;

/// Contents told apart of one part.
const VARIANTS: u32 = 1_000;
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
    parts: HashMap<(PartRole, Hash), SharedPart>,
    /// Hashes of a part together with a content of it.
    contents: Table<0>,
}

impl Fold {
    pub(super) fn page(&mut self, url: &str, page: &PageAnalysis) -> io::Result<()> {
        for part in &page.parts {
            let shape = (part.role, part.structure);
            if !self.parts.contains_key(&shape) && self.parts.len() >= SORTS {
                continue;
            }
            let shared = self.parts.entry(shape).or_insert_with(|| SharedPart {
                role: part.role,
                structure: part.structure,
                pages: 0,
                coverage: 0,
                variants: 0,
                elements: part.elements,
                example: url.to_owned(),
            });
            shared.pages += 1;
            if shared.variants < VARIANTS {
                let mut hasher = Hasher::new();
                for number in [part.role as u64, part.structure.0, part.content.0] {
                    hasher.number(number);
                }
                let new = self.contents.insert(key(hasher.finish()), [])?.is_none();
                shared.variants += u32::from(new);
            }
        }
        Ok(())
    }

    /// Those that stand on two pages or more, the most widespread first.
    pub(super) fn finish(self, pages: u32) -> Vec<SharedPart> {
        let shared = self.parts.into_values().filter(|part| part.pages > 1);
        let mut shared: Vec<SharedPart> =
            shared.map(|part| SharedPart { coverage: percent(part.pages, pages), ..part }).collect();
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
