//! Pages that say the same, or nearly.
//!
//! The texts' hashes are sorted on disk: once by themselves, which brings equal texts together, and once by each quarter of
//! their fingerprints, which brings those together that may be alike. In memory there are eight bytes for each different
//! text, and only at the end.

use std::collections::VecDeque;
use std::io;

use serde::{Deserialize, Serialize};

use super::EXAMPLES;
use crate::analysis::hash::Hash;
use crate::analysis::page::Text;
use crate::spill::Spill;

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
/// Bytes of an entry on disk besides its key and address, about.
const RECORD: usize = 32;

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

impl Group {
    fn add(&mut self, example: &str) {
        self.pages += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example.to_owned());
        }
    }
}

/// A page with a text, or the first page of several with the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    hash: u64,
    fingerprint: u64,
    words: u32,
    url: String,
}

#[derive(Debug, Default)]
pub(super) struct Fold {
    /// By text, then by the order in which pages came.
    pages: Spill<Said>,
    came: u32,
}

impl Fold {
    pub(super) fn page(&mut self, url: &str, text: &Text) -> io::Result<()> {
        if text.words == 0 {
            return Ok(());
        }
        let said = Said {
            hash: text.hash.0,
            fingerprint: text.fingerprint.0,
            words: text.main_words,
            url: url.to_owned(),
        };
        let key = format!("{:016x}{:08x}", said.hash, self.came);
        self.came += 1;
        self.pages.insert(key, said, RECORD + url.len())
    }

    pub(super) fn finish(self) -> io::Result<Duplicates> {
        let (exact, texts) = self.exact()?;
        Ok(Duplicates { exact, near: near(texts)? })
    }

    /// Groups of equal texts, and the first page of each different text in the order in which they came.
    fn exact(mut self) -> io::Result<(Vec<Group>, Spill<Said>)> {
        let (mut largest, mut texts) = (Largest::default(), Spill::default());
        let mut current: Option<(u64, Group)> = None;
        let mut pages = self.pages.sorted()?;
        while let Some((key, said)) = pages.next()? {
            if let Some((hash, group)) = &mut current
                && *hash == said.hash
            {
                group.add(&said.url);
                continue;
            }
            let mut group = Group { pages: 0, examples: Vec::new() };
            group.add(&said.url);
            if let Some((_, whole)) = current.replace((said.hash, group)) {
                largest.offer(whole);
            }
            let bytes = RECORD + said.url.len();
            texts.insert(key[16..].to_owned(), said, bytes)?;
        }
        if let Some((_, whole)) = current {
            largest.offer(whole);
        }
        Ok((largest.finish(), texts))
    }
}

/// Different texts that are alike, grouped by likeness to any other of the group.
fn near(mut texts: Spill<Said>) -> io::Result<Vec<Group>> {
    let mut leaders = Leaders::default();
    let mut pieces: Spill<(u32, u64)> = Spill::default();
    let mut sorted = texts.sorted()?;
    while let Some((_, text)) = sorted.next()? {
        let place = leaders.add();
        for piece in (0..PIECES).filter(|_| text.words >= ENOUGH) {
            let bits = (text.fingerprint >> (piece * 16)) as u16;
            pieces.insert(format!("{piece}{bits:04x}{place:08x}"), (place, text.fingerprint), RECORD)?;
        }
    }
    // The last ones that share a piece.
    let mut others: VecDeque<(u32, u64)> = VecDeque::with_capacity(COMPARED);
    let mut shared = String::new();
    let mut sorted = pieces.sorted()?;
    while let Some((key, (place, fingerprint))) = sorted.next()? {
        let piece = key.get(..5).unwrap_or_default();
        if shared != piece {
            piece.clone_into(&mut shared);
            others.clear();
        }
        for &(other, near) in &others {
            if Hash(near).distance(Hash(fingerprint)) <= NEAR {
                leaders.join(other, place);
            }
        }
        if others.len() == COMPARED {
            others.pop_front();
        }
        others.push_back((place, fingerprint));
    }
    let told = leaders.largest();
    let mut groups: Vec<Group> =
        told.iter().map(|(_, pages)| Group { pages: *pages, examples: Vec::new() }).collect();
    let (mut sorted, mut place) = (texts.sorted()?, 0);
    while let Some((_, text)) = sorted.next()? {
        let leader = leaders.of(place);
        if let Some(at) = told.iter().position(|(of, _)| *of == leader)
            && groups[at].examples.len() < EXAMPLES
        {
            groups[at].examples.push(text.url);
        }
        place += 1;
    }
    Ok(groups)
}

/// Texts joined into groups, each led by its first.
#[derive(Default)]
struct Leaders(Vec<u32>);

impl Leaders {
    /// One more text, alone; its place.
    fn add(&mut self) -> u32 {
        let place = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push(place);
        place
    }

    fn of(&mut self, mut place: u32) -> u32 {
        while self.0[place as usize] != place {
            let above = self.0[place as usize];
            self.0[place as usize] = self.0[above as usize];
            place = above;
        }
        place
    }

    fn join(&mut self, one: u32, two: u32) {
        let (one, two) = (self.of(one), self.of(two));
        self.0[one.max(two) as usize] = one.min(two);
    }

    /// Leaders of the largest groups with the number of their texts, the largest first, then the first.
    fn largest(&mut self) -> Vec<(u32, u32)> {
        let mut counts = vec![0_u32; self.0.len()];
        for place in 0..self.0.len() as u32 {
            counts[self.of(place) as usize] += 1;
        }
        let counts = counts.into_iter().zip(0..).filter(|(count, _)| *count > 1);
        let mut largest: Vec<(u32, u32)> = counts.map(|(count, leader)| (leader, count)).collect();
        largest.sort_by_key(|(leader, count)| (std::cmp::Reverse(*count), *leader));
        largest.truncate(GROUPS);
        largest
    }
}

/// The largest groups of several pages.
#[derive(Default)]
struct Largest(Vec<Group>);

impl Largest {
    fn offer(&mut self, group: Group) {
        if group.pages > 1 {
            self.0.push(group);
        }
        if self.0.len() > 4 * GROUPS {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.0.sort_by(|one, two| two.pages.cmp(&one.pages).then_with(|| one.examples.cmp(&two.examples)));
        self.0.truncate(GROUPS);
    }

    fn finish(mut self) -> Vec<Group> {
        self.cut();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(hash: u64, fingerprint: u64) -> Text {
        Text { words: 100, main_words: 100, hash: Hash(hash), fingerprint: Hash(fingerprint) }
    }

    /// So many that nothing of it stays in memory, in more groups than are told.
    #[test]
    fn groups_of_a_large_site_are_found_on_disk() {
        let mut fold = Fold::default();
        for page in 0..30_000_u64 {
            // A hundred pages each of three hundred texts; neighbours among the texts differ in one bit.
            let number = page % 300;
            let spread = (number / 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            fold.page(&format!("/{page:05}"), &text(number, spread ^ (number & 1) << 40)).expect("taken");
        }
        let found = fold.finish().expect("told");
        assert_eq!((found.exact.len(), found.near.len()), (GROUPS, GROUPS));
        for (number, group) in found.exact.iter().enumerate() {
            let examples = (0..EXAMPLES).map(|page| format!("/{:05}", number + page * 300)).collect();
            assert_eq!(*group, Group { pages: 100, examples });
        }
        for (number, group) in found.near.iter().enumerate() {
            let examples = [2 * number, 2 * number + 1].map(|page| format!("/{page:05}")).to_vec();
            assert_eq!(*group, Group { pages: 2, examples });
        }
    }
}
