//! Answers in memory, up to a number of bytes; the oldest are forgotten first.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use url::Url;

use super::{Cache, Stored};

/// What one answer costs beside its body and headers.
const OVERHEAD: usize = 512;

/// A cache that ends with the process.
pub struct MemoryCache {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<Url, Stored>,
    /// Every address of `answers` once, the oldest first.
    order: VecDeque<Url>,
    bytes: usize,
}

impl MemoryCache {
    /// A cache for about this many bytes.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(url: &Url, stored: &Stored) -> usize {
    let headers: usize = stored.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    2 * url.as_str().len() + headers + stored.body.len() + OVERHEAD
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, url: &Url) -> io::Result<Option<Stored>> {
        Ok(self.kept().answers.get(url).cloned())
    }

    async fn put(&self, url: &Url, stored: Stored) -> io::Result<()> {
        let new = cost(url, &stored);
        let mut kept = self.kept();
        match kept.answers.remove(url) {
            Some(old) => kept.bytes -= cost(url, &old),
            None => kept.order.push_back(url.clone()),
        }
        kept.answers.insert(url.clone(), stored);
        kept.bytes += new;
        while kept.bytes > self.max_bytes {
            let Some(oldest) = kept.order.pop_front() else { break };
            if let Some(gone) = kept.answers.remove(&oldest) {
                kept.bytes -= cost(&oldest, &gone);
            }
        }
        Ok(())
    }
}
