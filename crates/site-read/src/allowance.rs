//! How much is taken of what one document refers to: so many addresses, and so many bytes of them.
//!
//! A document of some kilobytes can name gigabytes: thousands of short references behind a long `<base>`. What came of one
//! request has to fit a journal's record ([`crate::journal::MAX_VISIT`]), and this is the largest part of it.

use url::Url;

/// Most different references of one document.
pub(crate) const MAX_REFERENCES: usize = 50_000;
/// Most bytes of them all as JSON: more than twice what a sitemap of fifty thousand ordinary addresses has.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// What may still be taken.
#[derive(Debug)]
pub(crate) struct Allowance {
    references: usize,
    bytes: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { references: MAX_REFERENCES, bytes: MAX_BYTES }
    }
}

impl Allowance {
    /// Whether this one may be taken too. After the first that may not, none may.
    pub(crate) fn takes(&mut self, url: &Url) -> bool {
        let text = url.as_str();
        // Quotes and a comma; of what an address may hold JSON escapes nothing but backslashes.
        let bytes = text.len() + text.bytes().filter(|byte| *byte == b'\\').count() + 3;
        if self.references == 0 || bytes > self.bytes {
            self.references = 0;
            return false;
        }
        self.references -= 1;
        self.bytes -= bytes;
        true
    }

    /// Takes what may be taken; `true` if that is not all.
    pub(crate) fn cut(&mut self, urls: &mut Vec<Url>) -> bool {
        let taken = urls.iter().take_while(|url| self.takes(url)).count();
        let cut = taken < urls.len();
        urls.truncate(taken);
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_fits_its_bytes_as_json() {
        for query in ["x", "\\"] {
            let url = Url::parse(&format!("http://e.com/?{}", query.repeat(8000))).expect("an address");
            let (mut urls, mut allowance) = (vec![url; 3000], Allowance::default());
            assert!(allowance.cut(&mut urls));
            let json = serde_json::to_vec(&urls).expect("JSON").len();
            assert!(json <= MAX_BYTES && json > MAX_BYTES - 32_000, "{query}: {json} bytes");
            let mut more = vec![Url::parse("http://e.com/").expect("an address")];
            assert!(allowance.cut(&mut more) && more.is_empty(), "nothing after the first that was left");
        }
        let (mut few, mut allowance) = (Vec::new(), Allowance::default());
        assert!(!allowance.cut(&mut few));
    }
}
