//! What the user is told when something does not work: a stable code, what happened, and what to do. Never an
//! address of ours, a path or a driver's words: those go to the log.

use domain::Failure;
use site_fetch::{Error as FetchError, Refused};
use site_read::Error as ReadError;

/// Why a site could not be read.
pub(crate) fn of_reading(error: &ReadError) -> Failure {
    let transient = error.is_transient();
    let told = |code: &str, message: String| Failure { code: code.into(), message, retryable: transient };
    match error {
        ReadError::Unreachable { url, source } => of_fetching(url, source, transient),
        ReadError::Status { url, status } => told(
            "site_status",
            format!("The site answers {status} for {url}. Check that the address opens in a browser without a login."),
        ),
        ReadError::NotHtml { content_type } => told(
            "not_html",
            format!("The start page is {content_type}, not HTML. Give the address of a page of the site."),
        ),
        ReadError::Empty => told(
            "site_empty",
            "The start page shows nothing. If a script builds the page in the browser, it cannot be read yet.".into(),
        ),
        ReadError::RobotsForbid => told(
            "robots_forbid",
            "The site's robots.txt forbids reading the start page. Allow the crawler there, then try again.".into(),
        ),
        ReadError::Refused(source) => of_fetching("the address", source, transient),
        ReadError::Archive(_) | ReadError::Journal(_) | ReadError::Scratch(_) => told(
            "storage_unavailable",
            "What was read could not be stored. If this stays, the operator of the storage has to look.".into(),
        ),
        // Errors that a newer crawler may add: nothing better can be said about them here.
        _ => told("site_unreadable", "The site could not be read.".into()),
    }
}

fn of_fetching(url: &str, error: &FetchError, transient: bool) -> Failure {
    let told = |code: &str, message: String| Failure { code: code.into(), message, retryable: transient };
    match error {
        FetchError::Refused(refused) => of_refusal(refused),
        FetchError::Unresolved { host, .. } => told(
            "site_unreachable",
            format!("The name {host} does not resolve. Check the spelling of the address."),
        ),
        FetchError::Network { host, .. } => told(
            "site_unreachable",
            format!("{host} does not answer, or breaks the connection. Check that the site is up."),
        ),
        FetchError::TimedOut { host } => {
            told("site_unreachable", format!("{host} took too long to answer. Check that the site is up."))
        }
        FetchError::Certificate { host, problem, .. } => told(
            "site_certificate",
            format!(
                "The certificate of {host} is not accepted: {problem}. Renew it, or give the http address."
            ),
        ),
        FetchError::Quiet { host, left } => told(
            "site_busy",
            format!("{host} asked for a pause of {} s more. It is tried again later.", left.as_secs()),
        ),
        FetchError::TooLarge { limit } => told(
            "too_large",
            format!("The answer for {url} is larger than {limit} bytes, which is the limit."),
        ),
        FetchError::TooManyRedirects { .. }
        | FetchError::RedirectLoop { .. }
        | FetchError::BadRedirect { .. } => told(
            "bad_redirect",
            format!("The redirects from {url} lead nowhere. Give the address that they should lead to."),
        ),
        FetchError::Client(_) => {
            Failure::may_pass("internal", "The fetcher could not be used; a fault of ours.")
        }
        _ => told("site_unreachable", format!("{url} could not be fetched.")),
    }
}

fn of_refusal(refused: &Refused) -> Failure {
    match refused {
        Refused::Scheme { scheme } => Failure::cannot_pass(
            "address_forbidden",
            format!("The address leads to {scheme}:, and only http and https can be moved."),
        ),
        Refused::Name { host, .. } => Failure::cannot_pass(
            "address_forbidden",
            format!("The address leads to {host}, a name of a cloud's own machinery, which is not fetched."),
        ),
        Refused::Credentials => Failure::cannot_pass(
            "address_forbidden",
            "The address leads to one with a user name or password in it, which is not fetched.",
        ),
        Refused::Host => Failure::cannot_pass("address_forbidden", "The address names no host."),
        Refused::Port { port } => Failure::cannot_pass(
            "address_forbidden",
            format!(
                "Port {port} is not open to fetches. Give an address on the usual ports of http or https."
            ),
        ),
        Refused::Address { host, rule, .. } => Failure::cannot_pass(
            "address_forbidden",
            format!(
                "{host} is not at a public address ({rule}). Only sites on the public internet can be moved."
            ),
        ),
    }
}

/// Planning or writing does not work with what was read.
pub(crate) fn of_writing(error: &site_write::Error) -> Failure {
    tracing::error!(error = %service_kit::exit::chain(error), "the project could not be written");
    match error {
        site_write::Error::NoPages => Failure::cannot_pass(
            "site_empty",
            "No page of the site answered with HTML that could become a page of the project.",
        ),
        site_write::Error::MissingBody { .. } => Failure::may_pass(
            "storage_unavailable",
            "A page that was read is missing from the storage. If this stays, start a new run.",
        ),
        _ => Failure::cannot_pass("internal", "The project could not be written because of a fault of ours."),
    }
}

/// More text than one job may hold in memory.
pub(crate) fn too_large(limit: u64) -> Failure {
    Failure::cannot_pass(
        "too_large",
        format!(
            "The pages and style sheets of the site are larger than {limit} bytes together, which is the limit."
        ),
    )
}

/// Packing or scratch files do not work on this machine; on another they may.
pub(crate) fn of_scratch(error: &(dyn std::error::Error + 'static)) -> Failure {
    tracing::error!(error = %service_kit::exit::chain(error), "scratch files could not be used");
    Failure::may_pass("internal", "The result could not be packed because of a fault of ours.")
}

/// A job that this worker cannot make sense of.
pub(crate) fn unreadable_job() -> Failure {
    Failure::cannot_pass("internal", "The job cannot be read by this release. Start the migration again.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io, net::IpAddr};

    fn unresolved(kind: io::ErrorKind) -> ReadError {
        let source = FetchError::Unresolved { host: "nowhere.example".into(), source: kind.into() };
        ReadError::Unreachable { url: "http://nowhere.example/".into(), source }
    }

    #[test]
    fn each_failure_has_its_code_and_is_retried_only_when_it_may_pass() {
        let status = |status| ReadError::Status { url: "http://a.example/".into(), status };
        let address = Refused::Address {
            host: "inside.example".into(),
            address: IpAddr::from([10, 0, 0, 1]),
            rule: "Private-Use",
        };
        for (error, code, retryable) in [
            (unresolved(io::ErrorKind::NotFound), "site_unreachable", false),
            (unresolved(io::ErrorKind::TimedOut), "site_unreachable", true),
            (status(500), "site_status", true),
            (status(404), "site_status", false),
            (ReadError::NotHtml { content_type: "image/png".into() }, "not_html", false),
            (ReadError::Empty, "site_empty", false),
            (ReadError::RobotsForbid, "robots_forbid", false),
            (ReadError::Refused(address.into()), "address_forbidden", false),
            (ReadError::Archive(io::Error::other("disk full")), "storage_unavailable", true),
        ] {
            let failure = of_reading(&error);
            assert_eq!((failure.code.as_str(), failure.retryable), (code, retryable), "{error:?}");
        }
    }

    #[test]
    fn no_message_gives_an_inner_address_away() {
        let address = IpAddr::from([10, 1, 2, 3]);
        let refused = Refused::Address { host: "inside.example".into(), address, rule: "Private-Use" };
        let failure = of_reading(&ReadError::Refused(refused.into()));
        assert!(!failure.message.contains("10.1.2.3"), "{}", failure.message);
        assert!(failure.message.contains("inside.example"));
    }
}
