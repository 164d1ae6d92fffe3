//! A project as it is made and laid down: written, its exceptions settled, looked through by the lint, put on disk. What
//! the worker does phase by phase and the command line in one go is the same because it is here.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use site_read::Snapshot;
use site_write::{Bodies, Contents, Plan, Project};

use crate::lint::{self, Options};

/// Writes the project of a plan, and settles why it keeps what its site had.
pub fn write(plan: &Plan, snapshot: &Snapshot, bodies: &dyn Bodies) -> site_write::Result<Project> {
    let mut project = site_write::transform(plan, snapshot, bodies)?;
    lint::settle(plan, snapshot, bodies, &mut project);
    Ok(project)
}

/// What the lint says of everything that was written.
pub fn look_through(project: &Project) -> lint::Report {
    let texts = project.files.iter().filter_map(|(path, contents)| match contents {
        Contents::Text(text) => Some((path.as_str(), text.as_str())),
        Contents::Stored(_) => None,
    });
    lint::lint(texts, &Options::default())
}

/// Where a file of a project lies below `folder`. Paths come from what a site said: `None` for one that leads elsewhere.
pub fn place(folder: &Path, path: &str) -> Option<PathBuf> {
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.is_empty()).then(|| folder.join(path))
}

/// Puts one file there, and makes the folders that it needs.
pub async fn put(target: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        tokio::fs::create_dir_all(parent).await?;
    }
    tokio::fs::write(target, bytes).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let folder = Path::new("/scratch/x");
        assert_eq!(place(folder, "app/page.tsx"), Some(folder.join("app/page.tsx")));
        for path in ["../a", "a/../../b", "/etc/passwd", "./a", ""] {
            assert_eq!(place(folder, path), None, "{path}");
        }
    }
}
