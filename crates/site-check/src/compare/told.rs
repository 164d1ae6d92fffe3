//! What a comparison found, in words for the project's owner: a part of its `MIGRATION.md`.
//!
//! It says what was looked at and which pages and addresses are not as they were, and no figure that two measurements of one
//! page could disagree about.

use std::{collections::BTreeMap, fmt::Write};

use site_write::{Contents, Project};

use super::{ComparedPage, Comparison, WrongAddress};

/// Where it is told.
const FILE: &str = "MIGRATION.md";

impl Comparison {
    /// Adds what was found to what the project says of its migration; a project that says nothing of it stays as it is.
    pub fn tell(&self, project: &mut Project) {
        if let Some(Contents::Text(said)) = project.files.get_mut(FILE) {
            said.push_str(&self.in_words());
        }
    }

    fn in_words(&self) -> String {
        let Self { pages, left_out, addresses, wrong_addresses, .. } = self;
        let shown = pages.len() as u64;
        let differing: Vec<&ComparedPage> = pages.iter().filter(|page| !page.passed).collect();
        let widths = series(self.widths.iter().map(u32::to_string));
        let mut out = format!(
            "\n## Compared with the site\n\nThe project was built and served, and shown in a browser beside the site as it was read, at {widths} pixels.\n\n\
             - {shown} of {} pages shown: {} as they were\n\
             - {addresses} addresses asked: {} answer as before\n",
            shown + left_out,
            pages.len() - differing.len(),
            addresses.saturating_sub(wrong_addresses.len() as u64),
        );
        if !differing.is_empty() || !wrong_addresses.is_empty() {
            out.push_str("\nThese need a look:\n\n");
        }
        for page in differing {
            let reasons = series(reasons(page));
            out.push_str(&format!("- `{}`: {reasons}\n", page.url));
        }
        for WrongAddress { path, wanted, found } in wrong_addresses {
            let _ = writeln!(out, "- `{path}` answers {found}, not {wanted}");
        }
        out
    }
}

/// Why a page was refused, each reason once, with the widths that it shows at.
fn reasons(page: &ComparedPage) -> impl Iterator<Item = String> {
    let mut widths: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for reason in &page.reasons {
        widths.entry(&reason.code).or_default().extend(reason.width);
    }
    widths.into_iter().map(|(code, widths)| {
        let at = series(widths.iter().map(u32::to_string));
        let at = if at.is_empty() { at } else { format!(" (at {at})") };
        format!("{}{at}", words(code))
    })
}

/// What differs, for people. A code that is newer than this list stands for itself.
fn words(code: &str) -> &str {
    match code {
        "status" => "whether it is found",
        "address" => "the address that it ends at",
        "text" => "its text",
        "images" => "its images",
        "links" => "its links",
        "frames" => "its frames",
        "forms" => "its forms",
        "doctype" => "the mode that browsers show it in",
        "elements" => "how elements look or where they stand",
        "seo" => "what search engines read of it",
        "console" => "errors of its scripts",
        "hydration" => "what React finds when it takes over",
        "accessibility" => "what assistive technology finds",
        "requests" => "how many requests it makes",
        "bytes" => "how much it loads",
        "unmeasured" => "it could not be measured",
        code => code,
    }
}

/// `a`, `a and b`, `a, b and c`.
fn series(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Reason;

    fn reason(code: &str, width: Option<u32>) -> Reason {
        Reason { code: code.to_owned(), width, note: "97.10 % of it".to_owned() }
    }

    #[test]
    fn what_differs_is_named_with_its_reasons_and_without_figures_that_waver() {
        let fine =
            ComparedPage { url: "http://a.example/".to_owned(), passed: true, ..ComparedPage::default() };
        let reasons = vec![
            reason("elements", Some(1280)),
            reason("elements", Some(390)),
            reason("accessibility", None),
        ];
        let bad = ComparedPage { url: "http://a.example/b".to_owned(), reasons, ..ComparedPage::default() };
        let wrong = WrongAddress {
            path: "/old".to_owned(),
            wanted: "301 to /new".to_owned(),
            found: "404".to_owned(),
        };
        let comparison = Comparison {
            widths: vec![1280, 1024, 768, 390],
            pages: vec![fine, bad],
            addresses: 5,
            wrong_addresses: vec![wrong],
            left_out: 3,
            ..Comparison::default()
        };
        let told = "\n## Compared with the site\n\n\
            The project was built and served, and shown in a browser beside the site as it was read, at 1280, 1024, 768 and 390 pixels.\n\n\
            - 2 of 5 pages shown: 1 as they were\n\
            - 5 addresses asked: 4 answer as before\n\n\
            These need a look:\n\n\
            - `http://a.example/b`: what assistive technology finds and how elements look or where they stand (at 1280 and 390)\n\
            - `/old` answers 404, not 301 to /new\n";
        assert_eq!(comparison.in_words(), told);
    }

    #[test]
    fn only_what_the_project_says_of_its_migration_changes() {
        let text = |text: &str| Contents::Text(text.to_owned());
        let files = [(FILE.to_owned(), text("# Moved\n")), ("README.md".to_owned(), text("# Read\n"))];
        let mut project = Project { files: files.into() };
        Comparison { widths: vec![390], ..Comparison::default() }.tell(&mut project);
        let said = |path: &str| match &project.files[path] {
            Contents::Text(text) => text.clone(),
            Contents::Stored(_) => panic!("{path} is text"),
        };
        assert!(said(FILE).starts_with("# Moved\n\n## Compared with the site\n"), "{}", said(FILE));
        assert!(!said(FILE).contains("These need a look"), "{}", said(FILE));
        assert_eq!(said("README.md"), "# Read\n");
        let mut silent = Project::default();
        Comparison::default().tell(&mut silent);
        assert_eq!(silent, Project::default());
    }
}
