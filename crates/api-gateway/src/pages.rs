//! The web pages: sign in, start, list, progress, result, and the operations. Made here whole, so that they can be read without a script; the
//! scripts beside them only keep them fresh.
//!
//! A page is a view of the same routes' work: nothing can be done here that the API cannot do. No page holds a script,
//! a style or an address of somebody else's (`CSP`), and whatever a site or a user wrote is escaped by the templates.
//! Every page exists in each language of `words`, under its prefix.

mod assets;
mod frame;
mod list;
mod look;
mod operations;
mod progress;
mod result;
mod sign_in;
mod start;
mod words;

use crate::{Code, Problem, gateway::Parts, input, routes::taking};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    middleware::from_fn,
    web::{self, FormConfig, ServiceConfig},
};
use maud::{Markup, html};
use words::{LANGUAGES, Words};

/// Whether a page asks for anything that is not of this origin and in a file: then it does not get it.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A brief of 16 KiB, each byte written as three.
const MOST_FORM: usize = 64 * 1024;

pub(crate) fn mount(config: &mut ServiceConfig) {
    for words in LANGUAGES {
        let at = |path: &str| web::resource(format!("{}{path}", words.prefix));
        config
            .service(taking("GET", web::resource(words.home()).get(start::show)))
            .service(at("/sign-in").app_data(forms()).get(sign_in::show).post(sign_in::sign_in))
            .service(taking("POST", at("/sign-out").app_data(forms()).post(sign_in::sign_out)))
            .service(taking("POST", at("/start").app_data(forms()).post(start::start)))
            .service(taking("GET", at("/migrations").get(list::show)))
            .service(taking("GET", at("/migrations/{id}").get(progress::show)))
            .service(taking("GET", at("/migrations/{id}/result").get(result::show)))
            .service(taking("POST", at("/migrations/{id}/cancel").app_data(forms()).post(progress::cancel)))
            .service(taking("POST", at("/migrations/{id}/approve").app_data(forms()).post(progress::approve)))
            .service(taking("POST", at("/migrations/{id}/retry").app_data(forms()).post(progress::again)));
        operations::mount(config, words);
    }
    let look = taking("POST", web::resource("/look").post(look::look)).wrap(from_fn(input::authenticated));
    config.service(look).service(taking("GET", web::resource(assets::ROUTE).get(assets::serve)));
}

fn forms() -> FormConfig {
    FormConfig::default().limit(MOST_FORM).error_handler(|_, _| {
        Problem::new(Code::InvalidBody, "The form cannot be read. Load the page again and send it once more.")
            .into()
    })
}

/// Marks an answer as a page: a refusal that people read stays as it is.
#[derive(Clone, Copy)]
pub(crate) struct Page;

/// Somebody who is signed in, and their language.
struct Visitor {
    caller: auth::Caller,
    words: &'static Words,
    /// Is there a way to the operations for them? The operations themselves ask again.
    operates: bool,
}

impl Visitor {
    /// Who opens a page.
    async fn of(parts: &Parts, request: &HttpRequest) -> Result<Self, Problem> {
        let caller = auth::identify(&parts.store, &parts.origins, &input::sent(request.headers())).await?;
        let operates = operates(parts, &caller).await;
        Ok(Self { caller, words: Words::of(request), operates })
    }

    /// Who sends a form, of a page of ours.
    async fn with_form(parts: &Parts, request: &HttpRequest, token: &str) -> Result<Self, Problem> {
        let visitor = Self::of(parts, request).await?;
        visitor.caller.may_change(&parts.origins, &input::sent(request.headers()), Some(token))?;
        Ok(visitor)
    }

    /// What this visitor's forms carry.
    fn form_token(&self) -> &str {
        self.caller.session.as_ref().map_or("", |session| session.form_token.as_str())
    }

    /// The hidden field for it.
    fn token_field(&self) -> Markup {
        html! { input type="hidden" name="token" value=(self.form_token()); }
    }
}

/// Does the caller run this instance? An answer that cannot be had costs a link, and not the page.
async fn operates(parts: &Parts, caller: &auth::Caller) -> bool {
    let Some(store) = &parts.operators else { return false };
    store.is_operator(caller.user).await.unwrap_or_else(|error| {
        tracing::warn!(error = service_kit::exit::chain(&error), "it cannot be seen who operates");
        false
    })
}

/// An answer in HTML, never kept by anybody.
fn page(status: StatusCode, words: &Words, markup: &Markup) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, CSP))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        .insert_header((header::CONTENT_LANGUAGE, words.code))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(markup.0.clone());
    response.extensions_mut().insert(Page);
    response
}

/// Go there, by GET.
fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// The answer, or what a visitor sees in its place: the sign-in, or what is wrong and what to do.
fn shown(request: &HttpRequest, answer: Result<HttpResponse, Problem>) -> HttpResponse {
    let words = Words::of(request);
    let problem = match answer {
        Ok(answer) => return answer,
        Err(problem) => problem,
    };
    if problem.code() == Code::Unauthenticated {
        return see(&sign_in::address(words, request.path()));
    }
    let told = html! {
        section.notice {
            h1 { (words.error_title) }
            p { (words.problem(problem.code().slug())) }
            p { a.button href=(words.home()) { (words.back) } }
        }
    };
    page(problem.code().status(), words, &frame::page(words, words.error_title, request.path(), None, &told))
}
