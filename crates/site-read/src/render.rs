//! Pages as a browser shows them: headless Chromium, confined, with the guard as its only way out.
//!
//! The browser runs in a namespace of its own (`sandbox.rs`): no network but a loopback, no files but the
//! system's programs, read-only; its requests leave through `site_fetch::proxy` alone. It must never see a
//! file of ours, keep anything from one page to the next, or outlive the process that started it.
//! Every page gets a fresh browser: a second of start-up buys that no page can leave anything to another.
//!
//! Start at [`Renderer`]; [`needs_script`] tells which pages are worth it.

mod browser;
mod cdp;
mod cell;
mod chromium;
mod consent;
mod keeper;
mod log;
mod memory;
mod need;
mod policy;
mod process;
mod sandbox;
mod session;
mod sockets;
mod tab;
mod walls;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use session::Manners;
use site_fetch::Fetcher;
use site_fetch::proxy::{self, Policy, Proxy, Turned};
use site_fetch::robots::Robots;
use tokio::sync::Semaphore;
use url::Url;

pub use browser::Browser;
pub use cdp::{Message, Pipe};
pub use cell::{Cells, on_path, private_folder};
pub use consent::Wall;
pub use keeper::{End, Ends, Kept};
pub(crate) use log::MAX_ADDRESS;
pub(crate) use need::runs;
pub use need::{Reason, needs_script};
pub use sandbox::Programs;

/// The widths in CSS pixels that pictures of a page are taken at: a desk and a hand.
pub const WIDTHS: [u32; 2] = [1280, 390];

/// The bounds of rendering.
#[derive(Debug, Clone)]
pub struct Options {
    /// The Chromium to run; without one the usual places are looked at.
    pub chromium: Option<PathBuf>,
    /// Browsers at work at once.
    pub concurrency: usize,
    /// Longest time for one page, its browser's start included.
    pub max_time: Duration,
    /// Longest wait for a page to finish its requests.
    pub max_settle: Duration,
    /// Largest rendered page in bytes.
    pub max_html: usize,
    /// Most memory of one browser, all its processes together, in bytes.
    pub max_memory: u64,
    /// Tallest picture in CSS pixels; the rest of the page is cut off.
    pub max_height: u32,
    /// Most requests, and most lines of the console, that are told of one page.
    pub max_told: usize,
    /// The bounds of the browser's way out.
    pub proxy: proxy::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chromium: None,
            concurrency: 1,
            max_time: Duration::from_secs(60),
            max_settle: Duration::from_secs(10),
            max_html: 16 * 1024 * 1024,
            max_memory: 2 * 1024 * 1024 * 1024,
            max_height: 12_000,
            max_told: 500,
            proxy: proxy::Options::default(),
        }
    }
}

/// Why no page can be rendered on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// There is no Chromium that can be confined.
    #[error("there is no Chromium: install the package chromium, or google-chrome-stable")]
    NoChromium,
    /// The only Chromium is one that brings a confinement of its own.
    #[error(
        "the Chromium of this machine is a {by} ({}), which brings a confinement of its own and cannot be shut in by \
         ours, so it is not run: install an ordinary package beside it, such as chromium of Debian or \
         google-chrome-stable of Google",
        path.display()
    )]
    Packaged {
        /// `snap` or `flatpak`.
        by: &'static str,
        /// What gave it away.
        path: PathBuf,
    },
    /// A program of the confinement is missing.
    #[error("{program} is missing: install the package {package}")]
    NoProgram {
        /// The program looked for on the PATH.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The machine does not let us make namespaces.
    #[error(
        "the browser cannot be confined here, so it is not run: {said} (allow unprivileged user namespaces)"
    )]
    Confinement {
        /// What bubblewrap said.
        said: String,
    },
}

