//! The folder of a crawl: bodies by their hash, what is known of the site, and what the next crawl goes on from. Never
//! writes into a folder that is not ours, and every document appears whole or not at all.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use service_kit::exit::Code;
use site_fetch::cache::FolderCache;
use site_read::{
    FolderArchive, Page,
    analysis::{Keeper, PageAnalysis},
    journal::FileJournal,
};
use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use url::Url;

/// Says that the folder is a crawl of ours, and of which site.
const MARK: &str = ".resettle-crawl.json";
const JOURNAL: &str = "journal";
/// Answers that are kept for the next crawl.
const MOST_CACHED: u64 = 2 * 1024 * 1024 * 1024;

/// Why a folder cannot take a crawl.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(
        "{} is not empty and was not written by `resettle crawl`: name another folder with --out, or empty this one",
        path.display()
    )]
    NotOurs { path: PathBuf },
    #[error("{} is not a folder: name another one with --out", path.display())]
    NotAFolder { path: PathBuf },
    #[error("{} holds a crawl of {source}: name another folder with --out", path.display(), source = found)]
    OtherSite { path: PathBuf, found: Url },
    #[error("another crawl is writing into {}: wait for it, or name another folder with --out", path.display())]
    InUse { path: PathBuf },
    #[error("another crawl keeps its answers in {}: wait for it, or name another folder with --cache", path.display())]
    CacheInUse { path: PathBuf },
    #[error("{doing} {} failed", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// With the exit code that goes with it.
    pub(super) fn coded(self) -> anyhow::Error {
        let code = match &self {
            Self::NotOurs { .. } | Self::NotAFolder { .. } | Self::OtherSite { .. } => Code::Config,
            Self::InUse { .. } | Self::CacheInUse { .. } | Self::Io { .. } => Code::Unavailable,
        };
        anyhow::Error::new(code.because(self))
    }
}

#[derive(Deserialize, Serialize)]
struct Mark {
    source: Url,
}

/// The folder that was chosen.
pub(super) struct Folder {
    path: PathBuf,
    source: Url,
}

/// What a crawl writes into while it runs.
pub(super) struct Opened {
    pub(super) archive: FolderArchive,
    pub(super) cache: FolderCache,
    pub(super) journal: FileJournal,
    /// Is an interrupted crawl taken up?
    pub(super) goes_on: bool,
}

impl Folder {
    /// Refused if something else is there, also a crawl of another site.
    pub(super) fn choose(path: &Path, source: &Url) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|source| io_error("finding", path, source))?;
        match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(Error::NotAFolder { path });
            }
            Err(source) => return Err(io_error("reading", &path, source)),
            Ok(mut entries) => {
                if entries.next().is_some() {
                    let mark = fs::read(path.join(MARK)).ok();
                    let mark = mark.and_then(|bytes| serde_json::from_slice::<Mark>(&bytes).ok());
                    match mark {
                        None => return Err(Error::NotOurs { path }),
                        Some(mark) if mark.source != *source => {
                            return Err(Error::OtherSite { path, found: mark.source });
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        Ok(Self { path, source: source.clone() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what is missing, and takes the folder, and that of the cache, for this process.
    pub(super) fn open(&self, cache: Option<&Path>) -> Result<Opened, Error> {
        let failed = |source| io_error("opening", &self.path, source);
        fs::create_dir_all(&self.path).map_err(failed)?;
        self.write(MARK, &Mark { source: self.source.clone() })?;
        let journal = self.path.join(JOURNAL);
        let goes_on = journal.is_file();
        let journal = FileJournal::open(&journal).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => Error::InUse { path: self.path.clone() },
            _ => io_error("opening the journal in", &self.path, source),
        })?;
        let cache = cache.map_or_else(|| self.path.join("cache"), Path::to_owned);
        let cached = FolderCache::open(&cache, MOST_CACHED).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => Error::CacheInUse { path: cache.clone() },
            _ => io_error("opening the cache in", &cache, source),
        });
        Ok(Opened {
            archive: FolderArchive::open(&self.path.join("bodies")).map_err(failed)?,
            cache: cached?,
            journal,
            goes_on,
        })
    }

    /// Writes a document in place of an earlier one.
    pub(super) fn write(&self, name: &str, document: &impl Serialize) -> Result<(), Error> {
        let written = || {
            let mut text = BufWriter::new(NamedTempFile::new_in(&self.path)?);
            serde_json::to_writer_pretty(&mut text, document)?;
            text.write_all(b"\n")?;
            let file = text.into_inner().map_err(io::IntoInnerError::into_error)?;
            readable(&file)?;
            file.persist(self.path.join(name)).map_err(|error| error.error).map(drop)
        };
        written().map_err(|source| io_error("writing into", &self.path, source))
    }

    /// Begins the list of pages, whose bodies are in the archive.
    pub(super) fn pages<'a>(&self, archive: &'a FolderArchive) -> Result<Pages<'a>, Error> {
        let file = NamedTempFile::new_in(&self.path);
        let file = file.map_err(|source| io_error("writing into", &self.path, source))?;
        Ok(Pages { path: self.path.join("pages.jsonl"), file: BufWriter::new(file), archive, bytes: 0 })
    }

    /// Nothing is left to go on with.
    pub(super) fn complete(&self) -> Result<(), Error> {
        let journal = self.path.join(JOURNAL);
        fs::remove_file(&journal).map_err(|source| io_error("removing", &journal, source))
    }
}

/// One JSON object per page, in the order of the addresses.
pub(super) struct Pages<'a> {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    archive: &'a FolderArchive,
    /// Of the pages so far, as they were sent.
    bytes: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    url: &'a str,
    #[serde(flatten)]
    page: &'a PageAnalysis,
}

#[async_trait]
impl Keeper for Pages<'_> {
    async fn keep(&mut self, url: &str, read: &Page, page: PageAnalysis) -> io::Result<()> {
        self.bytes += self.archive.length(&read.body)?;
        serde_json::to_writer(&mut self.file, &Line { url, page: &page })?;
        self.file.write_all(b"\n")
    }
}

impl Pages<'_> {
    /// The list is whole: how many bytes its pages have, as they were sent.
    pub(super) fn settle(self) -> Result<u64, Error> {
        let Self { path, file, bytes, .. } = self;
        let settled = || {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            readable(&file)?;
            file.persist(&path).map_err(|error| error.error).map(drop)
        };
        settled().map(|()| bytes).map_err(|source| io_error("writing", &path, source))
    }
}

/// As readable as other files: temporary ones are their maker's alone.
fn readable(file: &NamedTempFile) -> io::Result<()> {
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { doing, path: path.to_owned(), source }
}
