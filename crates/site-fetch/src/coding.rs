//! Content codings, undone within a bound.
//!
//! The coded bytes are whole in memory and within the body's limit before anything is undone; what comes
//! out is counted as it comes, so a small answer that unpacks to a huge one stops at the limit. Nothing
//! here may allocate by what the input claims about itself, beyond the limit.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use crate::body::Over;

/// What is asked for. All decoders are Rust.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";
/// Codings over one another that are undone at most.
const MAX_LAYERS: usize = 3;
/// The window that zstd over HTTP may have (RFC 9659).
const ZSTD_WINDOW: u64 = 8 * 1024 * 1024;
/// Frames or members of one body; each costs its own set-up.
const MAX_FRAMES: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// Why a body has no decoded form.
#[derive(Debug)]
pub(crate) enum Fault {
    TooLarge,
    Broken(String, io::Error),
}

/// The codings of a Content-Encoding header, in the order in which they were applied. Values that are no
/// codings but are sent as if they were one (`none`, a charset) count as none.
pub(crate) fn codings(header: &str) -> Result<Vec<Coding>, Fault> {
    let mut found = Vec::new();
    for name in header.split(',').map(str::trim) {
        let coding = match name.to_ascii_lowercase().as_str() {
            "" | "identity" | "none" | "utf-8" | "utf8" | "binary" | "8bit" => continue,
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            _ => return Err(unasked(name)),
        };
        if found.len() == MAX_LAYERS {
            return Err(unasked(header));
        }
        found.push(coding);
    }
    Ok(found)
}

fn unasked(name: &str) -> Fault {
    let name: String = name.chars().take(60).collect();
    Fault::Broken(name, io::Error::new(io::ErrorKind::Unsupported, "not a coding that was asked for"))
}

/// Undoes the codings, the last one first. With [`Over::Cut`] what is over the limit, or behind a cut in
/// the coded bytes, is left out.
pub(crate) fn decode(codings: &[Coding], wire: Bytes, limit: u64, over: Over) -> Result<Bytes, Fault> {
    let mut body = wire;
    for coding in codings.iter().rev() {
        // Servers label empty bodies too.
        if body.is_empty() {
            break;
        }
        let mut sink = Sink { out: Vec::new(), limit: usize::try_from(limit).unwrap_or(usize::MAX) };
        let outcome = match coding {
            Coding::Gzip => gzip(&body, &mut sink),
            Coding::Deflate if is_zlib(&body) => sink.take(ZlibDecoder::new(&body[..])),
            Coding::Deflate => sink.take(DeflateDecoder::new(&body[..])),
            Coding::Brotli => sink.take(brotli_decompressor::Decompressor::new(&body[..], 4096)),
            Coding::Zstd => zstd(&body, &mut sink),
        };
        match (outcome, over) {
            (Ok(()), _) | (Err(_), Over::Cut) => {}
            (Err(Stop::Full), Over::Fail) => return Err(Fault::TooLarge),
            (Err(Stop::Broken(error)), Over::Fail) => {
                return Err(Fault::Broken(coding.name().to_owned(), error));
            }
        }
        body = sink.out.into();
    }
    Ok(body)
}

/// `deflate` means zlib's format by the standard and the bare stream by what many servers send.
fn is_zlib(body: &[u8]) -> bool {
    match body {
        [first, second, ..] => first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31),
        _ => false,
    }
}

/// One member after another; bytes behind the last that start no member are passed over, as browsers do.
fn gzip(mut rest: &[u8], sink: &mut Sink) -> Result<(), Stop> {
    for _ in 0..MAX_FRAMES {
        let mut member = GzDecoder::new(rest);
        sink.take(&mut member)?;
        rest = member.into_inner();
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(());
        }
    }
    Err(too_many())
}

fn zstd(mut rest: &[u8], sink: &mut Sink) -> Result<(), Stop> {
    let window = ZSTD_WINDOW.max(sink.limit as u64);
    for _ in 0..MAX_FRAMES {
        if rest.is_empty() {
            return Ok(());
        }
        match StreamingDecoder::new_with_max_window_size(&mut rest, window) {
            Ok(mut frame) => sink.take(&mut frame)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                rest = rest.get(length..).ok_or_else(|| Stop::from(io::ErrorKind::UnexpectedEof))?;
            }
            Err(error) => return Err(Stop::Broken(io::Error::new(io::ErrorKind::InvalidData, error))),
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(too_many()) }
}

fn too_many() -> Stop {
    Stop::Broken(io::Error::new(io::ErrorKind::InvalidData, "too many parts"))
}

enum Stop {
    Full,
    Broken(io::Error),
}

impl From<io::ErrorKind> for Stop {
    fn from(kind: io::ErrorKind) -> Self {
        Self::Broken(kind.into())
    }
}

/// Decoded bytes, up to the limit.
struct Sink {
    out: Vec<u8>,
    limit: usize,
}

impl Sink {
    fn take(&mut self, mut from: impl Read) -> Result<(), Stop> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Broken(error)),
            };
            let room = self.limit - self.out.len();
            self.out.extend_from_slice(&buffer[..read.min(room)]);
            if read > room {
                return Err(Stop::Full);
            }
        }
    }
}

#[cfg(test)]
mod tests;
