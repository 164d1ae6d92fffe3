//! The words of a page: how many, and fingerprints by which like pages are found.

use super::Text;
use super::walk::Place;
use crate::analysis::hash::{self, Hash, Hasher, SimHash};

/// Words that a text needs before likeness means anything.
const ENOUGH: u32 = 20;

/// Bits of the fingerprint in which like texts differ at most.
const LIKE: u32 = 3;

impl Text {
    /// Do both say the same, but for a few words? Short texts have to be equal.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let long = self.main_words >= ENOUGH && other.main_words >= ENOUGH;
        let near = self.fingerprint.distance(other.fingerprint) <= LIKE;
        self.words > 0 && (self.hash == other.hash || long && near)
    }
}

pub(super) struct Words {
    all: Counted,
    main: Counted,
}

struct Counted {
    words: u32,
    like: SimHash,
    equal: Hasher,
}

impl Default for Words {
    fn default() -> Self {
        Self { all: Counted::new(), main: Counted::new() }
    }
}

impl Counted {
    const fn new() -> Self {
        Self { words: 0, like: SimHash::new(), equal: Hasher::new() }
    }

    fn word(&mut self, word: u64) {
        self.words = self.words.saturating_add(1);
        self.like.word(word);
        self.equal.number(word);
    }
}

impl Words {
    pub(super) fn text(&mut self, text: &str, place: &Place<'_>) {
        words(text, |word| {
            let word = hash::of(word);
            if place.frame == 0 {
                self.main.word(word);
            }
            // From here on the others' likeness is not asked for.
            if self.main.words < ENOUGH {
                self.all.word(word);
            } else {
                self.all.words = self.all.words.saturating_add(1);
            }
        });
    }

    pub(super) fn finish(self) -> Text {
        let (words, main_words) = (self.all.words, self.main.words);
        let told = if main_words >= ENOUGH { self.main } else { self.all };
        Text { words, main_words, fingerprint: told.like.finish(), hash: Hash(told.equal.finish()) }
    }
}

/// Bytes of a word that needs no memory of its own.
const SHORT: usize = 32;

/// Hands out each word in lower case; where a script has no spaces, each character.
fn words(text: &str, mut each: impl FnMut(&[u8])) {
    if !text.is_ascii() {
        return any_words(text, &mut each);
    }
    let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'\'';
    for word in text.as_bytes().split(ends).filter(|word| !word.is_empty()) {
        let mut short = [0; SHORT];
        match short.get_mut(..word.len()) {
            Some(lower) => {
                lower.copy_from_slice(word);
                lower.make_ascii_lowercase();
                each(lower);
            }
            None => each(&word.to_ascii_lowercase()),
        }
    }
}

fn any_words(text: &str, each: &mut impl FnMut(&[u8])) {
    let mut word = String::new();
    for character in text.chars() {
        if is_ideographic(character) {
            take(&mut word, each);
            each(character.encode_utf8(&mut [0; 4]).as_bytes());
        } else if character.is_alphanumeric() || is_mark(character) {
            word.extend(character.to_lowercase());
        } else {
            take(&mut word, each);
        }
    }
    take(&mut word, each);
}

fn take(word: &mut String, each: &mut impl FnMut(&[u8])) {
    if !word.is_empty() {
        each(word.as_bytes());
        word.clear();
    }
}

/// Signs that belong to the letter before: vowel signs and accents.
const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{93a}'..='\u{94f}' | '\'' | '\u{2019}')
}

/// Chinese, Japanese, and the South-East Asian scripts that write without spaces.
const fn is_ideographic(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{323af}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        words(text, |word| found.push(String::from_utf8(word.to_vec()).expect("text")));
        found
    }

    #[test]
    fn words_are_what_a_reader_counts() {
        assert_eq!(split("Don't  stop, ÉCOLE-2!"), ["don't", "stop", "école", "2"]);
        assert_eq!(split(&"A".repeat(40)), ["a".repeat(40)]);
        assert_eq!(split("東京 tower"), ["東", "京", "tower"]);
        assert_eq!(split("مرحبا بالعالم"), ["مرحبا", "بالعالم"]);
        assert_eq!(split(" .,;- "), Vec::<String>::new());
    }
}
