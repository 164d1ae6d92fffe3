//! Pages that say the same, or nearly.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::EXAMPLES;
use crate::analysis::hash::Hash;
use crate::analysis::page::Text;

/// Fewer words are alike by chance.
const ENOUGH: u32 = 50;
/// Bits of the fingerprint in which like texts may differ, and the pieces that it is cut into: with so few
/// differences, one of four pieces is equal (Manku, Jain, Das Sarma 2007).
const NEAR: u32 = 3;
const PIECES: u32 = 4;
/// Groups that are told.
const GROUPS: usize = 50;
/// Comparisons for one page: where very many share a piece, a few tell.
const COMPARED: usize = 64;

/// Pages that say the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duplicates {
    /// Word for word, the largest group first.
    pub exact: Vec<Group>,
    /// But for a few words, the largest group first; a text counts once.
    pub near: Vec<Group>,
}

/// Some pages that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// How many.
    pub pages: u32,
    /// Some of them.
    pub examples: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Fold {
    texts: Vec<Same>,
    by_hash: HashMap<Hash, usize>,
}

/// Pages with one text.
#[derive(Debug)]
struct Same {
    fingerprint: Hash,
    words: u32,
    group: Group,
}

impl Fold {
    pub(super) fn page(&mut self, url: &str, text: &Text) {
        if text.words == 0 {
            return;
        }
        let place = *self.by_hash.entry(text.hash).or_insert(self.texts.len());
        if place == self.texts.len() {
            let group = Group { pages: 0, examples: Vec::new() };
            self.texts.push(Same { fingerprint: text.fingerprint, words: text.main_words, group });
        }
        let group = &mut self.texts[place].group;
        group.pages += 1;
        if group.examples.len() < EXAMPLES {
            group.examples.push(url.to_owned());
        }
    }

    pub(super) fn finish(self) -> Duplicates {
        let near = self.near();
        let exact = self.texts.into_iter().map(|same| same.group);
        Duplicates { exact: largest(exact.filter(|group| group.pages > 1)), near: largest(near.into_iter()) }
    }

    /// Different texts that are alike, grouped by likeness to any other of the group.
    fn near(&self) -> Vec<Group> {
        let mut leaders: Vec<usize> = (0..self.texts.len()).collect();
        let mut by_piece: HashMap<(u32, u16), Vec<usize>> = HashMap::new();
        for (place, text) in self.texts.iter().enumerate().filter(|(_, text)| text.words >= ENOUGH) {
            for piece in 0..PIECES {
                let bits = (text.fingerprint.0 >> (piece * 16)) as u16;
                let others = by_piece.entry((piece, bits)).or_default();
                for &other in others.iter().rev().take(COMPARED) {
                    if self.texts[other].fingerprint.distance(text.fingerprint) <= NEAR {
                        let (one, two) = (leader(&mut leaders, other), leader(&mut leaders, place));
                        leaders[one.max(two)] = one.min(two);
                    }
                }
                others.push(place);
            }
        }
        let mut groups: HashMap<usize, Group> = HashMap::new();
        for place in 0..self.texts.len() {
            let group = groups.entry(leader(&mut leaders, place));
            let group = group.or_insert_with(|| Group { pages: 0, examples: Vec::new() });
            group.pages += 1;
            if group.examples.len() < EXAMPLES {
                group.examples.extend(self.texts[place].group.examples.first().cloned());
            }
        }
        groups.into_values().filter(|group| group.pages > 1).collect()
    }
}

fn leader(leaders: &mut [usize], mut place: usize) -> usize {
    while leaders[place] != place {
        leaders[place] = leaders[leaders[place]];
        place = leaders[place];
    }
    place
}

fn largest(groups: impl Iterator<Item = Group>) -> Vec<Group> {
    let mut groups: Vec<Group> = groups.collect();
    groups.sort_by(|one, two| two.pages.cmp(&one.pages).then_with(|| one.examples.cmp(&two.examples)));
    groups.truncate(GROUPS);
    groups
}
