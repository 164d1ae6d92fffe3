//! What its owner is asked: a plan that was to be seen before anything is written. Made here alone; the script asks for
//! it again when it may have changed, since the form names the plan that was shown.

use super::View;
use maud::{Markup, html};

impl View<'_> {
    pub(super) fn asked(&self) -> Markup {
        let (words, id) = (self.words, self.record.id);
        html! {
            section.card #asked tabindex="-1" aria-labelledby="asked-title" hidden[self.plan.is_none()] {
                h2 #asked-title { (words.plan_title) }
                @if let Some(plan) = self.plan {
                    p { (words.plan_lead) }
                    dl.figures {
                        @for (name, figure) in [
                            (words.changed_routes, "routes"),
                            (words.changed_layouts, "layouts"),
                            (words.changed_shared, "shared"),
                        ] {
                            @if let Some(count) = plan[figure].as_u64() { div { dt { (name) } dd { (count) } } }
                        }
                    }
                    p { a href=(format!("/api/migration/{id}/plan")) download="plan.json" { (words.plan_document) } }
                    form method="post" action=(words.at(&format!("/migrations/{id}/approve"))) {
                        (self.visitor.token_field())
                        input type="hidden" name="plan" value=(plan["hash"].as_str().unwrap_or_default());
                        button.main type="submit" { (words.plan_approve) }
                    }
                }
            }
        }
    }
}
