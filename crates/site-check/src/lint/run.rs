//! The walk: each file is parsed once, and one pass over its nodes serves all rules.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use oxc::{
    allocator::Allocator,
    ast::AstKind,
    diagnostics::OxcDiagnostic,
    parser::{Parser, ParserReturn},
    semantic::{SemanticBuilder, SemanticBuilderReturn},
    span::{SourceType, Span},
};

use super::{
    Options, Report, Violation, deep,
    element::Element,
    file::{File, Finding, Found},
    lines::Lines,
    registry::{self, Check, Severity, UNREADABLE},
    rule, suppress,
};

/// The endings of files that are read.
const ENDINGS: &[&str] = &[".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts"];
/// Folders whose files are somebody else's, or written by a build.
const PASSED_OVER: &[&str] = &["node_modules", ".next"];
/// Folders of written code, but for routes, which may be called anything.
const GENERATED: &[&str] = &["generated", "__generated__"];

/// A file with more bytes is looked at while no other such file is: its tree takes many times its size.
const LARGE: usize = 4 << 20;

/// Is this one of the files that the lint reads? The path is the project's own, with `/`.
pub fn is_linted(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let routed = path.starts_with("app/") || path.starts_with("src/app/");
    let is_passed_over = |folder| PASSED_OVER.contains(&folder) || !routed && GENERATED.contains(&folder);
    let passed_over = path.starts_with("public/") || folders.split('/').any(is_passed_over);
    !passed_over && (name == "tsconfig.json" || ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// Looks at the files of a project, by their path from its root. Which order they come in makes no difference; files that
/// [`is_linted`] does not name are passed over. Says what it cannot read; never fails.
pub fn lint<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>, options: &Options) -> Report {
    let files: BTreeMap<&str, &str> = files.into_iter().filter(|(path, _)| is_linted(path)).collect();
    let options = &with_hosts(&files, options);
    let mut found = Vec::new();
    let mut suppressed = 0;
    for mut looked in look(&files, options) {
        suppressed += looked.suppressed;
        found.extend(looked.told(options.most_violations));
    }
    Report::of(found, files.len(), suppressed, options.most_violations)
}

/// A file with what was found in it.
pub(super) struct Looked<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    pub(super) findings: Vec<Finding>,
    pub(super) suppressed: usize,
    /// Places of secrets, also of excused ones: they are not shown.
    hidden: Vec<(usize, usize)>,
}

/// Looks at each file, on several threads whose stacks are deep enough. What comes back is in the order of the paths.
pub(super) fn look<'a>(files: &BTreeMap<&'a str, &'a str>, options: &Options) -> Vec<Looked<'a>> {
    let mut longest_first: Vec<(&'a str, &'a str)> =
        files.iter().map(|(path, text)| (*path, *text)).collect();
    longest_first.sort_by_key(|(_, text)| Reverse(text.len()));
    let (waiting, large) = (Mutex::new(longest_first.into_iter()), Mutex::new(()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || {
        let mut looked = Vec::new();
        while let Some((path, text)) = next() {
            let alone = (text.len() > LARGE).then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
            looked.push(one(path, text, options));
            drop(alone);
        }
        looked
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(files.len());
    let mut looked: Vec<Looked<'a>> = thread::scope(|scope| {
        let start = || thread::Builder::new().name("lint".into()).stack_size(deep::STACK);
        let started: Vec<_> = (0..threads).map(|_| start().spawn_scoped(scope, share)).collect();
        let ended = started.into_iter().map(|thread| match thread.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(looked)) => looked,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // The others look at what it would have.
            Err(_) => Vec::new(),
        });
        ended.flatten().collect()
    });
    // Without room for a single thread nothing is looked at, and that is said.
    let left = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
    looked.extend(left.map(|(path, text)| Looked::unreadable(path, text, "there is no memory for a thread")));
    looked.sort_unstable_by_key(|looked| looked.path);
    looked
}

/// The hosts of images that are allowed, with those that the project's own configuration names.
pub(super) fn with_hosts(files: &BTreeMap<&str, &str>, options: &Options) -> Options {
    let mut options = options.clone();
    for (path, text) in files {
        if path.starts_with("next.config.") && text.len() <= options.largest_file && !deep::is_too_deep(text)
        {
            options.image_hosts.extend(rule::img_element::configured_hosts(path, text));
        }
    }
    options
}

