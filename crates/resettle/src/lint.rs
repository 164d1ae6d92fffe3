//! `resettle lint DIR`: looks through a project for what breaks in browsers, builds and builders, mends what it may, and tells
//! it to people, to programs (JSON) or to code hosts (SARIF). Writes only with `--fix`, and then nothing that was measured and
//! found to move what is seen (`measured.rs`); runs nothing of the project but its build, in a cell.

mod human;
mod measured;
mod sarif;
mod tree;

use crate::{
    cli::LintArguments,
    exit::{Outcome, unavailable, usage},
    migrate::interrupted,
    terminal::{note, say},
    tools::When,
};
use measured::{Project, Settled};
use site_check::lint::{self, Applied, Fixed, Options, Report};
use std::collections::{BTreeMap, BTreeSet};

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
    let (read, largest) = (folder.clone(), options.largest_file);
    let files = tokio::task::spawn_blocking(move || tree::read(&read, largest)).await??;
    let report = if arguments.fix {
        let project = Project { folder: &folder, files: &files, options: &options };
        tokio::select! {
            mended = mend(project, arguments.compare) => mended?,
            () = interrupted() => {
                note("stopped; nothing is mended");
                return Ok(Outcome::Interrupted);
            }
        }
    } else {
        // Parsing is work for a processor, not for the runtime's own threads.
        tokio::task::spawn_blocking(move || look(&files, &options)).await?
    };
    tell(&report, &arguments);
    Ok(if report.passed { Outcome::Done } else { Outcome::Unsuccessful })
}

fn look(files: &BTreeMap<String, String>, options: &Options) -> Report {
    lint::lint(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), options)
}

/// Mends what may be mended, and writes it.
async fn mend(project: Project<'_>, compare: When) -> Result<Report, anyhow::Error> {
    let fixed = project.mended(&mut |_| true);
    let fixed = if fixed.applied.is_empty() || compare == When::Never {
        fixed
    } else {
        match measured::settle(project, fixed.clone(), &|step| note(step)).await {
            Ok(settled) => told(settled),
            Err(why) if compare == When::Always => return Err(unavailable(why)),
            Err(why) => {
                note(format_args!("what is mended was not looked at in a browser: {why}"));
                fixed
            }
        }
    };
    for (path, text) in &fixed.files {
        tree::replace(project.folder, path, text)?;
    }
    if !fixed.applied.is_empty() {
        note(format_args!("mended {}", counted(&fixed.applied)));
    }
    Ok(fixed.report)
}

/// Says what was found out on the way.
fn told(settled: Settled) -> Fixed {
    for path in &settled.unsteady {
        note(format_args!("{path} changes by itself: it says nothing of what is mended"));
    }
    for Applied { file, kind, description, .. } in &settled.taken_back {
        note(format_args!("taken back, since it moves what is seen: {file}: {kind}: {description}"));
    }
    settled.fixed
}

/// `3 places in 2 files`
fn counted(applied: &[Applied]) -> String {
    let files: BTreeSet<&str> = applied.iter().map(|one| one.file.as_str()).collect();
    let (places, files) = (applied.len(), files.len());
    format!("{places} {} in {files} {}", human::things(places, "place"), human::things(files, "file"))
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
