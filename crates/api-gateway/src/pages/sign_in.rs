//! Signing in with an API key, and out. The key is sent once and never kept: the browser gets a session for it.

use super::{Visitor, frame, page, see, shown, words::Words};
use crate::{Code, Problem, gateway::Parts, input};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Query},
};
use maud::html;
use serde::Deserialize;

/// Where to go once signed in.
#[derive(Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Key {
    key: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    token: String,
}

/// The sign-in that leads back to a page of ours.
pub(super) fn address(words: &Words, path: &str) -> String {
    let at = words.at("/sign-in");
    if path == words.home() || own(path).is_none() { at } else { format!("{at}?next={path}") }
}

/// A path of ours and nothing that a browser could read as another host's.
fn own(path: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-".contains(&byte);
    (path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain)).then_some(path)
}

pub(super) async fn show(request: HttpRequest, next: Query<Next>) -> HttpResponse {
    form(&request, StatusCode::OK, &next.next, false)
}

pub(super) async fn sign_in(request: HttpRequest, parts: Data<Parts>, sent: Form<Key>) -> HttpResponse {
    let answer = open(&request, &parts, &sent).await;
    if answer.as_ref().is_err_and(|problem| problem.code() == Code::Unauthenticated) {
        return form(&request, StatusCode::UNAUTHORIZED, &sent.next, true);
    }
    shown(&request, answer)
}

async fn open(request: &HttpRequest, parts: &Parts, sent: &Key) -> Result<HttpResponse, Problem> {
    // Without a session there is no form's token yet: that the form is ours, the browser says.
    let here = parts.origins.sent_by_us(&input::sent(request.headers()))?;
    let lifetime = parts.config.session_lifetime;
    let token = auth::sign_in(&parts.store, &sent.key, lifetime).await?;
    let mut answer = see(own(&sent.next).unwrap_or(Words::of(request).home()));
    put(&mut answer, &here.cookie(token.expose(), lifetime.as_secs()));
    Ok(answer)
}

pub(super) async fn sign_out(request: HttpRequest, parts: Data<Parts>, sent: Form<Token>) -> HttpResponse {
    let answer = close(&request, &parts, &sent.token).await;
    shown(&request, answer)
}

async fn close(request: &HttpRequest, parts: &Parts, token: &str) -> Result<HttpResponse, Problem> {
    let visitor = Visitor::with_form(parts, request, token).await?;
    auth::sign_out(&parts.store, &visitor.caller).await?;
    let here = parts.origins.of(input::sent(request.headers()).host)?;
    let mut answer = see(&visitor.words.at("/sign-in"));
    put(&mut answer, &here.no_cookie());
    Ok(answer)
}

fn put(answer: &mut HttpResponse, cookie: &str) {
    // Made of letters, digits and what `Origin::cookie` writes around them.
    if let Ok(value) = header::HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, value);
    }
}

fn form(request: &HttpRequest, status: StatusCode, next: &str, wrong: bool) -> HttpResponse {
    let words = Words::of(request);
    let content = html! {
        section.narrow {
            h1 { (words.sign_in_title) }
            p.lead { (words.sign_in_lead) }
            form.stack method="post" action=(words.at("/sign-in")) {
                @if let Some(next) = own(next) { input type="hidden" name="next" value=(next); }
                label for="key" { (words.key_label) }
                input #key name="key" type="password" dir="ltr" required autocomplete="current-password"
                    autocapitalize="off" spellcheck="false" aria-describedby="key-hint"
                    aria-invalid=[wrong.then_some("true")] autofocus;
                @if wrong { p.wrong role="alert" { (words.sign_in_wrong) } }
                p.hint #key-hint { (words.key_hint) }
                button.main type="submit" { (words.sign_in_button) }
            }
        }
    };
    page(status, words, &frame::page(words, words.sign_in_title, request.path(), None, &content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_to_no_other_host() {
        for good in ["/", "/ar/", "/migrations/0190-ab"] {
            assert_eq!(own(good), Some(good));
        }
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a?b", "/%2f", "/\n/x"]
        {
            assert_eq!(own(bad), None, "{bad}");
        }
    }
}