fn one<'a>(path: &'a str, text: &'a str, options: &Options) -> Looked<'a> {
    if text.len() > options.largest_file {
        let why = format!(
            "it has more than {} bytes: split it, or keep data apart from code",
            options.largest_file
        );
        return Looked::unreadable(path, text, &why);
    }
    if deep::is_too_deep(text) {
        return Looked::unreadable(path, text, &format!("it nests deeper than {} levels", deep::DEEPEST));
    }
    if path.ends_with(".json") {
        return Looked::new(path, text, rule::ignore_flag::of_tsconfig(text));
    }
    parsed(path, text, options)
}

fn parsed<'a>(path: &'a str, text: &'a str, options: &Options) -> Looked<'a> {
    let allocator = Allocator::default();
    let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::tsx());
    let ParserReturn { program, diagnostics, panicked, .. } = Parser::new(&allocator, text, kind).parse();
    if panicked || !diagnostics.is_empty() {
        return Looked::new(path, text, complaints(&diagnostics));
    }
    let program = allocator.alloc(program);
    let builder = SemanticBuilder::new().with_build_nodes(true).with_check_syntax_error(true);
    let SemanticBuilderReturn { semantic, diagnostics } = builder.build(program);
    if !diagnostics.is_empty() {
        return Looked::new(path, text, complaints(&diagnostics));
    }
    let file = File::of(path, text, &semantic, options);
    let mut findings = walk(&file);
    let mut looked = Looked::new(path, text, Vec::new());
    looked.hide(&findings);
    looked.suppressed = suppress::apply(&file, &Lines::of(text), &mut findings);
    looked.findings = findings;
    looked
}

fn walk(file: &File<'_, '_>) -> Vec<Finding> {
    let (mut of_nodes, mut of_elements, mut of_files) = (Vec::new(), Vec::new(), Vec::new());
    for rule in registry::rules() {
        match rule.check {
            Check::Nodes(check) => of_nodes.push((check, Found::new(rule))),
            Check::Elements(check) => of_elements.push((check, Found::new(rule))),
            Check::Whole(check) => of_files.push((check, Found::new(rule))),
            Check::Own => {}
        }
    }
    for node in file.semantic.nodes().iter() {
        if let AstKind::JSXOpeningElement(opening) = node.kind() {
            let element = Element::of(opening, node.id());
            of_elements.iter_mut().for_each(|(check, found)| check(&element, file, found));
        }
        of_nodes.iter_mut().for_each(|(check, found)| check(node, file, found));
    }
    of_files.iter_mut().for_each(|(check, found)| check(file, found));
    let found = of_nodes.into_iter().map(|(_, found)| found);
    let found = found.chain(of_elements.into_iter().map(|(_, found)| found));
    found.chain(of_files.into_iter().map(|(_, found)| found)).flat_map(|found| found.list).collect()
}

fn complaints<'d>(diagnostics: impl IntoIterator<Item = &'d OxcDiagnostic>) -> Vec<Finding> {
    let rule = registry::find(UNREADABLE).expect("the table has this rule");
    let mut found = Found::new(rule);
    for diagnostic in diagnostics {
        let (offset, length) =
            diagnostic.labels.first().map_or((0, 0), |label| (label.offset(), label.len()));
        let place = Span::sized(offset, length);
        found.at(place, format!("it is not TypeScript: {}", diagnostic.message));
    }
    if found.list.is_empty() {
        found.at(Span::new(0, 0), "it is not TypeScript");
    }
    found.list
}

impl<'a> Looked<'a> {
    fn new(path: &'a str, text: &'a str, findings: Vec<Finding>) -> Self {
        Self { path, text, findings, suppressed: 0, hidden: Vec::new() }
    }

    fn unreadable(path: &'a str, text: &'a str, why: &str) -> Self {
        let mut found = Found::new(registry::find(UNREADABLE).expect("the table has this rule"));
        found.at(Span::new(0, 0), why);
        Self::new(path, text, found.list)
    }

    fn hide(&mut self, findings: &[Finding]) {
        let secrets = findings.iter().filter(|finding| finding.rule.name == "secret");
        self.hidden = secrets.map(|one| (one.span.start as usize, one.span.end as usize)).collect();
    }

    /// Did it parse?
    pub(super) fn is_readable(&self) -> bool {
        self.findings.iter().all(|finding| finding.rule.name != UNREADABLE)
    }

