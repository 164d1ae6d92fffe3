//! What can be asked of `resettle`, and who answers. Nothing is done here.

use crate::{
    api_keys,
    convert::{self, make::Major},
    crawl::{self, LimitArguments},
    data_folder, demo, doctor, exit, lint, migrate,
    operations::{self, Asking, DlqCommand, GatesCommand, JobsCommand, WatchArguments},
    schema, terminal,
    tools::When,
    up,
};
use clap::{Args, CommandFactory, Parser, Subcommand, builder::RangedU64ValueParser};
use clap_complete::Shell;
use site_check::compare::MOST_BROWSERS;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use url::Url;

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  the site could not be read or moved, its project does not build, or a check or the lint found something; what was
       asked about is not there or not in a state for it; no worker is alive
   64  the command line or the configuration is wrong
   70  a fault of ours
   75  something that is needed is away: try again later
  130  interrupted";

const DEFAULT_PROMPT: &str = "Move this website as it is: the same look, content and addresses.";

/// The libraries below speak at length about every start.
const LOG: &str = "info,refinery_core=warn,tokio_postgres=warn,actix_server=warn";

/// Moves websites to a new home with nothing lost.
#[derive(Debug, Parser)]
#[command(name = "resettle", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything in one process on one port, with a Postgres of its own
    Up(UpArguments),
    /// Moves a website and puts the Next.js project into a folder
    Migrate(MigrateArguments),
    /// Follows a migration that was started before, to its end
    Watch(WatchArguments),
    /// Jobs: your organisation's own, and for operators the queues of the instance
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Dead letters: jobs that used up their attempts
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Limits, rates, weights and pauses of an instance, for its operators
    #[command(subcommand)]
    Gates(GatesCommand),
    /// The workers of an instance, for its operators
    Workers {
        #[command(flatten)]
        asking: Asking,
    },
    /// Reads a website into a folder: its bodies, what is known of it, and of each page
    Crawl(CrawlArguments),
    /// Makes a Next.js project of a website, or of a folder of its files, without a database
    Convert(ConvertArguments),
    /// Moves the bundled example website, and builds the result
    Demo(DemoArguments),
    /// Looks through a project for what breaks in browsers, builds and builders
    Lint(LintArguments),
    /// API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Who looks after the instance and sees its operations
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// The database's schema
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Looks whether everything that is needed is there
    Doctor(DoctorArguments),
    /// Writes what makes a shell complete this program's commands, to be sourced
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Where an all-in-one keeps its things.
#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// The folder for database, objects and API key [default: /var/lib/resettle for root, otherwise
    /// $XDG_DATA_HOME/resettle]
    #[arg(long, value_name = "DIR", default_value_os_t = data_folder::default_path(), hide_default_value = true)]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// May be fetched although it is not public; can be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_address: Vec<String>,
    /// Which log lines are written to standard error
    #[arg(long, value_name = "FILTER", default_value = LOG)]
    pub(crate) log: String,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    /// The website, such as https://example.com/
    pub(crate) url: String,
    /// Where the project goes [default: ./out/<host>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Writes one JSON object per event, and a last one with the result
    #[arg(long)]
    pub(crate) json: bool,
    /// What is wanted of the migration
    #[arg(long, value_name = "TEXT", default_value = DEFAULT_PROMPT, hide_default_value = true)]
    pub(crate) prompt: String,
    /// Builds the project, too (npm ci, next build)
    #[arg(long)]
    pub(crate) build: bool,
    /// A running gateway; without one, everything runs in this process
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The key for --server
    #[arg(long, value_name = "KEY", env = "RESETTLE_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// May be fetched although it is not public; can be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_address: Vec<String>,
    /// Which log lines are written to standard error
    #[arg(long, value_name = "FILTER", default_value = "error")]
    pub(crate) log: String,
}

