//! The pictures that are kept of a comparison, for people: both sides of each page at the widths that are wanted, in the
//! archive, named in the report by their hash. Evidence that does not fit is left out; it never decides anything.

use std::io;

use site_read::Archive;

use super::{look::Look, report::Pictured};

/// One picture may take so many bytes, and all of a comparison.
const MOST_OF_ONE: usize = 16 * 1024 * 1024;
const MOST_OF_ALL: u64 = 512 * 1024 * 1024;

pub(super) struct Album<'a> {
    archive: &'a dyn Archive,
    widths: &'a [u32],
    left: u64,
}

impl<'a> Album<'a> {
    pub(super) fn new(archive: &'a dyn Archive, widths: &'a [u32]) -> Self {
        Self { archive, widths, left: MOST_OF_ALL }
    }

    /// Keeps what there is of a page at the widths that are wanted, as far as there is room.
    pub(super) async fn keep(&mut self, wanted: &Look, found: &Look) -> io::Result<Vec<Pictured>> {
        let mut kept = Vec::new();
        for width in self.widths {
            let sides = wanted.pictures.get(width).zip(found.pictures.get(width));
            let Some((original, copy)) = sides else { continue };
            let bytes = (original.len() + copy.len()) as u64;
            if original.len().max(copy.len()) > MOST_OF_ONE || bytes > self.left {
                continue;
            }
            self.left -= bytes;
            let original = self.archive.put(original.clone()).await?;
            let copy = self.archive.put(copy.clone()).await?;
            kept.push(Pictured { width: *width, original, copy });
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use site_read::{ContentHash, MemoryArchive};

    fn look(name: &str, widths: &[u32], bytes: usize) -> Look {
        let picture = |width: &u32| (*width, Bytes::from(format!("{name} {width} {}", "x".repeat(bytes))));
        Look { pictures: widths.iter().map(picture).collect(), ..Look::default() }
    }

    #[tokio::test]
    async fn both_sides_are_kept_at_the_widths_that_are_wanted_and_within_the_bounds() {
        let archive = MemoryArchive::new();
        let mut album = Album::new(&archive, &[1280, 390]);
        let all = [1280, 1024, 390];
        let (wanted, found) = (look("site", &all, 1), look("project", &all, 1));
        let kept = album.keep(&wanted, &found).await.expect("kept");
        assert_eq!(kept.iter().map(|one| one.width).collect::<Vec<_>>(), [1280, 390]);
        assert_eq!(kept[0].original, ContentHash::of(&wanted.pictures[&1280]));
        assert_eq!(archive.get(&kept[1].copy).await.expect("there"), found.pictures[&390]);
        let large = look("site", &[1280], MOST_OF_ONE);
        assert_eq!(album.keep(&large, &look("project", &[1280], 1)).await.expect("left out"), []);
        album.left = 10;
        assert_eq!(album.keep(&wanted, &found).await.expect("left out"), []);
        let none = Album::new(&archive, &[]).keep(&wanted, &found).await.expect("nothing is wanted");
        assert_eq!(none, []);
    }
}
