//! Whom open streams belong to, and that they end when the key or the session does by which they were opened.
//!
//! An end that is known beforehand is a connection's own affair (`line`). A sign-out or a revocation is looked for
//! here, for all open streams in one question.

use auth::Caller;
use domain::{ApiKeyId, SessionId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::Store;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// By what a stream was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Credential {
    Key(ApiKeyId),
    Session(SessionId),
}

impl Credential {
    fn id(self) -> Uuid {
        match self {
            Self::Key(key) => key.0,
            Self::Session(session) => session.0,
        }
    }
}

struct Open {
    streams: usize,
    ended: CancellationToken,
}

type Table = Arc<Mutex<HashMap<Credential, Open>>>;

/// The credentials of all open streams; a cheap clone is the same table.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    open: Table,
}

/// One stream's entry, given back when it is dropped.
pub(crate) struct Held {
    open: Table,
    credential: Credential,
    /// Told when the credential opens nothing any more.
    pub(crate) ended: CancellationToken,
}

impl Credentials {
    pub(crate) fn hold(&self, caller: &Caller) -> Held {
        let session = caller.session.as_ref().map(|session| Credential::Session(session.id));
        let credential = session.unwrap_or(Credential::Key(caller.key));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entry =
            open.entry(credential).or_insert_with(|| Open { streams: 0, ended: CancellationToken::new() });
        entry.streams += 1;
        Held { open: Arc::clone(&self.open), credential, ended: entry.ended.clone() }
    }

    /// Looks for ends, until the process stops. A database that is away ends no stream.
    pub(crate) async fn watch(self, store: Store, every: Duration, stopping: CancellationToken) {
        while stopping.run_until_cancelled(sleep(every)).await.is_some() {
            let (keys, sessions) = self.asked();
            if keys.is_empty() && sessions.is_empty() {
                continue;
            }
            match store.ended_credentials(&keys, &sessions).await {
                Ok(ended) => self.end(&ended),
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    tracing::warn!(error, "it cannot be seen which keys have ended; trying again");
                }
            }
        }
    }

    fn asked(&self) -> (Vec<ApiKeyId>, Vec<SessionId>) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut keys, mut sessions) = (Vec::new(), Vec::new());
        for credential in open.keys() {
            match credential {
                Credential::Key(key) => keys.push(*key),
                Credential::Session(session) => sessions.push(*session),
            }
        }
        (keys, sessions)
    }

    fn end(&self, ended: &[Uuid]) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (credential, entry) in open.iter() {
            if ended.contains(&credential.id()) {
                entry.ended.cancel();
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = open.get_mut(&self.credential) {
            entry.streams = entry.streams.saturating_sub(1);
            if entry.streams == 0 {
                open.remove(&self.credential);
            }
        }
    }
}
