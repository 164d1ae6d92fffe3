//! What the user is told when something does not work: a stable code, what happened, and what to do. Never an
//! address of ours, a path or a driver's words: those go to the log.

use domain::{Failure, failure::Reason};
use site_fetch::{Error as FetchError, Refused};
use site_read::Error as ReadError;

/// Why a site could not be read.
pub(crate) fn of_reading(error: &ReadError) -> Failure {
    let told = |reason, code: &str, message: String| Failure::of(reason, code, message);
    match error {
        ReadError::Unreachable { url, source } => of_fetching(url, source),
        ReadError::Status { url, status } => told(
            of_status(*status, error.is_transient()),
            "site_status",
            format!("The site answers {status} for {url}. Check that the address opens in a browser without a login."),
        ),
        ReadError::NotHtml { content_type } => told(
            Reason::InvalidInput,
            "not_html",
            format!("The start page is {content_type}, not HTML. Give the address of a page of the site."),
        ),
        ReadError::Empty => told(
            Reason::InvalidInput,
            "site_empty",
            "The start page shows nothing. If a script builds the page in the browser, it cannot be read yet.".into(),
        ),
        ReadError::RobotsForbid => told(
            Reason::InvalidInput,
            "robots_forbid",
            "The site's robots.txt forbids reading the start page. Allow the crawler there, then try again.".into(),
        ),
        ReadError::Refused(source) => of_fetching("the address", source),
        ReadError::Archive(_) | ReadError::Journal(_) | ReadError::Scratch(_) => told(
            Reason::Internal,
            "storage_unavailable",
            "What was read could not be stored. If this stays, the operator of the storage has to look.".into(),
        ),
        // Errors that a newer crawler may add: nothing better can be said about them here.
        _ if error.is_transient() => {
            told(Reason::Network, "site_unreadable", "The site could not be read.".into())
        }
        _ => told(Reason::InvalidInput, "site_unreadable", "The site could not be read.".into()),
    }
}

/// What an answer without a page says of the site.
fn of_status(status: u16, transient: bool) -> Reason {
    match status {
        429 => Reason::RateLimited,
        _ if transient => Reason::Upstream5xx,
        _ => Reason::InvalidInput,
    }
}

