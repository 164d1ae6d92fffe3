//! gRPC between services: who may call.

use subtle::ConstantTimeEq;
use tonic::{Request, Status, service::Interceptor};

/// Lets nobody pass who does not show the token, as a bearer in the `authorization` metadata.
#[derive(Clone)]
pub struct Doorkeeper {
    /// Hashes are compared, so that not even the token's length shows in the time that it takes.
    expected: [u8; 32],
}

impl Doorkeeper {
    /// Of the token that is the same for all services.
    pub fn new(token: &str) -> Self {
        Self { expected: *blake3::hash(format!("Bearer {token}").as_bytes()).as_bytes() }
    }
}

impl Interceptor for Doorkeeper {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request.metadata().get("authorization").map_or(&b""[..], |value| value.as_bytes());
        let shown = blake3::hash(shown);
        if bool::from(self.expected.ct_eq(shown.as_bytes())) {
            return Ok(request);
        }
        Err(Status::unauthenticated("a valid bearer token is needed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let mut doorkeeper = Doorkeeper::new("0123456789abcdef");
        let mut asked = |header: Option<&str>| {
            let mut request = Request::new(());
            if let Some(header) = header {
                request.metadata_mut().insert("authorization", header.parse().expect("ASCII"));
            }
            doorkeeper.call(request).is_ok()
        };
        assert!(asked(Some("Bearer 0123456789abcdef")));
        for wrong in
            [None, Some(""), Some("Bearer "), Some("Bearer 0123456789abcde"), Some("0123456789abcdef")]
        {
            assert!(!asked(wrong), "{wrong:?}");
        }
    }
}
