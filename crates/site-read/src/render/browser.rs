//! One browser process, and the pipes that it is driven by.

use std::io;
use std::path::Path;

use super::cdp::Pipe;
use super::keeper::Kept;
use super::sandbox::Programs;
use super::{Error, Options};

/// A running browser. Dropping it ends it and all that descends from it.
pub struct Browser {
    /// Its commands, answers and events.
    pub pipe: Pipe,
    process: Kept,
}

impl Browser {
    /// Starts one whose only way out is the proxy at the first path, under the policy of the file at the second;
    /// without them there is no way out.
    pub async fn start(
        programs: &Programs,
        options: &Options,
        way_out: Option<(&Path, &Path)>,
    ) -> Result<Self, Error> {
        let command = programs.browser(way_out, options.max_memory);
        let (process, ends) = Kept::start(command, options.max_memory).await.map_err(Error::SetUp)?;
        let (to, from) =
            ends.to.zip(ends.from).ok_or_else(|| Error::SetUp(io::ErrorKind::BrokenPipe.into()))?;
        let pipe = Pipe::new(to, from, options.max_html).map_err(Error::SetUp)?;
        Ok(Self { pipe, process })
    }

    /// Ends it and waits until it is gone; whether it outgrew its memory.
    pub async fn end(self) -> bool {
        self.process.end().await.outgrown
    }
}