fn of_fetching(url: &str, error: &FetchError) -> Failure {
    let told = |reason, code: &str, message: String| Failure::of(reason, code, message);
    match error {
        FetchError::Refused(refused) => of_refusal(refused),
        FetchError::Unresolved { host, .. } => {
            let failure = told(
                Reason::Network,
                "site_unreachable",
                format!("The name {host} does not resolve. Check the spelling of the address."),
            );
            // A resolver that is away may come back; a name that does not exist stays so.
            if error.is_transient() { failure } else { failure.for_good() }
        }
        FetchError::Network { host, .. } => told(
            Reason::Network,
            "site_unreachable",
            format!("{host} does not answer, or breaks the connection. Check that the site is up."),
        ),
        FetchError::TimedOut { host } => told(
            Reason::Network,
            "site_unreachable",
            format!("{host} took too long to answer. Check that the site is up."),
        ),
        FetchError::Certificate { host, problem, .. } => told(
            Reason::InvalidInput,
            "site_certificate",
            format!(
                "The certificate of {host} is not accepted: {problem}. Renew it, or give the http address."
            ),
        ),
        FetchError::Quiet { host, left } => Failure::rate_limited(
            "site_busy",
            format!("{host} asked for a pause of {} s more. It is tried again later.", left.as_secs()),
            *left,
        ),
        FetchError::TooLarge { limit } => told(
            Reason::InvalidInput,
            "too_large",
            format!("The answer for {url} is larger than {limit} bytes, which is the limit."),
        ),
        FetchError::TooManyRedirects { .. }
        | FetchError::RedirectLoop { .. }
        | FetchError::BadRedirect { .. } => told(
            Reason::InvalidInput,
            "bad_redirect",
            format!("The redirects from {url} lead nowhere. Give the address that they should lead to."),
        ),
        FetchError::Client(_) => {
            Failure::may_pass("internal", "The fetcher could not be used; a fault of ours.")
        }
        _ if error.is_transient() => {
            told(Reason::Network, "site_unreachable", format!("{url} could not be fetched."))
        }
        _ => told(Reason::InvalidInput, "site_unreachable", format!("{url} could not be fetched.")),
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
        _ => Failure::may_pass("internal", "The project could not be written because of a fault of ours.")
            .for_good(),
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

/// A check of the project gave no answer: it took too long, or did not work. `what` was to be done with the project.
pub(crate) fn of_checking(error: &site_check::Error, what: &str) -> Failure {
    tracing::error!(error = %service_kit::exit::chain(error), what, "a check of the project gave no answer");
    if error.is_overdue() {
        let told = format!("The project could not be {what} in the time that there is for it.");
        return Failure::of(Reason::ToolTimeout, "check_timeout", told);
    }
    Failure::may_pass("internal", format!("The project could not be {what} because of a fault of ours."))
}

/// A job that this worker cannot make sense of.
pub(crate) fn unreadable_job() -> Failure {
    Failure::may_pass("internal", "The job cannot be read by this release. Start the migration again.")
        .for_good()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io, net::IpAddr, time::Duration};

    fn unresolved(kind: io::ErrorKind) -> ReadError {
        let source = FetchError::Unresolved { host: "nowhere.example".into(), source: kind.into() };
        ReadError::Unreachable { url: "http://nowhere.example/".into(), source }
    }

    #[test]
    fn each_failure_has_its_reason_and_code_and_is_retried_only_when_it_may_pass() {
        let status = |status| ReadError::Status { url: "http://a.example/".into(), status };
        let address = Refused::Address {
            host: "inside.example".into(),
            address: IpAddr::from([10, 0, 0, 1]),
            rule: "Private-Use",
        };
        let quiet = FetchError::Quiet { host: "a.example".into(), left: Duration::from_secs(9) };
        let quiet = ReadError::Unreachable { url: "http://a.example/".into(), source: quiet };
        for (error, reason, code, retryable) in [
            (unresolved(io::ErrorKind::NotFound), Reason::Network, "site_unreachable", false),
            (unresolved(io::ErrorKind::TimedOut), Reason::Network, "site_unreachable", true),
            (status(500), Reason::Upstream5xx, "site_status", true),
            (status(429), Reason::RateLimited, "site_status", true),
            (status(404), Reason::InvalidInput, "site_status", false),
            (quiet, Reason::RateLimited, "site_busy", true),
            (
                ReadError::NotHtml { content_type: "image/png".into() },
                Reason::InvalidInput,
                "not_html",
                false,
            ),
            (ReadError::Empty, Reason::InvalidInput, "site_empty", false),
            (ReadError::RobotsForbid, Reason::InvalidInput, "robots_forbid", false),
            (ReadError::Refused(address.into()), Reason::InvalidInput, "address_forbidden", false),
            (
                ReadError::Archive(io::Error::other("disk full")),
                Reason::Internal,
                "storage_unavailable",
                true,
            ),
        ] {
            let failure = of_reading(&error);
            let told = (failure.reason, failure.code.as_str(), failure.retryable);
            assert_eq!(told, (reason, code, retryable), "{error:?}");
            let pause = (code == "site_busy").then_some(Duration::from_secs(9));
            assert_eq!(failure.retry_after(), pause, "{error:?}");
        }
    }

    #[test]
    fn a_check_that_takes_too_long_is_a_timeout_and_no_fault_of_ours() {
        let endless =
            || site_check::Error::Endless { command: "node tsc".into(), bound: Duration::from_secs(9) };
        let broken = site_check::Error::Unserved { said: "listen EADDRINUSE".into() };
        for (error, reason, code) in
            [(endless(), Reason::ToolTimeout, "check_timeout"), (broken, Reason::Internal, "internal")]
        {
            let failure = of_checking(&error, "type-checked");
            assert_eq!((failure.reason, failure.code.as_str(), failure.retryable), (reason, code, true));
            assert!(
                !failure.message.contains("tsc") && !failure.message.contains("EADDRINUSE"),
                "{failure:?}"
            );
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
