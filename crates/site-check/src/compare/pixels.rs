//! How alike two pictures are. Evidence for people, never a verdict: a caret that blinks is no fault of a page.
//!
//! Structural similarity after Wang et al. (2004) over the luminance in blocks of 8 by 8; the difference that can be seen
//! after Kotsarenko and Ramos (2010) in YIQ, where a tenth of the largest counts as seen.

use bytes::Bytes;

use super::report::Pixels;

/// Edge of a block of pixels.
const BLOCK: usize = 8;
/// Stabilisers of the similarity: (0.01 × 255)² and (0.03 × 255)².
const C1: f64 = 6.5025;
const C2: f64 = 58.5225;
/// The largest difference of two colours in YIQ, and the share of it that is seen.
const LARGEST: f64 = 35_215.0;
const SEEN: f64 = 0.1;
/// A picture that takes more bytes than this is not unpacked.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// `None` where one of them is no picture that can be read.
pub(super) fn compare(wanted: &Bytes, found: &Bytes) -> Option<Pixels> {
    // The usual outcome: the same to the byte. Millions of pixels need not be unpacked to say so.
    if wanted == found {
        return opened(wanted).map(|_| Pixels { same_size: true, ssim: 1.0, different: 0.0 });
    }
    let (wanted, found) = (Picture::read(wanted)?, Picture::read(found)?);
    if (wanted.width, wanted.height) != (found.width, found.height) {
        return Some(Pixels::default());
    }
    Some(Pixels {
        same_size: true,
        ssim: rounded(ssim(&wanted, &found)),
        different: rounded(different(&wanted, &found)),
    })
}

/// Can no difference be seen, not in one pixel? Not where one of them is no picture that can be read.
pub(super) fn same(one: &Bytes, other: &Bytes) -> bool {
    let unpacked = || Picture::read(one).zip(Picture::read(other));
    let size = |picture: &Picture| (picture.width, picture.height);
    one == other || unpacked().is_some_and(|(a, b)| size(&a) == size(&b) && different(&a, &b) == 0.0)
}

fn opened(bytes: &[u8]) -> Option<png::Reader<std::io::Cursor<&[u8]>>> {
    let limits = png::Limits { bytes: MOST_BYTES };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.read_info().ok()
}

struct Picture {
    width: usize,
    height: usize,
    /// Red, green and blue of each pixel.
    colours: Vec<[u8; 3]>,
}

impl Picture {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = opened(bytes)?;
        let mut buffer = vec![0; reader.output_buffer_size().filter(|size| *size <= MOST_BYTES)?];
        let frame = reader.next_frame(&mut buffer).ok()?;
        let samples = frame.color_type.samples();
        let pixels = buffer[..frame.buffer_size()].chunks_exact(samples);
        let colours = pixels.map(|pixel| match *pixel {
            [red, green, blue, ..] => [red, green, blue],
            [grey, ..] => [grey; 3],
            [] => [0; 3],
        });
        Some(Self { width: frame.width as usize, height: frame.height as usize, colours: colours.collect() })
    }

    fn luminance(&self, x: usize, y: usize) -> f64 {
        yiq(self.colours[y * self.width + x])[0]
    }
}

fn yiq([red, green, blue]: [u8; 3]) -> [f64; 3] {
    let (r, g, b) = (f64::from(red), f64::from(green), f64::from(blue));
    [
        0.298_895_31 * r + 0.586_622_47 * g + 0.114_482_23 * b,
        0.595_977_99 * r - 0.274_176_10 * g - 0.321_801_89 * b,
        0.211_470_17 * r - 0.522_617_11 * g + 0.311_146_94 * b,
    ]
}

fn ssim(a: &Picture, b: &Picture) -> f64 {
    let (mut sum, mut blocks) = (0.0, 0.0);
    for top in (0..a.height).step_by(BLOCK) {
        for left in (0..a.width).step_by(BLOCK) {
            sum += block(a, b, left, top);
            blocks += 1.0;
        }
    }
    if blocks == 0.0 { 1.0 } else { sum / blocks }
}

