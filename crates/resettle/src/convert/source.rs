//! What is to be converted: a website at an address, or a folder that holds its files.

use super::folder_site;
use crate::exit::usage;
use domain::source_url::SourceUrl;
use std::path::PathBuf;
use url::Url;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A website.
    Address(Url),
    /// Its files, and the address of its start page.
    Folder(PathBuf, Url),
}

impl Source {
    /// Whatever has a scheme is an address; all else names a folder, which has to be there.
    pub(super) fn of(given: &str, stands_for: Option<&str>) -> Result<Self, anyhow::Error> {
        if given.contains("://") {
            if stands_for.is_some() {
                return Err(usage("--as is for a folder: an address stands for itself"));
            }
            return Ok(Self::Address(address(given)?));
        }
        let start = stands_for.map_or_else(|| Ok(folder_site::address()), address)?;
        let folder = PathBuf::from(given).canonicalize();
        let folder = folder.map_err(|why| {
            usage(format!(
                "{given:?} is neither an address, such as https://example.com/, nor a folder: {why}"
            ))
        })?;
        if !folder_site::has(&folder, &start) {
            return Err(usage(format!(
                "{} has no {}: name a website's own folder, and its start page by --as",
                folder.display(),
                folder_site::file(start.path()),
            )));
        }
        Ok(Self::Folder(folder, start))
    }

    /// The address that goes into the project.
    pub(super) fn name(&self) -> Url {
        match self {
            Self::Address(url) | Self::Folder(_, url) => url.clone(),
        }
    }
}

/// The address itself is not repeated in what is said: it may hold a password.
fn address(given: &str) -> Result<Url, anyhow::Error> {
    let url = SourceUrl::parse(given).map_err(|why| usage(format!("the address cannot be read: {why}")))?;
    Ok(url.as_url().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_folder_a_start_page() {
        let url = Url::parse("https://example.com/").expect("a URL");
        assert_eq!(Source::of("https://example.com", None).expect("an address"), Source::Address(url));
        assert!(Source::of("https://example.com", Some("https://example.org/")).is_err());
        let folder = tempfile::tempdir().expect("scratch");
        let path = folder.path().to_str().expect("text");
        assert!(Source::of(path, None).expect_err("empty").to_string().contains("no index.html"));
        std::fs::write(folder.path().join("index.html"), "<p>hello").expect("written");
        assert!(matches!(Source::of(path, None), Ok(Source::Folder(..))));
        assert!(matches!(Source::of(path, Some("https://example.com/index.html")), Ok(Source::Folder(..))));
        let elsewhere = Source::of(path, Some("https://example.com/docs/")).expect_err("not there");
        assert!(elsewhere.to_string().contains("no docs/index.html"), "{elsewhere}");
        assert!(Source::of("example.com", None).expect_err("neither").to_string().contains("nor a folder"));
        assert!(Source::of("ftp://example.com/", None).is_err());
    }
}
