//! One robots.txt per origin, fetched once and kept for a day at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::{Origin, Url};

use super::{MAX_BYTES, Robots, Standing};
use crate::body::Over;
use crate::error::{Error, Result};
use crate::fetcher::{Fetcher, Reading};

const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// What a failing server said is asked again soon.
const KEPT_FAILURE: Duration = Duration::from_secs(60);
const MAX_ORIGINS: usize = 1024;
const MAX_REDIRECTS: u32 = 5;

#[derive(Default)]
pub(crate) struct Cache {
    origins: Mutex<HashMap<Origin, Arc<Entry>>>,
}

struct Entry {
    since: Instant,
    robots: OnceCell<Arc<Robots>>,
}

impl Entry {
    fn is_fresh(&self) -> bool {
        let kept = match self.robots.get().map(|robots| robots.standing()) {
            Some(Standing::ServerError { .. } | Standing::Unreachable) => KEPT_FAILURE,
            _ => KEPT,
        };
        self.since.elapsed() < kept
    }
}

impl Cache {
    pub(crate) async fn of(&self, fetcher: &Fetcher, url: &Url) -> Result<Arc<Robots>> {
        let entry = self.entry(url.origin());
        let robots = entry.robots.get_or_try_init(|| fetch(fetcher, url)).await?;
        Ok(robots.clone())
    }

    fn entry(&self, origin: Origin) -> Arc<Entry> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if origins.len() >= MAX_ORIGINS {
            origins.clear();
        }
        origins.retain(|_, entry| entry.is_fresh());
        origins
            .entry(origin)
            .or_insert_with(|| Arc::new(Entry { since: Instant::now(), robots: OnceCell::new() }))
            .clone()
    }
}

async fn fetch(fetcher: &Fetcher, url: &Url) -> Result<Arc<Robots>> {
    let mut file = url.clone();
    file.set_path("/robots.txt");
    file.set_query(None);
    file.set_fragment(None);
    let reading = Reading { limit: MAX_BYTES, over: Over::Cut };
    let robots = match fetcher.follow(&file, reading, MAX_REDIRECTS).await {
        Ok(answer) => match answer.status {
            200..=299 => Robots::parse(&answer.body, &fetcher.options().user_agent),
            // A rate limit is a server that cannot say now, not one that has no rules.
            429 | 500.. => Robots::without_rules(Standing::ServerError { status: answer.status }),
            _ => Robots::without_rules(Standing::Absent),
        },
        // Beyond the redirects to follow, the file counts as absent.
        Err(Error::TooManyRedirects { .. } | Error::RedirectLoop { .. } | Error::BadRedirect { .. }) => {
            Robots::without_rules(Standing::Absent)
        }
        // The guard's word about the site itself is the caller's business; about a redirect of the
        // file it makes the file unreachable.
        Err(error @ (Error::Refused(_) | Error::Client(_))) => {
            fetcher.vet(&file).await?;
            tracing::debug!(%error, "robots.txt leads to where it may not be fetched");
            Robots::without_rules(Standing::Unreachable)
        }
        // Nobody answered: told as it is and not kept, so that the caller can say why it stops.
        Err(error) => return Err(error),
    };
    Ok(Arc::new(robots))
}
