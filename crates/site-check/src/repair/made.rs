//! What each page of a project is made of, as one hash: its file, the layouts around it, all that these name, and what every
//! page has alike. A page with the same hash in two projects need not be shown twice.
//!
//! Where it is in doubt it counts too much: a page is then shown again for nothing. It counts on what our own projects do: they
//! name their files whole (`@/`, `./`, or from the root), and lie in pages and layouts alone.

use std::collections::{BTreeMap, BTreeSet};

use site_write::{Contents, Plan, Project};

/// What each page of the plan is made of, by its address in the site.
pub(super) fn of(plan: &Plan, project: &Project) -> BTreeMap<String, blake3::Hash> {
    let files = Files { project };
    let pages: Vec<(&str, BTreeSet<&str>)> =
        plan.routes.iter().map(|route| (route.url.as_str(), files.of_page(&route.file))).collect();
    let named: BTreeSet<&str> = pages.iter().flat_map(|(_, made)| made.iter().copied()).collect();
    let everywhere = files.hash(project.files.keys().map(String::as_str).filter(|path| {
        let is_code = path.starts_with("app/") || path.starts_with("components/");
        !is_code && !named.contains(path) && !is_for_people(path)
    }));
    let with_all = |made: BTreeSet<&str>| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(everywhere.as_bytes());
        hasher.update(files.hash(made.into_iter()).as_bytes());
        hasher.finalize()
    };
    pages.into_iter().map(|(url, made)| (url.to_owned(), with_all(made))).collect()
}

/// Files that neither the build nor a browser reads: notes, types, the tools' own, and other hosts'.
fn is_for_people(path: &str) -> bool {
    path.starts_with('.') || path.starts_with("hosting/") || path.ends_with(".md") || path.ends_with(".d.ts")
}

struct Files<'a> {
    project: &'a Project,
}

impl<'a> Files<'a> {
    /// The page, the layouts of the folders that it lies in, and all files that these name, and so on.
    fn of_page(&self, page: &'a str) -> BTreeSet<&'a str> {
        let folders = page.match_indices('/').map(|(at, _)| format!("{}layout.tsx", &page[..=at]));
        let mut open: Vec<&str> = folders.filter_map(|layout| self.known(&layout)).collect();
        open.push(page);
        let mut made = BTreeSet::new();
        while let Some(path) = open.pop() {
            if made.insert(path) {
                open.extend(self.names(path));
            }
        }
        made
    }

    /// The written files that this one names: what it imports, and what it has a browser fetch. The site's own files are not
    /// among them: they are the same in all projects, whoever names them, and a script may ask for any.
    fn names(&self, path: &str) -> Vec<&'a str> {
        let Some(Contents::Text(text)) = self.project.files.get(path) else { return Vec::new() };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let file = |name: &str| {
            let code =
                |stem: &str| self.known(&format!("{stem}.tsx")).or_else(|| self.known(&format!("{stem}.ts")));
            match (name.strip_prefix("@/"), name.strip_prefix("./")) {
                (Some(stem), _) => code(stem),
                (_, Some(near)) => code(&format!("{folder}/{near}")),
                _ if name.starts_with('/') => {
                    self.known(&format!("public{}", name.split(['?', '#']).next().unwrap_or(name)))
                }
                _ => None,
            }
        };
        text.split(['"', '\'', '`']).filter_map(file).collect()
    }

    fn known(&self, path: &str) -> Option<&'a str> {
        let (path, contents) = self.project.files.get_key_value(path)?;
        matches!(contents, Contents::Text(_)).then_some(path)
    }

    /// The hash of these files: of where they are served from, and of what they hold. In which group of the router a page lies
    /// makes no difference to it.
    fn hash(&self, paths: impl Iterator<Item = &'a str>) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for path in paths {
            let contents = match self.project.files.get(path) {
                Some(Contents::Text(text)) => code(text),
                Some(Contents::Stored(hash)) => hash.as_str(),
                None => "",
            };
            for part in [&served(path), contents] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.finalize()
    }
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
