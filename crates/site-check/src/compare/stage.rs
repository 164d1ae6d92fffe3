//! One browser, in which one side of one page at a time is shown and measured (`tab.rs`).

use std::{sync::Arc, time::Duration};

use site_read::render::{Browser, Error, Programs};
use tokio::time::timeout;
use url::Url;

use super::{
    Options,
    copy::Copy,
    look::Look,
    original::{Answer, Form, Original},
    tab::Tab,
};

/// Who answers.
pub(super) enum Side<'a> {
    Original(&'a Original<'a>, Form),
    Copy(&'a Copy<'a>),
}

impl Side<'_> {
    pub(super) async fn answer(
        &self,
        url: &Url,
        headers: &[(String, String)],
    ) -> std::io::Result<Option<Answer>> {
        match self {
            Self::Original(original, form) => original.answer(url, *form).await,
            Self::Copy(copy) => copy.answer(url, headers).await,
        }
    }
}

pub(super) struct Stage {
    browser: Browser,
    widths: Vec<u32>,
    page_time: Duration,
}

impl Stage {
    pub(super) async fn start(programs: &Arc<Programs>, options: &Options) -> Result<Self, Error> {
        let browser = Browser::start(programs, &options.browser, None).await?;
        Ok(Self { browser, widths: options.widths.clone(), page_time: options.page_time })
    }

    pub(super) async fn end(self) {
        let _outgrown = self.browser.end().await;
    }

    /// Shows the page at every width. After an error the browser is not to be used again.
    pub(super) async fn look(&mut self, side: &Side<'_>, url: &Url) -> Result<Look, Error> {
        let (limit, widths) = (self.page_time, self.widths.clone());
        let looking = async {
            let mut tab = Tab::open(&mut self.browser, side).await?;
            tab.prepare(widths.first().copied().unwrap_or(1280)).await?;
            tab.show(url, &widths).await
        };
        timeout(limit, looking).await.unwrap_or(Err(Error::TimedOut { limit }))
    }
}
