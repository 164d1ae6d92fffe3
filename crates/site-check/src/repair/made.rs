//! What each page of a project is made of, as one hash: its file, the layouts around it, all that these name, and what every
//! page has alike. A page with the same hash in two projects need not be shown twice.
//!
//! Where it is in doubt it counts too much: a page is then shown again for nothing. It counts on what our own projects do: they
//! name their files whole (`@/`, `./`, or from the root), and lie in pages and layouts alone.

use std::collections::{BTreeMap, BTreeSet};

use site_write::{Contents, Plan, Project};

/// What each page of the plan is made of, by its address in the site.
pub(super) fn of(plan: &Plan, project: &Project) -> BTreeMap<String, blake3::Hash> {
    let files = Files::read(project);
    let pages: Vec<(&str, BTreeSet<&str>)> =
        plan.routes.iter().map(|route| (route.url.as_str(), files.of_page(&route.file))).collect();
    let named: BTreeSet<&str> = pages.iter().flat_map(|(_, made)| made.iter().copied()).collect();
    let everywhere = files.hash(project.files.keys().map(String::as_str).filter(|path| {
        let is_code = path.starts_with("app/") || path.starts_with("components/");
        !is_code && !named.contains(path) && !is_for_people(path)
    }));
    let with_all = |made: BTreeSet<&'_ str>| {
        hash([everywhere.as_bytes().as_slice(), files.hash(made.into_iter()).as_bytes().as_slice()])
    };
    pages.into_iter().map(|(url, made)| (url.to_owned(), with_all(made))).collect()
}

/// The pages, by their address in the site, that this file of the project belongs to.
pub(super) fn with(plan: &Plan, project: &Project, file: &str) -> BTreeSet<String> {
    let files = Files::read(project);
    let routes = plan.routes.iter().filter(|route| files.of_page(&route.file).contains(file));
    routes.map(|route| route.url.clone()).collect()
}

/// Files that neither the build nor a browser reads: notes, types, the tools' own, and other hosts'.
fn is_for_people(path: &str) -> bool {
    path.starts_with('.') || path.starts_with("hosting/") || path.ends_with(".md") || path.ends_with(".d.ts")
}

/// The files of a project, each read once.
struct Files<'a>(BTreeMap<&'a str, File<'a>>);

struct File<'a> {
    /// Of where it is served from, and of what it holds. In which group of the router a page lies makes no difference to it.
    hash: blake3::Hash,
    /// The written files that this one names: what it imports, and what it has a browser fetch. The site's own files are not
    /// among them: they are the same in all projects, whoever names them, and a script may ask for any.
    names: Vec<&'a str>,
}

impl<'a> Files<'a> {
    fn read(project: &'a Project) -> Self {
        let files = project.files.iter().map(|(path, contents)| {
            let (held, names) = match contents {
                Contents::Text(text) => (code(text), names(project, path, text)),
                Contents::Stored(hash) => (hash.as_str(), Vec::new()),
            };
            (path.as_str(), File { hash: hash([served(path).as_bytes(), held.as_bytes()]), names })
        });
        Self(files.collect())
    }

    /// The page, the layouts of the folders that it lies in, and all files that these name, and so on.
    fn of_page(&self, page: &'a str) -> BTreeSet<&'a str> {
        let folders = page.match_indices('/').map(|(at, _)| format!("{}layout.tsx", &page[..=at]));
        let mut open: Vec<&str> = folders
            .filter_map(|layout| self.0.get_key_value(layout.as_str()).map(|(path, _)| *path))
            .collect();
        open.push(page);
        let mut made = BTreeSet::new();
        while let Some(path) = open.pop() {
            if made.insert(path) {
                open.extend(self.0.get(path).into_iter().flat_map(|file| &file.names));
            }
        }
        made
    }

    fn hash(&self, paths: impl Iterator<Item = &'a str>) -> blake3::Hash {
        let hashes = paths.filter_map(|path| self.0.get(path));
        hash(hashes.map(|file| file.hash.as_bytes().as_slice()))
    }
}

fn hash<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

fn names<'a>(project: &'a Project, path: &str, text: &str) -> Vec<&'a str> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let known = |path: &str| {
        let (path, contents) = project.files.get_key_value(path)?;
        matches!(contents, Contents::Text(_)).then_some(path.as_str())
    };
    let code = |stem: &str| known(&format!("{stem}.tsx")).or_else(|| known(&format!("{stem}.ts")));
    let file = |name: &str| match (name.strip_prefix("@/"), name.strip_prefix("./")) {
        (Some(stem), _) => code(stem),
        (_, Some(near)) => code(&format!("{folder}/{near}")),
        _ if name.starts_with('/') => {
            known(&format!("public{}", name.split(['?', '#']).next().unwrap_or(name)))
        }
        _ => None,
    };
    text.split(['"', '\'', '`']).filter_map(file).collect()
}

/// A path without the router's groups, which no address shows.
fn served(path: &str) -> String {
    path.split('/')
        .filter(|part| !(part.starts_with('(') && part.ends_with(')')))
        .collect::<Vec<_>>()
        .join("/")
}

/// A file's text without the notes that it opens with.
fn code(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with("//") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}
