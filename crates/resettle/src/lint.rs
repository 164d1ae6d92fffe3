//! `resettle lint DIR`: looks through a project for what breaks in browsers, builds and builders, mends what it may, and tells
//! it to people, to programs (JSON) or to code hosts (SARIF). Runs nothing of the project, and writes only with `--fix`.

mod human;
mod sarif;
mod tree;

use crate::{
    cli::LintArguments,
    exit::{Outcome, usage},
    terminal::{note, say},
};
use site_check::lint::{self, Options, Report};
use std::{collections::BTreeMap, path::Path};

/// Why the project cannot be looked through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} cannot be read", path.display())]
    Unreadable {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} cannot be written", path.display())]
    Unwritable {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("there are more than {limit} files below {}: name a folder of the project itself", path.display())]
    TooMany { path: std::path::PathBuf, limit: usize },
}

/// The command.
pub(crate) async fn command(arguments: LintArguments) -> Result<Outcome, anyhow::Error> {
    let folder = arguments.folder.clone();
    if !folder.is_dir() {
        return Err(usage(format!("{} is not a folder", folder.display())));
    }
    let options =
        Options { image_hosts: arguments.image_host.iter().cloned().collect(), ..Options::default() };
    let fix = arguments.fix;
    // Parsing is work for a processor, not for the runtime's own threads.
    let report = tokio::task::spawn_blocking(move || look(&folder, &options, fix)).await??;
    tell(&report, &arguments);
    Ok(if report.passed { Outcome::Done } else { Outcome::Unsuccessful })
}

fn look(folder: &Path, options: &Options, fix: bool) -> Result<Report, Error> {
    let files: BTreeMap<String, String> = tree::read(folder, options.largest_file)?;
    let pairs = || files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    if !fix {
        return Ok(lint::lint(pairs(), options));
    }
    let fixed = lint::fix(pairs(), options, &mut |_| true);
    for (path, text) in &fixed.files {
        tree::replace(folder, path, text)?;
    }
    if !fixed.applied.is_empty() {
        let (mended, files) = (fixed.applied.len(), fixed.files.len());
        note(format_args!(
            "mended {mended} {} in {files} {}",
            human::things(mended, "place"),
            human::things(files, "file")
        ));
    }
    Ok(fixed.report)
}

fn tell(report: &Report, arguments: &LintArguments) {
    if arguments.json {
        say(serde_json::to_string_pretty(report).expect("a report serialises"));
    } else if arguments.sarif {
        say(serde_json::to_string_pretty(&sarif::log(report)).expect("a log serialises"));
    } else {
        for text in human::findings(report) {
            say(text);
        }
        note(human::summary(report));
    }
}
