//! What a site tells crawlers, `robots.txt` and `sitemap.xml`, as the code that Next.js has for them. Only what that code says
//! without a loss becomes code; everything else stays the file that it was, so that no rule and no address is lost.

mod robots;
mod sitemap;

use site_read::Snapshot;

/// The most text that is turned into code; a longer file stays a file, which is easier to keep.
const LONGEST: usize = 256 * 1024;

/// A file of the site that becomes code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// The file, from the project's root.
    pub(crate) file: &'static str,
    /// What it holds.
    pub(crate) text: String,
}

/// The addresses whose bodies are read for this.
pub(crate) fn addresses(snapshot: &Snapshot) -> Vec<String> {
    ["/robots.txt", "/sitemap.xml"]
        .iter()
        .filter_map(|path| snapshot.home.join(path).ok())
        .map(String::from)
        .filter(|url| snapshot.assets.contains_key(url))
        .collect()
}

/// The code for the file at this address, if it can be said in code.
pub(crate) fn code(url: &str, text: &str) -> Option<Code> {
    if text.len() > LONGEST {
        return None;
    }
    if url.ends_with("/robots.txt") {
        return Some(Code { file: "app/robots.ts", text: robots::code(text)? });
    }
    Some(Code { file: "app/sitemap.ts", text: sitemap::code(text)? })
}
