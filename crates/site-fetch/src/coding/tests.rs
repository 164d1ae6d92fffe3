//! Each coding forth and back, broken, cut, doubled, and as a bomb.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::{Coding, Fault, codings, decode};
use crate::body::Over;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("compressed");
    encoder.finish().expect("compressed")
}

fn bare(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

/// `hello ` a thousand times, by the reference encoder.
const BROTLI: [u8; 23] = [
    0x1b, 0x6f, 0x17, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55, 0x86, 0x96, 0x6c, 0x20, 0x6f, 0x71, 0x5b,
    0x1c, 0x80, 0xe4, 0x01, 0x20, 0x0e,
];

fn undone(coding: Coding, wire: Vec<u8>, limit: u64) -> Result<Bytes, Fault> {
    decode(&[coding], wire.into(), limit, Over::Fail)
}

#[test]
fn a_header_names_the_codings() {
    let names = |header| codings(header).ok();
    assert_eq!(names("gzip"), Some(vec![Coding::Gzip]));
    assert_eq!(names(" X-GZIP , br"), Some(vec![Coding::Gzip, Coding::Brotli]));
    for none in ["", "identity", "none", "UTF-8", ",,"] {
        assert_eq!(names(none), Some(vec![]), "{none}");
    }
    for bad in ["compress", "gzip, exotic", "gzip,gzip,gzip,gzip"] {
        assert!(names(bad).is_none(), "{bad}");
    }
}

#[test]
fn every_coding_is_undone_and_bounded() {
    let text = b"hello ".repeat(1000);
    for (coding, wire) in [
        (Coding::Gzip, gzip(&text)),
        (Coding::Deflate, zlib(&text)),
        (Coding::Deflate, bare(&text)),
        (Coding::Brotli, BROTLI.to_vec()),
        (Coding::Zstd, zstd(&text)),
    ] {
        assert_eq!(undone(coding, wire.clone(), 6000).expect("fits"), text, "{coding:?}");
        assert!(matches!(undone(coding, wire.clone(), 5999), Err(Fault::TooLarge)), "{coding:?}");
        let cut = decode(&[coding], wire.clone().into(), 100, Over::Cut).expect("cut");
        assert_eq!(cut, &text[..100], "{coding:?}");
        let half = wire[..wire.len() / 2].to_vec();
        assert!(matches!(undone(coding, half.clone(), 6000), Err(Fault::Broken(..))), "{coding:?} cut short");
        assert!(decode(&[coding], half.into(), 6000, Over::Cut).is_ok(), "{coding:?} cut on purpose");
        assert!(undone(coding, Vec::new(), 10).expect("nothing").is_empty());
    }
}

#[test]
fn parts_after_one_another_count_as_one() {
    let mut wire = gzip(b"one ");
    wire.extend(gzip(b"two"));
    wire.extend(b"\0\0 padding");
    assert_eq!(undone(Coding::Gzip, wire, 100).expect("two members"), "one two");
    let mut wire = zstd(b"one ");
    wire.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
    wire.extend(zstd(b"two"));
    assert_eq!(undone(Coding::Zstd, wire, 100).expect("two frames and a gap"), "one two");
    let skip = [0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff];
    assert!(undone(Coding::Zstd, skip.to_vec(), 100).is_err());
    let many = gzip(b"").repeat(5000);
    assert!(undone(Coding::Gzip, many, 100).is_err(), "thousands of empty members");
}

#[test]
fn codings_over_one_another_are_undone_backwards() {
    let wire = zlib(&gzip(b"twice"));
    let layers = codings("gzip, deflate").expect("two");
    assert_eq!(decode(&layers, wire.into(), 1000, Over::Fail).expect("undone"), "twice");
}

/// What the names promise about claims: a window or a size in a header allocates nothing beyond the limit.
#[test]
fn a_claimed_window_is_refused() {
    // Magic, no single segment, window descriptor for 2 GiB, one empty last block.
    let wire = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    assert!(matches!(undone(Coding::Zstd, wire, 1000), Err(Fault::Broken(..))));
}

proptest! {
    #[test]
    fn any_bytes_end_within_the_limit(wire in prop::collection::vec(any::<u8>(), 0..400), which in 0..4usize) {
        let coding = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd][which];
        if let Ok(body) = undone(coding, wire.clone(), 5000) {
            prop_assert!(body.len() <= 5000);
        }
        prop_assert!(decode(&[coding], wire.into(), 50, Over::Cut).expect("cut").len() <= 50);
    }
}
