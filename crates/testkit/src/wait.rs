//! Waiting for a value with a bound: what tests do instead of sleeping.

use std::time::Duration;
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_millis(15);

/// Asks again and again until there is a value, and panics, naming what was awaited, when the bound is over.
pub async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    bound: Duration,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + bound;
    loop {
        // The question itself may hang on a server that is down, so the bound covers it too.
        match tokio::time::timeout_at(deadline, ask()).await {
            Ok(Some(value)) => return value,
            Ok(None) if Instant::now() < deadline => tokio::time::sleep(INTERVAL).await,
            Ok(None) | Err(_) => panic!("waited {bound:?} in vain for {what}"),
        }
    }
}

/// Like [`until`], for a condition.
pub async fn until_true<F: Future<Output = bool>>(what: &str, bound: Duration, mut ask: impl FnMut() -> F) {
    until(what, bound, || {
        let answer = ask();
        async move { answer.await.then_some(()) }
    })
    .await;
}

/// The future's value, or a panic that names what was awaited.
pub async fn within<T>(what: &str, bound: Duration, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(bound, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {bound:?} in vain for {what}"),
    }
}
