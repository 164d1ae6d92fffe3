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
    /// Its files.
    Folder(PathBuf),
}

impl Source {
    /// Whatever has a scheme is an address; all else names a folder, which has to be there.
    pub(super) fn of(given: &str) -> Result<Self, anyhow::Error> {
        if given.contains("://") {
            // The address itself is not repeated: it may hold a password.
            let url =
                SourceUrl::parse(given).map_err(|why| usage(format!("the address cannot be read: {why}")))?;
            return Ok(Self::Address(url.as_url().clone()));
        }
        let folder = PathBuf::from(given).canonicalize();
        let folder = folder.map_err(|why| {
            usage(format!(
                "{given:?} is neither an address, such as https://example.com/, nor a folder: {why}"
            ))
        })?;
        if !folder.join("index.html").is_file() {
            return Err(usage(format!(
                "{} has no index.html: name a website's own folder",
                folder.display()
            )));
        }
        Ok(Self::Folder(folder))
    }

    /// The address that goes into the project.
    pub(super) fn name(&self) -> Url {
        match self {
            Self::Address(url) => url.clone(),
            Self::Folder(_) => folder_site::address(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_folder_a_start_page() {
        let url = Url::parse("https://example.com/").expect("a URL");
        assert_eq!(Source::of("https://example.com").expect("an address"), Source::Address(url));
        let folder = tempfile::tempdir().expect("scratch");
        let path = folder.path().to_str().expect("text");
        assert!(Source::of(path).expect_err("empty").to_string().contains("no index.html"));
        std::fs::write(folder.path().join("index.html"), "<p>hello").expect("written");
        assert!(matches!(Source::of(path), Ok(Source::Folder(_))));
        assert!(Source::of("example.com").expect_err("neither").to_string().contains("nor a folder"));
        assert!(Source::of("ftp://example.com/").is_err());
    }
}