    /// As callers see it.
    fn told(&mut self, most: usize) -> Vec<(Severity, Violation)> {
        if self.findings.is_empty() {
            return Vec::new();
        }
        // No more is told of all files together: that there are more is seen by one more.
        self.findings.sort_by_key(|finding| (finding.severity == Severity::Advice, finding.span.start));
        self.findings.truncate(most.saturating_add(1));
        let lines = Lines::of(self.text);
        let mut told = Vec::new();
        let mut row = (usize::MAX, Vec::new());
        for finding in &self.findings {
            let start = lines.around(finding.span.start as usize).0;
            if row.0 != start {
                row = (start, self.hidden_in(&lines, start));
            }
            told.push((finding.severity, self.tell(finding, &lines, &row.1)));
        }
        told
    }

    /// What of a line is not to be shown: what the rule found, and what no rule sees, as it stands in a comment or in a file
    /// that does not parse.
    fn hidden_in(&self, lines: &Lines<'_>, start: usize) -> Vec<(usize, usize)> {
        let (_, line) = lines.around(start);
        let end = start + line.len();
        let mut hidden: Vec<_> =
            self.hidden.iter().copied().filter(|(from, to)| *from < end && *to > start).collect();
        rule::secret::known(line, |_, range, _| hidden.push((start + range.start, start + range.end)));
        hidden
    }

    fn tell(&self, finding: &Finding, lines: &Lines<'_>, hidden: &[(usize, usize)]) -> Violation {
        let range = (finding.span.start as usize, finding.span.end as usize);
        let (line, column) = lines.place(range.0);
        Violation {
            kind: finding.rule.name,
            file: self.path.to_owned(),
            line,
            column,
            description: finding.description.clone(),
            docs: finding.rule.docs(),
            fixable: finding.mending.is_some(),
            excerpt: lines.excerpt(range, hidden),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_projects_own_code_is_read() {
        for path in [
            "app/page.tsx",
            "next.config.mjs",
            "tsconfig.json",
            "a/public.ts",
            "app/public/generated/page.tsx",
        ] {
            assert!(is_linted(path), "{path}");
        }
        for path in [
            "public/js/a.js",
            "node_modules/x/i.js",
            ".next/a.js",
            "app/a.css",
            "package.json",
            "src/generated/a.ts",
        ] {
            assert!(!is_linted(path), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_violation() {
        let options = Options { largest_file: 20, ..Options::default() };
        let report = lint(
            [("a.ts", "const = 1;"), ("b.ts", "export const long = 1;"), ("c.ts", "let a; let a;")],
            &options,
        );
        assert_eq!(
            report.violations.iter().map(|v| (v.kind, v.file.as_str())).collect::<Vec<_>>(),
            [("unreadable", "a.ts"), ("unreadable", "b.ts"), ("unreadable", "c.ts"),]
        );
        let deep = "(".repeat(100_000);
        assert!(!lint([("a.ts", deep.as_str())], &Options::default()).passed);
    }

    #[test]
    fn as_deep_as_may_be_fits_on_the_stack() {
        // Each piece counts once or more, and is closed or not: parsed or refused, never a crash.
        let pieces = [
            "(",
            "[",
            "{",
            "!",
            "- ",
            "<a>",
            "x<a>",
            "x=>",
            "x?y:",
            "x?",
            "typeof ",
            "await ",
            "a.",
            "a+",
            "a?.",
            "a,",
            "if(x)",
            "else ",
            "a:",
            "`${",
            "new ",
            "() => {",
            "function f(){",
            "<a b={",
            "{...",
            "A<",
            "a as ",
            "x||",
            "x**",
            "a=",
            "class extends ",
            "x[",
            "f(",
            "type T=[",
            "let a:{b:",
            "<T>",
            "do ",
            "for(;;)",
            "<>",
            "@a ",
            "keyof ",
            "a|",
            "a extends b?c:",
        ];
        for piece in pieces {
            let text = piece.repeat(deep::DEEPEST - 20);
            for text in [format!("x = {text}"), text] {
                lint([("a.tsx", text.as_str())], &Options::default());
            }
        }
        let closed = PAIRS.iter().map(|(open, close)| {
            let count = (deep::DEEPEST - 20) / 2;
            format!("export const a = {}1{}", open.repeat(count), close.repeat(count))
        });
        for text in closed {
            let report = lint([("a.tsx", text.as_str())], &Options::default());
            assert!(report.passed, "{}: {:?}", &text[..40], report.violations.first());
        }
    }

    const PAIRS: &[(&str, &str)] = &[
        ("(", ")"),
        ("[", "]"),
        ("<a>", "</a>"),
        ("!", ""),
        ("x => ", ""),
        ("f(", ")"),
        ("1 + ", ""),
        ("typeof ", ""),
    ];
}
