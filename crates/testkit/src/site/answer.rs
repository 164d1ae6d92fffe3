//! What a site answers: status, headers, body, and how slowly.

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{Response, StatusCode, body::Frame, header};
use std::{convert::Infallible, time::Duration};

pub(super) type Sending = UnsyncBoxBody<Bytes, Infallible>;

/// One answer. Build it with one of the constructors, then refine it.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Body {
    Whole(Bytes),
    /// The same piece over and over, with a pause between.
    Endless(Bytes, Duration),
    /// The headers, and then nothing, for ever.
    Stalled,
}

impl Answer {
    /// A page.
    pub fn html(text: impl Into<String>) -> Self {
        Self::bytes("text/html; charset=utf-8", text.into())
    }

    /// Bytes of a content type.
    pub fn bytes(content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let answer =
            Self { status: 200, headers: vec![], body: Body::Whole(bytes.into()), delay: Duration::ZERO };
        answer.header("content-type", &content_type.into())
    }

    /// Text whose content type follows from the path's extension.
    pub fn file(path: &str, bytes: impl Into<Bytes>) -> Self {
        Self::bytes(content_type(path), bytes)
    }

    /// A status with a short page that names it.
    pub fn status(status: u16) -> Self {
        Self::html(format!("<!doctype html><title>{status}</title><p>{status}")).with_status(status)
    }

    /// A redirect.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::bytes("text/plain", "").with_status(status).header("location", to)
    }

    /// A body that never ends: one piece each `pause`.
    pub fn endless(content_type: &str, piece: impl Into<Bytes>, pause: Duration) -> Self {
        Self { body: Body::Endless(piece.into(), pause), ..Self::bytes(content_type, "") }
    }

    /// Headers, and then a body that never comes.
    pub fn stalled(content_type: &str) -> Self {
        Self { body: Body::Stalled, ..Self::bytes(content_type, "") }
    }

    /// The same with another status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same with one header more; a second `content-type` takes the first one's place.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !(known == name && name == "content-type"));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a content type.
    pub fn untyped(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self
    }

    /// The same, begun only after a while.
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.as_str())
    }

    /// Says that it has not changed, without its body.
    pub(super) fn not_modified(self) -> Self {
        Self { body: Body::Whole(Bytes::new()), ..self.with_status(304) }
    }

    pub(super) async fn send(self) -> Response<Sending> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let mut response = Response::new(self.body.into_sending());
        *response.status_mut() = StatusCode::from_u16(self.status).expect("the test gives a valid status");
        for (name, value) in self.headers {
            let name = header::HeaderName::try_from(name).expect("the test gives a valid header name");
            let value = header::HeaderValue::try_from(value).expect("the test gives a valid header value");
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl Body {
    fn into_sending(self) -> Sending {
        match self {
            Self::Whole(bytes) => Full::new(bytes).boxed_unsync(),
            Self::Endless(piece, pause) => {
                let pieces = stream::unfold(piece, move |piece| async move {
                    tokio::time::sleep(pause).await;
                    Some((Ok(Frame::data(piece.clone())), piece))
                });
                StreamBody::new(pieces).boxed_unsync()
            }
            Self::Stalled => StreamBody::new(stream::pending()).boxed_unsync(),
        }
    }
}

/// By the extension, with the charset that most servers add to text.
pub(super) fn content_type(path: &str) -> String {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    match guessed.type_().as_str() {
        "text" => format!("{guessed}; charset=utf-8"),
        _ => guessed.to_string(),
    }
}