/// Why one page was not rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The guard or robots.txt refuses the page, or its host does not answer.
    #[error(transparent)]
    Fetch(#[from] site_fetch::Error),
    /// robots.txt forbids the page.
    #[error("the site's robots.txt forbids reading it")]
    RobotsForbid,
    /// This machine did not let the browser be started, or its files and its proxy be made.
    #[error("the browser could not be started")]
    SetUp(#[source] io::Error),
    /// The browser's pipe broke: it crashed, or the system ended it.
    #[error("the browser ended early")]
    Ended(#[source] io::Error),
    /// Whoever answers the page's requests in the place of a server could not.
    #[error("a request of the page could not be answered")]
    NotAnswered(#[source] io::Error),
    /// All its processes together took more memory than is allowed.
    #[error("the page took more than {limit} bytes of memory")]
    Memory {
        /// The bound.
        limit: u64,
    },
    /// The page could not be opened.
    #[error("the browser could not open the page: {said}")]
    NotOpened {
        /// The browser's name of the error.
        said: String,
    },
    /// The browser answered a command with an error.
    #[error("the browser refused {method}: {said}")]
    Command {
        /// The command.
        method: &'static str,
        /// What it said.
        said: String,
    },
    /// It took too long.
    #[error("the page was not rendered within {} s", limit.as_secs())]
    TimedOut {
        /// The bound.
        limit: Duration,
    },
    /// The rendered page, or a message of the browser, is larger than is allowed.
    #[error("the rendered page is larger than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
}

/// A page as the browser had it.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// Where the browser was in the end.
    pub url: Url,
    /// HTTP status of the document, if it came by HTTP.
    pub status: Option<u16>,
    /// The document with its doctype, shadow trees written out.
    pub html: String,
    /// One picture per width of [`WIDTHS`].
    pub screenshots: Vec<Screenshot>,
    /// Errors that the page wrote to the console, or threw.
    pub console: Vec<String>,
    /// What the page asked for, in order.
    pub requests: Vec<Request>,
    /// What was refused, in order of the address.
    pub refused: Vec<Turned>,
    /// Cookie walls that were answered with no, or hidden.
    pub walls: Vec<Wall>,
}

/// A picture of a whole page.
#[derive(Debug, Clone)]
pub struct Screenshot {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels, cut at [`Options::max_height`].
    pub height: u32,
    /// The picture.
    pub png: Bytes,
}

/// One request of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The address.
    pub url: String,
    /// What it was for, as the browser names it: `Document`, `Script`, `Fetch`.
    pub kind: String,
    /// The method, such as `GET`.
    #[serde(default)]
    pub method: String,
    /// HTTP status, if an answer came.
    pub status: Option<u16>,
}

/// Renders pages. Cheap to clone; clones share the bound on browsers at once.
#[derive(Debug, Clone)]
pub struct Renderer {
    programs: Arc<Programs>,
    options: Options,
    slots: Arc<Semaphore>,
}

impl Renderer {
    /// Looks for what is needed and tries the confinement.
    pub fn find(options: Options) -> Result<Self, Unavailable> {
        let programs = Programs::find(options.chromium.as_deref())?;
        programs.try_out()?;
        let slots = Semaphore::new(options.concurrency.clamp(1, 8));
        Ok(Self { programs: Arc::new(programs), options, slots: Arc::new(slots) })
    }

    /// Renders the page at `url`. Cancel by dropping the future: the browser ends with it.
    pub async fn render(&self, fetcher: &Fetcher, url: &Url) -> Result<Rendered, Error> {
        fetcher.vet(url).await?;
        let robots = fetcher.robots(url).await?;
        if !robots.allows(url) {
            return Err(Error::RobotsForbid);
        }
        // Never closed, so it always opens.
        let _slot = self.slots.acquire().await.ok();
        let limit = self.options.max_time;
        let own = OwnHost { host: url.host_str().unwrap_or_default().to_owned(), robots };
        match tokio::time::timeout(limit, self.in_browser(fetcher, url, Arc::new(own))).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut { limit }),
        }
    }

    async fn in_browser(&self, fetcher: &Fetcher, url: &Url, own: Arc<OwnHost>) -> Result<Rendered, Error> {
        let folder = private_folder().map_err(Error::SetUp)?;
        let (socket, rules) = (folder.path().join("proxy"), folder.path().join("policy"));
        std::fs::write(&rules, policy::text(fetcher.options())).map_err(Error::SetUp)?;
        let options = self.options.proxy.clone();
        let policy: Arc<dyn Policy> = own.clone();
        let proxy = Proxy::listen(fetcher.clone(), &socket, options, policy).map_err(Error::SetUp)?;
        let mut browser = Browser::start(&self.programs, &self.options, Some((&socket, &rules))).await?;
        let agent = &fetcher.options().user_agent;
        let manners = Manners { agent, policy: own.as_ref(), sockets: own.sockets() };
        let outcome = tab::render(&mut browser, &self.options, url, manners).await;
        let outgrown = browser.end().await;
        match outcome {
            Err(Error::Ended(_)) if outgrown => Err(Error::Memory { limit: self.options.max_memory }),
            Err(error) => Err(error),
            Ok(mut rendered) => {
                rendered.refused.extend(proxy.refused());
                rendered.refused.sort();
                rendered.refused.dedup();
                Ok(rendered)
            }
        }
    }
}

/// robots.txt of the page's own host; what other hosts serve to it is asked for as any browser does.
struct OwnHost {
    host: String,
    robots: Arc<Robots>,
}

impl OwnHost {
    /// What makes the page ask before it opens a web socket, if any is forbidden.
    fn sockets(&self) -> Option<String> {
        (!self.robots.allows_all()).then(|| sockets::script(&self.host))
    }
}

impl Policy for OwnHost {
    fn forbids(&self, url: &Url) -> Option<String> {
        let own = url.host_str() == Some(self.host.as_str());
        (own && !self.robots.allows(url)).then(|| "the site's robots.txt forbids reading it".to_owned())
    }

    fn ignores(&self, host: &str) -> bool {
        policy::is_own_affair(host) || sockets::is_nowhere(host)
    }
}
