//! One crawl with everything that a migration needs of it: archive and journal on disk, the snapshot, and the analysis of
//! each page and of the site.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use site_fetch::{Fetcher, Options};
use site_read::analysis::{self, Keeper, PageAnalysis, SizeBounds};
use site_read::journal::FileJournal;
use site_read::{FolderArchive, Limits, Page};
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
        // As `resettle crawl`, and as its peers, which have no browser.
        run_scripts: false,
        ..Limits::default()
    };
    let began = Instant::now();
    let fetcher = Fetcher::new(options)?;
    let archive = FolderArchive::open(&out.join("bodies"))?;
    let journal = FileJournal::open(&out.join("journal"))?;
    let read = site_read::gather(&fetcher, &archive, &journal, &start, &limits, &|_| {});
    let mut gathered = read.await?;
    let file = File::create(out.join("snapshot.json"))?;
    serde_json::to_writer(BufWriter::new(file), &gathered.document()?)?;
    let (crawled, crawled_cpu) = (began.elapsed().as_secs_f64(), figures::cpu_seconds()?);
    let mut pages = Pages(BufWriter::new(File::create(out.join("pages.jsonl"))?));
    let site = analysis::of_reading(&journal, &mut gathered, SizeBounds::default(), &mut pages).await?;
    pages.0.flush()?;
    std::fs::write(out.join("analysis.json"), serde_json::to_vec(&site)?)?;
    let (seconds, cpu_seconds) = (began.elapsed().as_secs_f64(), figures::cpu_seconds()?);
    Ok(Figures {
        pages: gathered.page_count() as u64,
        seconds,
        cpu_seconds,
        site_seconds: seconds - crawled,
        site_cpu_seconds: cpu_seconds - crawled_cpu,
        peak_bytes: figures::peak_bytes()?,
    })
}

/// A line of JSON for each page, as `resettle crawl` writes them.
struct Pages(BufWriter<File>);

#[async_trait::async_trait]
impl Keeper for Pages {
    async fn keep(&mut self, url: &str, _: &Page, facts: PageAnalysis) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, &(url, facts))?;
        self.0.write_all(b"\n")
    }
}
