//! Mends what has one safe mending, on the spans of the tree, until nothing is left to mend. Edits of one pass never overlap;
//! a text that would not parse any more is taken back; mending what was mended changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use oxc::span::Span;

use super::{
    Options, Report,
    file::{Edit, Finding},
    run::{self, Looked, is_linted},
};

/// One mending makes room for another at most so often.
const PASSES: usize = 16;

/// A mending that was made, or that is about to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Names it: the same for the same place of the same file, whatever else is mended beside it.
    pub id: String,
    /// Which file.
    pub file: String,
    /// The rule's name.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What was wrong.
    pub description: String,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The files that changed, with their new text.
    pub files: BTreeMap<String, String>,
    /// What was mended, by file and id.
    pub applied: Vec<Applied>,
    /// What the lint says now.
    pub report: Report,
}

/// Mends the files of a project. `keep` is asked for each mending whether it is wanted, and may say no to one that was
/// measured and found to move something: call again with its id refused, on the files as they were.
pub fn fix<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    options: &Options,
    keep: &mut dyn FnMut(&Applied) -> bool,
) -> Fixed {
    let files: BTreeMap<&str, &str> = files.into_iter().filter(|(path, _)| is_linted(path)).collect();
    let with_hosts = run::with_hosts(&files, options);
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    let mut applied = BTreeSet::new();
    let mut open: BTreeSet<String> = files.keys().map(|path| (*path).to_owned()).collect();
    for _ in 0..PASSES {
        let now = |path: &str| changed.get(path).map_or(files[path], String::as_str);
        let look_at = open.iter().map(|path| (path.as_str(), now(path))).collect();
        let mut mended = BTreeMap::new();
        for looked in run::look(&look_at, &with_hosts) {
            if let Some((text, made)) = mend(&looked, keep) {
                mended.insert(looked.path.to_owned(), (text, made));
            }
        }
        let reads = look_again(&mended, &with_hosts);
        mended.retain(|path, _| reads.contains(path));
        if mended.is_empty() {
            break;
        }
        open = mended.keys().cloned().collect();
        for (path, (text, made)) in mended {
            changed.insert(path, text);
            applied.extend(made);
        }
    }
    let now = files.iter().map(|(path, text)| (*path, changed.get(*path).map_or(*text, String::as_str)));
    let report = run::lint(now, options);
    Fixed { report, applied: applied.into_iter().collect(), files: changed }
}

/// Which of the mended texts still parse.
fn look_again(mended: &BTreeMap<String, (String, Vec<Applied>)>, options: &Options) -> BTreeSet<String> {
    let texts = mended.iter().map(|(path, (text, _))| (path.as_str(), text.as_str())).collect();
    let looked = run::look(&texts, options);
    looked.into_iter().filter(Looked::is_readable).map(|looked| looked.path.to_owned()).collect()
}

/// The text after one pass, and what was mended in it; none if nothing was.
fn mend(looked: &Looked<'_>, keep: &mut dyn FnMut(&Applied) -> bool) -> Option<(String, Vec<Applied>)> {
    let mut wanted: Vec<(&Finding, &[Edit])> = looked
        .findings
        .iter()
        .filter_map(|finding| finding.mending.as_deref().map(|edits| (finding, edits)))
        .collect();
    wanted.sort_by_key(|(_, edits)| edits.first().map(|edit| edit.span.start));
    let (mut made, mut edits) = (Vec::new(), Vec::new());
    let mut taken_to = None;
    let mut tags = Tags { text: looked.text, counted_to: 0, count: 0 };
    for (finding, wanted) in wanted {
        // Edits that touch wait for the next pass.
        if wanted.iter().any(|edit| taken_to.is_some_and(|end| edit.span.start <= end)) {
            continue;
        }
        let about = about(looked, finding, wanted, tags.before(wanted));
        if keep(&about) {
            taken_to = wanted.iter().map(|edit| edit.span.end).max();
            edits.extend(wanted);
            made.push(about);
        }
    }
    (!made.is_empty()).then(|| (apply(looked.text, edits), made))
}

/// Counts how many tags begin before a place, in ascending order of places.
struct Tags<'a> {
    text: &'a str,
    counted_to: usize,
    count: usize,
}

impl Tags<'_> {
    fn before(&mut self, edits: &[Edit]) -> usize {
        let at = edits.first().map_or(0, |edit| edit.span.start as usize);
        let between = self.text.get(self.counted_to..at).unwrap_or_default();
        self.count += between.matches('<').count();
        self.counted_to = at.max(self.counted_to);
        self.count
    }
}

pub(super) fn apply(text: &str, mut edits: Vec<&Edit>) -> String {
    edits.sort_by_key(|edit| edit.span.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for edit in edits {
        let Span { start, end, .. } = edit.span;
        out.push_str(text.get(from..start as usize).unwrap_or_default());
        out.push_str(&edit.text);
        from = end as usize;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Its id is made of what no other mending changes: how many tags begin before it, and what it replaces.
fn about(looked: &Looked<'_>, finding: &Finding, edits: &[Edit], tags: usize) -> Applied {
    let mut hasher = blake3::Hasher::new();
    hasher.update(looked.path.as_bytes()).update(&tags.to_le_bytes());
    for edit in edits {
        let replaced = looked.text.get(edit.span.start as usize..edit.span.end as usize).unwrap_or_default();
        hasher.update(replaced.as_bytes()).update(&[0]).update(edit.text.as_bytes()).update(&[0]);
    }
    let hash = hasher.finalize().to_hex();
    Applied {
        id: format!("{}-{}", finding.rule.name, &hash[..12]),
        file: looked.path.to_owned(),
        kind: finding.rule.name,
        description: finding.description.clone(),
    }
}
