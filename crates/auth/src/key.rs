//! The shape of an API key: `rsk_<prefix>_<secret>`. The prefix finds the row, the hash of the whole decides.
//!
//! The secret holds 256 bits of randomness, so a plain SHA-256 is enough: there is nothing to guess, and the
//! slow hashes made for passwords would only make each request slow.

use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SCHEME: &str = "rsk";
const PREFIX_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;

/// A key's text, or a session's token, shown to its owner once. Debug does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(String);

impl Plaintext {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself: for the one answer that shows it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext(…)")
    }
}

/// A key just made: the text for its owner, prefix and hash for the database.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// `rsk_<12 characters>_<43 characters>`.
    pub plaintext: Plaintext,
    /// What the row is found by; not secret.
    pub prefix: String,
    /// SHA-256 of the whole text.
    pub hash: [u8; 32],
}

/// Makes a new key from the operating system's randomness.
pub fn generate() -> NewKey {
    let prefix = random_text(PREFIX_LENGTH);
    let plaintext = format!("{SCHEME}_{prefix}_{}", random_text(SECRET_LENGTH));
    let hash = hash(&plaintext);
    NewKey { plaintext: Plaintext(plaintext), prefix, hash }
}

/// The SHA-256 of a key's whole text.
pub(crate) fn hash(plaintext: &str) -> [u8; 32] {
    Sha256::digest(plaintext.as_bytes()).into()
}

/// The prefix of a text that has the shape of a key.
pub(crate) fn prefix_of(plaintext: &str) -> Option<&str> {
    let (prefix, secret) = plaintext.strip_prefix(SCHEME)?.strip_prefix('_')?.split_once('_')?;
    let shaped = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric());
    (shaped(prefix, PREFIX_LENGTH) && shaped(secret, SECRET_LENGTH)).then_some(prefix)
}

/// Letters and digits, each equally likely.
pub(crate) fn random_text(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // A v4 UUID is the operating system's randomness but for six fixed bits, in bytes 6 and 8.
        let bytes = Uuid::new_v4().into_bytes();
        let random =
            bytes.into_iter().enumerate().filter(|(at, _)| *at != 6 && *at != 8).map(|(_, byte)| byte);
        // 248 = 4 × 62: what lies above would make some characters likelier than others.
        let drawn =
            random.filter(|byte| *byte < 248).map(|byte| char::from(ALPHABET[usize::from(byte) % 62]));
        text.extend(drawn.take(length - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_has_the_documented_shape_and_its_own_hash() {
        let key = generate();
        assert_eq!(prefix_of(key.plaintext.expose()), Some(key.prefix.as_str()));
        assert_eq!(key.hash, hash(key.plaintext.expose()));
        assert_eq!(key.plaintext.expose().len(), 3 + 1 + PREFIX_LENGTH + 1 + SECRET_LENGTH);
        assert_ne!(key.plaintext, generate().plaintext);
    }

    #[test]
    fn nothing_else_has_the_shape() {
        let good = generate().plaintext.expose().to_owned();
        for bad in ["", "rsk", "rsk__", &good[1..], &good[..good.len() - 1], &good.replace('_', "-")] {
            assert_eq!(prefix_of(bad), None, "{bad}");
        }
        assert_eq!(prefix_of(&format!("{}é", &good[..good.len() - 2])), None);
    }

    #[test]
    fn every_character_is_drawn() {
        let drawn: std::collections::BTreeSet<char> = random_text(20_000).chars().collect();
        assert_eq!(drawn.len(), 62);
    }

    #[test]
    fn debug_does_not_print_the_secret() {
        let key = generate();
        assert!(!format!("{key:?}").contains(key.plaintext.expose()));
    }
}
