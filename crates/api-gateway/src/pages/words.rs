//! Every sentence of the pages, in one table per language. A language is whole or does not compile: each table names
//! each field, and a test looks that none is empty or another language's.
//!
//! What a site, a worker or a user wrote is shown as it is, with `dir="auto"`; problems are told by their code.

mod ar;
mod en;

use actix_web::HttpRequest;
use domain::{migration::MigrationState, phase::Phase};

/// All languages. The first is the one of paths without a prefix.
pub(super) const LANGUAGES: [&Words; 2] = [&en::WORDS, &ar::WORDS];

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// One language's sentences.
        #[derive(Debug)]
        pub(super) struct Words {
            /// As in `lang`.
            pub(super) code: &'static str,
            /// As in `dir`.
            pub(super) direction: &'static str,
            /// What paths of this language begin with.
            pub(super) prefix: &'static str,
            /// The code of the language that the footer leads to.
            pub(super) other_code: &'static str,
            $($(#[$doc])* pub(super) $name: &'static str,)+
        }

        impl Words {
            /// The sentences by name: scripts get those that they need, tests all.
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

words! {
    // Around every page
    tagline, skip, other_language, ways, nav_start, nav_list, sign_out, error_title, back,
    // Sign-in
    sign_in_title, sign_in_lead, key_label, key_hint, sign_in_button, sign_in_wrong,
    // Start
    start_title, start_lead, url_label, url_hint, brief_label, brief_hint, brief_text, start_button,
    look_title, look_idle, look_busy, look_failed, look_name, look_address, look_pages, look_size,
    /// With `{count}`.
    look_listed,
    /// With `{count}`.
    look_linked,
    size_small, size_medium, size_large, size_enterprise,
    // List
    list_title, list_empty, list_older, list_site, list_state, list_begun,
    state_queued, state_analyzing, state_awaiting_ownership, state_questionnaire, state_processing, state_paused,
    state_completed, state_failed, state_cancelled,
    // Progress
    progress_title, progress_label, now_label, now_idle, phases_label, log_title, warnings_title,
    phase_analyze, phase_plan, phase_transform, phase_verify, phase_deploy,
    step_waiting, step_now, step_done, step_stopped,
    link_live, link_lost, link_ended,
    cancel_button, cancel_sure, cancel_really, cancel_asked,
    done_title, done_lead, download, done_next,
    failed_title, failed_next, failed_again, cancelled_title, cancelled_lead, no_script,
    // What is wrong, by the problem's code
    problem_invalid_source_url, problem_address_forbidden, problem_host_not_found, problem_invalid_brief,
    problem_invalid_body, problem_forbidden, problem_already_over, problem_migration_not_found, problem_stale_form,
    problem_untrusted_origin, problem_unavailable, problem_site_unreadable, problem_other,
}

impl Words {
    /// The language of a request's path.
    pub(super) fn of(request: &HttpRequest) -> &'static Self {
        let path = request.path();
        let here = |words: &&&'static Self| {
            let rest = path.strip_prefix(words.prefix);
            !words.prefix.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        LANGUAGES.iter().find(here).unwrap_or(&LANGUAGES[0])
    }

    /// The start page.
    pub(super) fn home(&self) -> &'static str {
        if self.prefix.is_empty() { "/" } else { "/ar/" }
    }

    /// A path in this language.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The same page in the other language.
    pub(super) fn elsewhere(&self, path: &str) -> String {
        let rest = path.strip_prefix(self.prefix).unwrap_or(path);
        let other = LANGUAGES.iter().find(|words| words.code == self.other_code).unwrap_or(&LANGUAGES[0]);
        if rest.is_empty() || rest == "/" { other.home().to_owned() } else { other.at(rest) }
    }

    /// What is wrong and what to do, by the problem's code.
    pub(super) fn problem(&self, code: &str) -> &'static str {
        self.named("problem_", code).unwrap_or(self.problem_other)
    }

    pub(super) fn size(&self, class: &str) -> &'static str {
        self.named("size_", class).unwrap_or(self.size_enterprise)
    }

    pub(super) fn state(&self, state: MigrationState) -> &'static str {
        match state {
            MigrationState::Queued => self.state_queued,
            MigrationState::Analyzing => self.state_analyzing,
            MigrationState::AwaitingOwnership => self.state_awaiting_ownership,
            MigrationState::Questionnaire => self.state_questionnaire,
            MigrationState::Processing => self.state_processing,
            MigrationState::Paused => self.state_paused,
            MigrationState::Completed => self.state_completed,
            MigrationState::Failed => self.state_failed,
            MigrationState::Cancelled => self.state_cancelled,
        }
    }

    pub(super) fn phase(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Analyze => self.phase_analyze,
            Phase::Plan => self.phase_plan,
            Phase::Transform => self.phase_transform,
            Phase::Verify => self.phase_verify,
            Phase::Deploy => self.phase_deploy,
        }
    }

    fn named(&self, group: &str, name: &str) -> Option<&'static str> {
        let all = self.all();
        all.into_iter().find(|(known, _)| known.strip_prefix(group) == Some(name)).map(|(_, told)| told)
    }

    /// The sentences that the progress page's script puts in, as JSON.
    pub(super) fn for_scripts(&self) -> String {
        let wanted = ["step_", "link_", "now_idle", "size_", "look_"];
        let chosen =
            self.all().into_iter().filter(|(name, _)| wanted.iter().any(|group| name.starts_with(group)));
        let map: serde_json::Map<String, serde_json::Value> =
            chosen.map(|(name, told)| (name.to_owned(), told.into())).collect();
        serde_json::Value::Object(map).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    fn is_arabic(text: &str) -> bool {
        text.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c))
    }

    #[test]
    fn every_language_says_everything_with_the_same_holes_and_in_its_own_letters() {
        let [english, arabic] = LANGUAGES.map(Words::all);
        for ((name, one), (_, other)) in english.into_iter().zip(arabic) {
            assert!(!one.trim().is_empty() && !other.trim().is_empty(), "{name}");
            assert_eq!(holes(one), holes(other), "{name}");
            // The way to the other language is told in that language.
            let swapped = name == "other_language";
            assert_eq!((is_arabic(one), is_arabic(other)), (swapped, !swapped), "{name}: {one} / {other}");
        }
    }

    #[test]
    fn each_language_leads_to_the_same_page_of_the_other() {
        let [english, arabic] = LANGUAGES;
        assert_eq!(english.elsewhere("/"), "/ar/");
        assert_eq!(arabic.elsewhere("/ar/"), "/");
        assert_eq!(english.elsewhere("/migrations/7"), "/ar/migrations/7");
        assert_eq!(arabic.elsewhere("/ar/migrations/7"), "/migrations/7");
    }

    #[test]
    fn what_a_start_refuses_is_told_in_words_of_its_own() {
        for code in
            ["invalid_source_url", "address_forbidden", "host_not_found", "invalid_brief", "unavailable"]
        {
            assert_ne!(LANGUAGES[0].problem(code), LANGUAGES[0].problem_other, "{code}");
        }
    }
}
