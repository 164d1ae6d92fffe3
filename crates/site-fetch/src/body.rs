//! Reading a body off the wire within its limit. The limit counts coded bytes here and decoded ones in
//! `coding.rs`: neither may be over it.

use bytes::{Bytes, BytesMut};

/// What to do with a body over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The fetch fails.
    Fail,
    /// The first bytes are kept: robots.txt is read up to a bound.
    Cut,
}

/// Why a body was not read.
pub(crate) enum Broken {
    TooLarge,
    Transport(reqwest::Error),
}

/// Largest first allocation taken from a Content-Length, which is only a claim.
const TRUSTED_LENGTH: u64 = 1024 * 1024;

pub(crate) async fn read(mut response: reqwest::Response, limit: u64, over: Over) -> Result<Bytes, Broken> {
    let claimed = response.content_length().unwrap_or(0);
    if claimed > limit && over == Over::Fail {
        return Err(Broken::TooLarge);
    }
    let Some(first) = response.chunk().await.map_err(Broken::Transport)? else {
        return Ok(Bytes::new());
    };
    // Most pages come in one piece, which is then the body without a copy.
    if first.len() as u64 == claimed && claimed <= limit {
        return Ok(first);
    }
    let capacity = usize::try_from(claimed.min(TRUSTED_LENGTH)).unwrap_or(0);
    let mut body = BytesMut::with_capacity(capacity.max(first.len()));
    let mut next = Some(first);
    while let Some(chunk) = next {
        let room = limit.saturating_sub(body.len() as u64);
        if chunk.len() as u64 <= room {
            body.extend_from_slice(&chunk);
        } else if over == Over::Fail {
            return Err(Broken::TooLarge);
        } else {
            let room = usize::try_from(room).unwrap_or(chunk.len());
            body.extend_from_slice(&chunk[..room]);
            break;
        }
        next = response.chunk().await.map_err(Broken::Transport)?;
    }
    Ok(body.freeze())
}
