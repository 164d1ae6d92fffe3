//! One robots.txt per origin, fetched once and kept for a day at most (RFC 9309, section 2.4).

mod known;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use url::{Origin, Url};

use super::{MAX_BYTES, Robots, Standing};
use crate::body::Over;
use crate::cache;
use crate::error::{Error, Result};
use crate::exchange::Reading;
use crate::fetched::Fetched;
use crate::fetcher::Fetcher;
use known::{Known, Outcome};

const MAX_ORIGINS: usize = 1024;
const MAX_REDIRECTS: u32 = 5;

#[derive(Default)]
pub(crate) struct Cache {
    origins: Mutex<HashMap<Origin, Arc<Entry>>>,
}

#[derive(Default)]
struct Entry {
    known: Mutex<Option<Known>>,
    /// Held while the file is fetched, so that many requests cause one.
    asking: tokio::sync::Mutex<()>,
}

impl Entry {
    fn fresh(&self) -> Option<Arc<Robots>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| known.is_fresh(Instant::now())).map(|known| known.robots.clone())
    }

    /// Takes in what came of asking, and says what holds from now on.
    fn learn(&self, outcome: Outcome) -> Arc<Robots> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Known::after(known.take(), outcome, Instant::now());
        let robots = next.robots.clone();
        *known = Some(next);
        robots
    }
}

impl Cache {
    pub(crate) async fn of(&self, fetcher: &Fetcher, url: &Url) -> Result<Arc<Robots>> {
        let entry = self.entry(url.origin());
        if let Some(robots) = entry.fresh() {
            return Ok(robots);
        }
        let _one_at_a_time = entry.asking.lock().await;
        if let Some(robots) = entry.fresh() {
            return Ok(robots);
        }
        match fetch(fetcher, url).await {
            Ok(outcome) => Ok(entry.learn(outcome)),
            // Nobody answered. Whoever asked is told why; for a while the others go by the rules of
            // before, or by none at all, instead of waiting for the same silence.
            Err(error) if error.is_transient() => {
                let robots = entry.learn(Outcome::Failed(Standing::Unreachable));
                if robots.standing() == Standing::Unreachable { Err(error) } else { Ok(robots) }
            }
            Err(error) => Err(error),
        }
    }

    fn entry(&self, origin: Origin) -> Arc<Entry> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if origins.len() >= MAX_ORIGINS && !origins.contains_key(&origin) {
            origins.retain(|_, entry| entry.fresh().is_some());
            if origins.len() >= MAX_ORIGINS {
                origins.clear();
            }
        }
        origins.entry(origin).or_default().clone()
    }
}

async fn fetch(fetcher: &Fetcher, url: &Url) -> Result<Outcome> {
    let mut file = url.clone();
    file.set_path("/robots.txt");
    file.set_query(None);
    file.set_fragment(None);
    let reading = Reading { limit: MAX_BYTES, over: Over::Cut };
    // The guard's word about the site itself is the caller's business; about a redirect of the file it
    // makes the file unreachable.
    let first = match fetcher.ask(&file, reading).await {
        Err(error @ (Error::Refused(_) | Error::Client(_) | Error::Roots(_))) => return Err(error),
        other => other,
    };
    let answer = match first.and_then(|answer| Ok((answer.location()?, answer))) {
        Ok((None, answer)) => Ok(answer),
        Ok((Some(to), _)) => fetcher.follow(&to, reading, MAX_REDIRECTS - 1).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => Ok(match answer.status {
            200..=299 => read(&answer, &fetcher.options().user_agent),
            // A rate limit is a server that cannot say now, not one that has no rules.
            429 | 500.. => Outcome::Failed(Standing::ServerError { status: answer.status }),
            _ => absent(lifetime(&answer)),
        }),
        // Beyond the redirects to follow, the file counts as absent.
        Err(Error::TooManyRedirects { .. } | Error::RedirectLoop { .. } | Error::BadRedirect { .. }) => {
            Ok(absent(None))
        }
        // A body that cannot be decoded, or a redirect to where nothing may be fetched, does not say what
        // the rules are.
        Err(error @ (Error::Encoding { .. } | Error::Refused(_) | Error::Client(_))) => {
            tracing::debug!(%error, "robots.txt cannot be read");
            Ok(Outcome::Failed(Standing::Unreachable))
        }
        Err(error) => Err(error),
    }
}

fn read(answer: &Fetched, user_agent: &str) -> Outcome {
    let mut file = &answer.body[..];
    // A rule that the bound cuts in the middle would say something else than its author did.
    if file.len() as u64 >= MAX_BYTES {
        let end = file.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(0);
        file = &file[..end];
    }
    Outcome::Told(Robots::parse(file, user_agent), lifetime(answer))
}

fn absent(lifetime: Option<Duration>) -> Outcome {
    Outcome::Told(Robots::without_rules(Standing::Absent), lifetime)
}

fn lifetime(answer: &Fetched) -> Option<Duration> {
    cache::lifetime(&answer.headers)
}
