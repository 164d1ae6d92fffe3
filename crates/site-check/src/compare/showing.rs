//! Shows pages on both sides, several at once, each in a browser that is kept for the next page unless it failed.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use site_read::render;
use site_write::plan::Route;
use url::Url;

use super::{
    Comparer,
    copy::Copy,
    judge,
    look::Look,
    original::{Form, Original},
    report::ComparedPage,
    stage::{Side, Stage},
};
use crate::{Error, Result};

pub(super) struct Showing<'a> {
    comparer: &'a Comparer,
    original: &'a Original<'a>,
    copy: &'a Copy<'a>,
    idle: Mutex<Vec<Stage>>,
    /// A browser could be started once.
    started: AtomicBool,
}

/// What came of one page.
pub(super) struct Shown {
    pub(super) page: ComparedPage,
    /// The site's side and the project's, where both could be shown.
    pub(super) looks: Option<[Arc<Look>; 2]>,
}

impl<'a> Showing<'a> {
    pub(super) fn new(comparer: &'a Comparer, original: &'a Original<'a>, copy: &'a Copy<'a>) -> Self {
        Self { comparer, original, copy, idle: Mutex::default(), started: AtomicBool::new(false) }
    }

    /// Both sides of one page. One that cannot be shown is refused; an error means that none can be.
    pub(super) async fn page(&self, route: &Route) -> Result<Shown> {
        let unmeasured = |why: &str| Shown { page: judge::unmeasured(&route.url, why), looks: None };
        let (Ok(before), Ok(after)) = (Url::parse(&route.url), self.copy.address(&route.path)) else {
            return Ok(unmeasured("its address is no URL"));
        };
        let mut stage = match self.stage().await {
            Ok(stage) => stage,
            // There is no room for so many of them at once; a page that was not shown is tried again alone.
            Err(error) if self.started.load(Ordering::Relaxed) => return Ok(unmeasured(&chain(&error))),
            Err(error) => return Err(Error::Browser(error)),
        };
        self.started.store(true, Ordering::Relaxed);
        let both = async {
            let wanted = self.wanted(&mut stage, &before).await?;
            let found = stage.look(&Side::Copy(self.copy), &after).await?;
            Ok::<_, render::Error>([Arc::new(wanted), Arc::new(found)])
        };
        match both.await {
            Ok(looks) => {
                self.idle().push(stage);
                let page = judged(route.url.clone(), after, looks.clone()).await;
                Ok(Shown { page, looks: Some(looks) })
            }
            Err(error) => Ok(unmeasured(&chain(&error))),
        }
    }

    /// Does the site's own side differ from itself, at one of two more looks, by all that the page is refused for?
    pub(super) async fn wavers(&self, route: &Route, refused: &Shown) -> Result<bool> {
        let (Some([first, _]), Ok(url)) = (&refused.looks, Url::parse(&route.url)) else { return Ok(false) };
        for _ in 0..2 {
            let mut stage = self.stage().await.map_err(Error::Browser)?;
            let Ok(look) = self.wanted(&mut stage, &url).await else { return Ok(false) };
            self.idle().push(stage);
            let own = judged(route.url.clone(), url.clone(), [Arc::clone(first), Arc::new(look)]).await;
            let differs = |code: &str| own.reasons.iter().any(|reason| reason.code == code);
            if refused.page.reasons.iter().all(|reason| differs(&reason.code)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The site's side.
    async fn wanted(&self, stage: &mut Stage, url: &Url) -> std::result::Result<Look, render::Error> {
        let sent = stage.look(&Side::Original(self.original, Form::Sent), url).await?;
        let lacks = self.original.lacks_words(url.as_str(), &sent.facts.words).await;
        if lacks.map_err(render::Error::NotAnswered)? {
            return stage.look(&Side::Original(self.original, Form::Shown), url).await;
        }
        Ok(sent)
    }

    /// Ends the browsers that are left.
    pub(super) async fn end(self) {
        for stage in self.idle.into_inner().unwrap_or_else(PoisonError::into_inner) {
            stage.end().await;
        }
    }

    async fn stage(&self) -> std::result::Result<Stage, render::Error> {
        let kept = self.idle().pop();
        match kept {
            Some(stage) => Ok(stage),
            None => Stage::start(&self.comparer.programs, &self.comparer.options).await,
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Stage>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Away from the other pages: pictures take a while to be held against each other, and browsers wait for their answers.
async fn judged(url: String, address: Url, looks: [Arc<Look>; 2]) -> ComparedPage {
    let judging = move || {
        let [wanted, found] = looks;
        judge::judge(&url, &address, &wanted, &found)
    };
    match tokio::task::spawn_blocking(judging).await {
        Ok(page) => page,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime has ended, and whoever waits with it.
        Err(_) => pending().await,
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