#[derive(Debug, Args)]
pub(crate) struct CrawlArguments {
    /// The website, such as https://example.com/
    pub(crate) url: String,
    /// Where it goes: an empty folder, or one of an earlier crawl of the same site
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Where answers are kept, so that a later crawl transfers only what has changed; may serve several sites,
    /// one after the other [default: in --out]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Writes one JSON object per line, and a last one with the result
    #[arg(long)]
    pub(crate) json: bool,
    /// May be fetched although it is not public; can be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_address: Vec<String>,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// The website, such as https://example.com/, or a folder that holds its files, with its start page (index.html)
    #[arg(value_name = "URL|DIR")]
    pub(crate) source: String,
    /// Where the project goes: a folder that is not there, is empty, or has an earlier project of ours
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The address of the start page that a folder's files stand for, such as https://example.com/: links to its host are the
    /// site's own then. Nothing is fetched from there
    #[arg(long = "as", value_name = "URL")]
    pub(crate) stands_for: Option<String>,
    /// Writes one JSON object per line, and a last one with the result
    #[arg(long)]
    pub(crate) json: bool,
    /// May be fetched although it is not public; can be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_address: Vec<String>,
    /// The major version of Next.js that the project is written for
    #[arg(long, value_name = "MAJOR", value_enum, default_value_t = Major::Sixteen)]
    pub(crate) next: Major,
    /// Whether the project is built and compared with its site in a browser: where Node.js, Chromium and bubblewrap are,
    /// always (or the command ends), or never
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) compare: When,
    /// Pages that are compared in the browser at most, one of each layout first
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) compare_pages: usize,
    /// Browsers at work at once in that, from 1 to 8; most of a page's time is waiting
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_BROWSERS as u64))]
    pub(crate) compare_browsers: usize,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Where the project goes [default: ./out/<host of the example>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Does not build the project
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Keeps the data in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Which log lines are written to standard error
    #[arg(long, value_name = "FILTER", default_value = "error")]
    pub(crate) log: String,
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// The project's folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Mends what has one safe mending, then tells what is left
    #[arg(long)]
    pub(crate) fix: bool,
    /// Whether the project is built before and after it is mended and shown in a browser, so that a mending that moves what
    /// is seen is taken back: where Node.js, Chromium and bubblewrap are, always (or nothing is mended), or never
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto, requires = "fix")]
    pub(crate) compare: When,
    /// Writes the report as one JSON object
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Writes the report as SARIF 2.1.0
    #[arg(long)]
    pub(crate) sarif: bool,
    /// A host whose images may stay; `*.` stands for one label, `**.` for any; can be given several times
    #[arg(long, value_name = "HOST")]
    pub(crate) image_host: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a key for a person, and the person if need be; the key is shown this once
    Create {
        /// Whose key it is
        #[arg(long)]
        email: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        #[command(flatten)]
        owner: OwnerArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Makes a person an operator, and the person if need be
    Grant {
        /// Who
        #[arg(long)]
        email: String,
        #[command(flatten)]
        owner: OwnerArguments,
    },
    /// Takes it back
    Revoke {
        /// Who
        #[arg(long)]
        email: String,
        #[command(flatten)]
        owner: OwnerArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Applies the steps that are missing
    Migrate {
        #[command(flatten)]
        owner: OwnerArguments,
    },
    /// Says whether this program can run on the database
    Status {
        #[command(flatten)]
        owner: OwnerArguments,
    },
    /// After a restore from a backup, before services run on it: makes the event log another one
    Restored {
        #[command(flatten)]
        owner: OwnerArguments,
    },
}

/// The database, as the owner of its schema.
#[derive(Debug, Args)]
pub(crate) struct OwnerArguments {
    /// The database as the owner of its schema: postgres://owner:password@host/database
    #[arg(long, value_name = "URL", env = "RESETTLE_OWNER_URL", hide_env_values = true)]
    pub(crate) owner_url: String,
    /// The way there: disable (plain text), require (encrypted), or verify-full (the certificate is checked, too)
    #[arg(
        long,
        value_name = "MODE",
        env = "RESETTLE_OWNER_TLS",
        hide_env_values = true,
        default_value = "disable"
    )]
    pub(crate) owner_tls: store::TlsMode,
    /// The certificates, as PEM, that verify-full trusts [default: the machine's]
    #[arg(long, value_name = "FILE", env = "RESETTLE_OWNER_TLS_CA_FILE", hide_env_values = true)]
    pub(crate) owner_tls_ca_file: Option<PathBuf>,
}

impl OwnerArguments {
    /// How to reach it.
    pub(crate) fn options(&self) -> store::Options {
        store::Options {
            url: self.owner_url.clone(),
            tls: self.owner_tls,
            tls_ca_file: self.owner_tls_ca_file.clone(),
            ..store::Options::default()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// A gateway that should answer, too
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<Url>,
}

/// Does what the command line asks for.
pub async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // A terminal that has gone away is no reason to say anything else.
            let _printed = told.print();
            return if told.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    // The first provider stays; nothing else in this process installs another one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let code = exit::code(answer(cli.command).await);
    terminal::flush();
    code
}

async fn answer(command: Command) -> Result<exit::Outcome, anyhow::Error> {
    match command {
        Command::Up(arguments) => up::command(arguments).await,
        Command::Migrate(arguments) => migrate::command(arguments).await,
        Command::Crawl(arguments) => crawl::command(arguments).await,
        Command::Convert(arguments) => convert::command(arguments).await,
        Command::Demo(arguments) => demo::command(arguments).await,
        Command::Lint(arguments) => lint::command(arguments).await,
        Command::Key(command) => api_keys::command(command).await,
        Command::Operator(command) => api_keys::operators(command).await,
        Command::Schema(command) => schema::command(command).await,
        Command::Doctor(arguments) => doctor::command(arguments).await,
        Command::Watch(arguments) => operations::watch(arguments).await,
        Command::Jobs(command) => operations::jobs(command).await,
        Command::Dlq(command) => operations::dlq(command).await,
        Command::Gates(command) => operations::gates(command).await,
        Command::Workers { asking } => operations::workers(asking).await,
        Command::Completions { shell } => Ok(completions(shell)),
    }
}

fn completions(shell: Shell) -> exit::Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "resettle", &mut script);
    terminal::say(String::from_utf8_lossy(&script).trim_end());
    exit::Outcome::Done
}
