//! Every sentence of the pages, in one table per language. A language is whole or does not compile: each table names
//! each field, and a test looks that none is empty or another language's.
//!
//! What a site, a worker or a user wrote is shown as it is, with `dir="auto"`; problems are told by their code.

mod ar;
mod en;

use crate::Problem;
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
    start_title, start_lead, url_label, url_hint, brief_label, brief_hint, brief_text, review_label,
    start_button,
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
    plan_title, plan_lead, plan_document, plan_approve,
    cancel_button, cancel_sure, cancel_really, cancel_asked,
    done_title, done_lead, download, done_next,
    failed_title, failed_next, failed_again, cancelled_title, cancelled_lead, no_script,
    // Another run
    retry_title, retry_reason, retry_anew, retry_kept, retry_button,
    /// With `{limit}` and `{seconds}`.
    retry_limits,
    // Why somebody wants it, by the name in the API
    why_user_request, why_tool_timeout, why_ownership_failed, why_budget_exceeded, why_builder_incompatibility,
    why_deployment_error, why_network, why_upstream_5xx, why_rate_limited, why_invalid_input, why_lost_worker,
    why_internal,
    // What to do about a failure, by its reason
    todo_tool_timeout, todo_ownership_failed, todo_budget_exceeded, todo_builder_incompatibility,
    todo_deployment_error, todo_network, todo_upstream_5xx, todo_rate_limited, todo_invalid_input, todo_lost_worker,
    todo_internal,
    // Result
    done_result, result_title, result_back, result_pages, result_unmeasured, result_alike, result_left_out,
    result_view, result_sides, result_slider, result_slide, result_before, result_after, result_same,
    result_differs, result_no_score, result_no_pictures, result_width, result_links, result_addresses,
    result_needs, result_needs_none, result_notes, result_more, result_changed, result_checks, result_report,
    changed_pages, changed_assets, changed_routes, changed_layouts, changed_shared, changed_redirects,
    changed_files,
    // Operations
    ops_title, ops_queues, ops_workers, ops_jobs, ops_letters, ops_poison, ops_estimated, ops_at_least,
    ops_marks, ops_none, ops_queue, ops_depth, ops_lag, ops_states, ops_throughput, ops_window, ops_claimed,
    ops_completed, ops_retried, ops_failed, ops_outbox, ops_horizon, ops_worker, ops_heartbeat, ops_memory,
    ops_held, ops_started, ops_address, ops_leases, ops_lease, ops_job, ops_kind, ops_phase, ops_epoch,
    ops_left, ops_silent, ops_expired, ops_attempts, ops_attempt, ops_all, ops_show, ops_at, ops_cause,
    ops_actor, ops_number, ops_type, ops_notes, ops_moves, ops_events, ops_tenant, ops_migration,
    ops_priority, ops_run_at, ops_finished, ops_error, ops_trace, ops_letter, ops_only_open, ops_settled_too,
    ops_why, ops_whole_job, ops_replay, ops_replay_told, ops_discard, ops_poison_told, ops_size,
    ops_beginning,
    // Gates
    ops_gates, ops_gates_none, ops_gate_scope, ops_gate_key, ops_gate_most, ops_gate_rate, ops_gate_weight,
    ops_gate_paused, ops_gate_log, ops_gate_after, ops_pause, ops_pause_told, ops_pause_why, ops_resume,
    ops_paused,
    scope_all, scope_queue, scope_tenant, scope_destination,
    // A job's state
    job_pending, job_preparing, job_running, job_waiting_retry, job_completed, job_failed, job_cancelled,
    // What became of a dead letter
    letter_open, letter_replayed, letter_discarded,
    // What is wrong, by the problem's code
    problem_invalid_source_url, problem_address_forbidden, problem_host_not_found, problem_invalid_brief,
    problem_invalid_body, problem_forbidden, problem_already_over, problem_migration_not_found, problem_stale_form,
    problem_untrusted_origin, problem_unavailable, problem_site_unreadable, problem_not_retryable,
    problem_already_active,
    /// With `{limit}`.
    problem_retry_limit_reached,
    /// With `{retryAfterSeconds}`.
    problem_retry_too_soon,
    problem_not_operator, problem_route_not_found, problem_job_not_found, problem_dead_letter_not_found,
    problem_dead_letter_settled, problem_invalid_id, problem_invalid_query,
    problem_not_completed, problem_invalid_gate, problem_too_many_gates, problem_plan_changed, problem_plan_in_use,
    problem_plan_not_awaited, problem_not_planned,
    problem_other,
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

    /// The same, with the numbers that belong to it.
    pub(super) fn told(&self, problem: &Problem) -> String {
        let fill = |text: String, name: &str| match problem.member(name) {
            Some(value) => text.replace(&format!("{{{name}}}"), &value.to_string()),
            None => text,
        };
        let text = self.problem(problem.code().slug()).to_owned();
        ["limit", "retryAfterSeconds"].into_iter().fold(text, fill)
    }

    /// Why somebody wants another run.
    pub(super) fn why(&self, name: &str) -> &'static str {
        self.named("why_", name).unwrap_or(self.why_internal)
    }

    /// What to do about a failure.
    pub(super) fn todo(&self, reason: &str) -> &'static str {
        self.named("todo_", reason).unwrap_or(self.todo_internal)
    }

    /// A job's state, by its name in the record.
    pub(super) fn job_state(&self, state: &str) -> &'static str {
        self.named("job_", &state.to_ascii_lowercase()).unwrap_or(self.ops_none)
    }

    /// What became of a dead letter.
    pub(super) fn letter_state(&self, state: &str) -> &'static str {
        self.named("letter_", state).unwrap_or(self.ops_none)
    }

    /// What a gate stands before.
    pub(super) fn scope(&self, scope: &str) -> &'static str {
        self.named("scope_", scope).unwrap_or(self.ops_none)
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
        let wanted = ["step_", "link_", "now_idle", "size_", "look_", "todo_"];
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
    fn every_reason_is_told_and_every_failure_says_what_to_do() {
        for words in LANGUAGES {
            for why in domain::rerun::Why::names() {
                assert!(words.named("why_", why).is_some(), "{why}");
            }
            for state in domain::job::JobState::ALL {
                assert!(words.named("job_", &state.as_str().to_ascii_lowercase()).is_some(), "{state}");
            }
            for state in domain::dead_letter::LetterState::ALL {
                assert!(words.named("letter_", state.as_str()).is_some(), "{}", state.as_str());
            }
            for scope in domain::gate::Scope::ALL {
                assert!(words.named("scope_", scope.as_str()).is_some(), "{scope}");
            }
            for reason in domain::failure::Reason::ALL {
                assert!(words.named("todo_", reason.as_str()).is_some(), "{reason}");
            }
        }
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