fn block(a: &Picture, b: &Picture, left: usize, top: usize) -> f64 {
    let (right, bottom) = ((left + BLOCK).min(a.width), (top + BLOCK).min(a.height));
    let mut rows = (top..bottom).map(|y| y * a.width + left..y * a.width + right);
    // What the sums below come to where nothing differs.
    if rows.all(|row| a.colours[row.clone()] == b.colours[row]) {
        return 1.0;
    }
    let (mut count, mut sum_a, mut sum_b, mut square_a, mut square_b, mut product) =
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for y in top..bottom {
        for x in left..right {
            let (one, other) = (a.luminance(x, y), b.luminance(x, y));
            count += 1.0;
            sum_a += one;
            sum_b += other;
            square_a += one * one;
            square_b += other * other;
            product += one * other;
        }
    }
    let (mean_a, mean_b) = (sum_a / count, sum_b / count);
    let (variance_a, variance_b) = (square_a / count - mean_a * mean_a, square_b / count - mean_b * mean_b);
    let covariance = product / count - mean_a * mean_b;
    ((2.0 * mean_a * mean_b + C1) * (2.0 * covariance + C2))
        / ((mean_a * mean_a + mean_b * mean_b + C1) * (variance_a + variance_b + C2))
}

fn different(a: &Picture, b: &Picture) -> f64 {
    if a.colours.is_empty() {
        return 0.0;
    }
    let seen = |(one, other): &(&[u8; 3], &[u8; 3])| {
        if one == other {
            return false;
        }
        let (one, other) = (yiq(**one), yiq(**other));
        let [y, i, q] = [one[0] - other[0], one[1] - other[1], one[2] - other[2]];
        0.5053 * y * y + 0.299 * i * i + 0.1957 * q * q > LARGEST * SEEN * SEEN
    };
    a.colours.iter().zip(&b.colours).filter(seen).count() as f64 / a.colours.len() as f64
}

/// To six places: more is noise of the arithmetic.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Bytes {
        with_compression(png::Compression::Fast, width, height, colour)
    }

    fn with_compression(
        compression: png::Compression,
        width: u32,
        height: u32,
        colour: impl Fn(u32, u32) -> [u8; 3],
    ) -> Bytes {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_compression(compression);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a header");
        let pixels: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| colour(x, y))
            .collect();
        writer.write_image_data(&pixels).expect("pixels");
        writer.finish().expect("whole");
        bytes.into()
    }

    #[test]
    fn the_same_picture_is_wholly_alike_and_another_is_not() {
        let text = |x: u32, y: u32| if (x / 3 + y / 5).is_multiple_of(2) { [0; 3] } else { [255; 3] };
        let same = compare(&picture(40, 30, text), &picture(40, 30, text)).expect("pictures");
        assert_eq!((same.same_size, same.ssim, same.different), (true, 1.0, 0.0));
        let packed_otherwise = with_compression(png::Compression::High, 40, 30, text);
        assert_ne!(packed_otherwise, picture(40, 30, text));
        assert_eq!(compare(&packed_otherwise, &picture(40, 30, text)), Some(same));
        let half = compare(
            &picture(40, 30, text),
            &picture(40, 30, |x, y| if x < 20 { text(x, y) } else { [128; 3] }),
        );
        let half = half.expect("pictures");
        assert!((0.3..0.7).contains(&half.ssim) && half.different == 0.5, "{half:?}");
        let faint =
            compare(&picture(8, 8, |_, _| [200; 3]), &picture(8, 8, |_, _| [201; 3])).expect("pictures");
        assert!(faint.different == 0.0 && faint.ssim > 0.99, "{faint:?}");
    }

    #[test]
    fn sizes_have_to_be_equal_and_nonsense_is_no_picture() {
        let grey = |_, _| [9; 3];
        let other = compare(&picture(8, 8, grey), &picture(8, 9, grey)).expect("pictures");
        assert_eq!(other, Pixels::default());
        let nonsense = Bytes::from_static(b"GIF89a");
        assert_eq!(compare(&picture(8, 8, grey), &nonsense), None);
        assert_eq!(compare(&nonsense, &nonsense), None, "also where it is the same nonsense");
    }
}
