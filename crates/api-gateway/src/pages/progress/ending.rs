//! How a move ended and what can be done then: a success with its links, or a failure that says what to do; and the
//! wish for another run. All endings stand in the page, so that the script has nothing to write; the true one is shown.

use super::View;
use domain::{
    failure::Reason,
    migration::MigrationState,
    rerun::{COOLDOWN, MOST_PER_REASON, Why},
};
use maud::{Markup, html};

impl View<'_> {
    pub(super) fn ends(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        let over = |state| record.state != state;
        let why = record.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
        let anew = format!("{}?url={}", words.home(), query(&record.source_url));
        html! {
            section.end.good #completed tabindex="-1" hidden[over(MigrationState::Completed)] {
                h2 { (words.done_title) }
                p { (words.done_lead) }
                p.ways {
                    a.button href=(format!("/api/migration/{}/artifact", record.id)) download { (words.download) }
                    a href=(words.at(&format!("/migrations/{}/result", record.id))) { (words.done_result) }
                }
                p.hint { (words.done_next) }
                details open[self.refused.is_some()] { summary { (words.retry_title) } (self.again()) }
            }
            section.end.bad #failed tabindex="-1" hidden[over(MigrationState::Failed)] {
                h2 { (words.failed_title) }
                p.why #why dir="auto" { (why) }
                p #todo { (words.todo(self.reason().as_str())) }
                p { (words.failed_next) }
                (self.again())
                p { a href=(anew) { (words.failed_again) } }
            }
            section.end #cancelled tabindex="-1" hidden[over(MigrationState::Cancelled)] {
                h2 { (words.cancelled_title) }
                p { (words.cancelled_lead) }
                p { a.button href=(anew) { (words.failed_again) } }
            }
        }
    }

    /// What the last run failed of.
    fn reason(&self) -> Reason {
        let told = self.record.error.as_ref().and_then(|error| error["reason"].as_str());
        told.and_then(|told| told.parse().ok()).unwrap_or_default()
    }

    /// The wish for another run, with its reason, and why the last such wish was refused.
    fn again(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        let failed = record.state == MigrationState::Failed;
        let likely = if failed { Why::Failed(self.reason()) } else { Why::UserRequest };
        let limit = words.retry_limits.replace("{limit}", &MOST_PER_REASON.to_string());
        let limit = limit.replace("{seconds}", &COOLDOWN.as_secs().to_string());
        html! {
            form.stack.again method="post" action=(words.at(&format!("/migrations/{}/retry", record.id))) {
                (self.visitor.token_field())
                label {
                    span { (words.retry_reason) }
                    select name="reason" {
                        @for why in Why::names() {
                            option value=(why) selected[why == likely.as_str()] { (words.why(why)) }
                        }
                    }
                }
                label.tick {
                    input type="checkbox" name="anew" value="1";
                    span { (words.retry_anew) }
                }
                @if let Some(refused) = &self.refused { p.wrong role="alert" { (refused) } }
                p.hint { (words.retry_kept) " " (limit) }
                button.main type="submit" { (words.retry_button) }
            }
        }
    }
}

/// A value of a query, with everything written as bytes that is not plain.
fn query(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}
