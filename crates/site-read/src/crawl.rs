//! The crawl.
use crate::{Archive, Limits, Progress, Result, Snapshot};
use site_fetch::Fetcher;
use url::Url;

/// Reads a site.
pub async fn crawl(
    _fetcher: &Fetcher,
    _archive: &dyn Archive,
    _start: &Url,
    _limits: &Limits,
    _report: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Snapshot> {
    todo!()
}
