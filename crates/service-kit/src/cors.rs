//! Which pages of other origins may read answers (the Fetch standard's CORS protocol): those that configuration names,
//! with a key in their hands. Cookies are never let through, so no page acts for somebody who is signed in here.

use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

const METHODS: &str = "GET, HEAD, POST";
const TAKEN: &str = "authorization, content-type, idempotency-key, if-none-match, last-event-id, traceparent, \
    x-client-name, x-correlation-id";
const SHOWN: &str = "content-disposition, etag, idempotent-replayed, location, retry-after, x-correlation-id";
/// Seconds that a browser may remember it.
const REMEMBERED: &str = "600";

/// Other origins that may read.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    origins: Vec<String>,
}

impl Cors {
    /// Of origins as browsers write them: `https://app.example`, in lower case, without a path. The error is the one
    /// that is none.
    pub fn new(origins: &[String]) -> Result<Self, String> {
        let good = |text: &&String| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            rest.is_some_and(|rest| {
                !rest.is_empty()
                    && rest.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte)
                    })
            })
        };
        match origins.iter().find(|text| !good(text)) {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(Self { origins: origins.to_vec() }),
        }
    }

    fn allows(&self, sent: &HeaderMap) -> Option<HeaderValue> {
        let origin = sent.get(header::ORIGIN)?;
        self.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

/// The middleware; wants a [`Cors`] among the application's data. It answers a preflight of a known origin itself.
pub async fn answer(
    cors: Data<Cors>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let allowed = cors.allows(request.headers());
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight && allowed.is_some() {
        request.into_response(HttpResponse::NoContent().finish()).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let mut tell = |name: HeaderName, value: &'static str| {
        response.headers_mut().append(name, HeaderValue::from_static(value));
    };
    if !cors.origins.is_empty() {
        tell(header::VARY, "Origin");
    }
    if let Some(origin) = allowed {
        if preflight {
            tell(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            tell(header::ACCESS_CONTROL_ALLOW_HEADERS, TAKEN);
            tell(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        }
        tell(header::ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN);
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, middleware::from_fn, test as http, web};

    #[tokio::test]
    async fn only_named_origins_may_read_and_cookies_never_pass() {
        let cors = Cors::new(&["https://app.example".into()]).expect("an origin");
        let app = App::new().service(
            web::scope("")
                .wrap(from_fn(answer))
                .app_data(Data::new(cors))
                .route("/", web::get().to(HttpResponse::Ok)),
        );
        let app = http::init_service(app).await;
        let table = [
            (Method::GET, Some("https://app.example"), 200, true),
            (Method::GET, Some("https://evil.example"), 200, false),
            (Method::GET, Some("https://app.example.evil"), 200, false),
            (Method::GET, Some("null"), 200, false),
            (Method::GET, None, 200, false),
            (Method::OPTIONS, Some("https://app.example"), 204, true),
            (Method::OPTIONS, Some("https://evil.example"), 404, false),
        ];
        for (method, origin, status, allowed) in table {
            let mut request = http::TestRequest::with_uri("/").method(method.clone());
            if let Some(origin) = origin {
                request = request.insert_header(("origin", origin));
            }
            if method == Method::OPTIONS {
                request = request.insert_header(("access-control-request-method", "POST"));
            }
            let answer = http::call_service(&app, request.to_request()).await;
            let headers = answer.headers();
            assert_eq!(answer.status().as_u16(), status, "{method} {origin:?}");
            let told = headers.get("access-control-allow-origin").and_then(|value| value.to_str().ok());
            assert_eq!(told, origin.filter(|_| allowed), "{method} {origin:?}");
            assert_eq!(headers.contains_key("access-control-allow-methods"), allowed && status == 204);
            assert!(!headers.contains_key("access-control-allow-credentials"));
            assert_eq!(headers.get("vary").and_then(|value| value.to_str().ok()), Some("Origin"));
        }
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for wrong in ["*", "app.example", "https://app.example/", "https://App.example", "https://"] {
            assert_eq!(Cors::new(&[wrong.into()]).err().as_deref(), Some(wrong));
        }
    }
}
