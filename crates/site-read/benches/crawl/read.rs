//! One crawl with everything that a migration needs of it: analysis, archive and journal on disk.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use site_fetch::{Fetcher, Options};
use site_read::journal::FileJournal;
use site_read::{FolderArchive, Limits};
use url::Url;

use crate::figures::{self, Figures};

/// Connections of each crawler.
pub(crate) const CONNECTIONS: usize = 8;

/// Reads the site and prints its figures as one line of JSON.
pub(crate) fn run(url: &str, out: &Path, pages: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(read(url, out, pages.parse()?))?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

async fn read(url: &str, out: &Path, pages: usize) -> Result<Figures, Box<dyn Error>> {
    let start: Url = url.parse()?;
    let allow = start.socket_addrs(|| None)?;
    // Politeness is for the hosts of others.
    let options = Options { allow, per_host: CONNECTIONS, adapt: false, ..Options::default() };
    let limits = Limits {
        max_pages: pages,
        max_depth: 1000,
        max_assets: 10 * pages,
        concurrency: CONNECTIONS,
        ..Limits::default()
    };
    let began = Instant::now();
    let fetcher = Fetcher::new(options)?;
    let archive = FolderArchive::open(&out.join("bodies"))?;
    let journal = FileJournal::open(&out.join("journal"))?;
    let read = site_read::gather(&fetcher, &archive, &journal, &start, &limits, &|_| {});
    let mut gathered = read.await?;
    let file = std::fs::File::create(out.join("snapshot.json"))?;
    gathered.write_json(std::io::BufWriter::new(file))?;
    Ok(Figures {
        pages: gathered.page_count() as u64,
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: figures::cpu_seconds()?,
        peak_bytes: figures::peak_bytes()?,
    })
}
