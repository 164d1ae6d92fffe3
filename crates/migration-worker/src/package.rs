//! A project as one zip, byte for byte the same for the same files: entries sorted by name, fixed times and
//! permissions, one compression level, and at the end a `manifest.json` of every file's SHA-256.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
};
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// The name of the manifest within the archive.
pub(crate) const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;

/// What is in a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The shape of this document.
    pub(crate) version: u32,
    /// Every file but the manifest itself, by its path.
    pub(crate) files: BTreeMap<String, Entry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its length.
    pub(crate) bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub(crate) sha256: String,
}

impl Manifest {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a map of strings and numbers serialises");
        bytes.push(b'\n');
        bytes
    }
}

/// A package that is being written.
pub(crate) struct Package {
    zip: ZipWriter<BufWriter<File>>,
    manifest: Manifest,
}

/// A finished package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Its length.
    pub(crate) bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub(crate) sha256: String,
    /// The manifest, as it stands in it.
    pub(crate) manifest: Vec<u8>,
}

impl Package {
    /// Begins a package in an empty file that can be read, too.
    pub(crate) fn begin(file: File) -> Self {
        let manifest = Manifest { version: VERSION, files: BTreeMap::new() };
        Self { zip: ZipWriter::new(BufWriter::new(file)), manifest }
    }

    /// Adds a file; they have to come in the order of their paths.
    pub(crate) fn add(&mut self, path: &str, contents: &[u8]) -> Result<(), ZipError> {
        let last = self.manifest.files.last_key_value().map(|(last, _)| last.as_str());
        if path == MANIFEST || last.is_some_and(|last| last >= path) {
            return Err(ZipError::Io(io::Error::other(
                "a package's files have to come once each, sorted by path",
            )));
        }
        let entry = Entry { bytes: contents.len() as u64, sha256: hex(Sha256::digest(contents).as_slice()) };
        self.manifest.files.insert(path.to_owned(), entry);
        self.write(path, contents)
    }

    fn write(&mut self, path: &str, contents: &[u8]) -> Result<(), ZipError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(6))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(contents.len() as u64 >= u64::from(u32::MAX));
        self.zip.start_file(path, options)?;
        Ok(self.zip.write_all(contents)?)
    }

    /// Ends the package with its manifest, and hashes it.
    pub(crate) fn finish(mut self) -> Result<Packed, ZipError> {
        let manifest = self.manifest.to_bytes();
        self.write(MANIFEST, &manifest)?;
        let mut file = self.zip.finish()?.into_inner().map_err(|error| ZipError::Io(error.into_error()))?;
        file.seek(SeekFrom::Start(0))?;
        let mut sha = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(Packed { bytes, sha256: hex(sha.finalize().as_slice()), manifest });
            }
            sha.update(&buffer[..read]);
            bytes += read as u64;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(files: &[(&str, &[u8])]) -> (File, Packed) {
        let file = tempfile::tempfile().expect("a scratch file");
        let mut package = Package::begin(file.try_clone().expect("a handle"));
        for (path, contents) in files {
            package.add(path, contents).expect("added");
        }
        (file, package.finish().expect("finished"))
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let files: &[(&str, &[u8])] = &[("app/page.tsx", b"export {}"), ("public/a.bin", &[0; 5000])];
        let (_, first) = pack(files);
        let (_, second) = pack(files);
        assert_eq!(first, second);
    }

    #[test]
    fn the_manifest_names_every_other_file() {
        let (file, packed) = pack(&[("a.txt", b"abc"), ("b/c.txt", b"")]);
        let archive = zip::ZipArchive::new(&file).expect("a zip");
        let mut names: Vec<_> = archive.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a.txt", "b/c.txt", "manifest.json"]);
        let manifest: Manifest = serde_json::from_slice(&packed.manifest).expect("valid");
        assert_eq!(manifest.files.keys().collect::<Vec<_>>(), ["a.txt", "b/c.txt"]);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(manifest.files["a.txt"], Entry { bytes: 3, sha256: abc.into() });
        assert_eq!(packed.bytes, file.metadata().expect("there").len());
    }

    #[test]
    fn files_out_of_order_are_refused() {
        let mut package = Package::begin(tempfile::tempfile().expect("a scratch file"));
        package.add("b", b"").expect("added");
        assert!(package.add("a", b"").is_err());
        assert!(package.add("b", b"").is_err());
        assert!(package.add(MANIFEST, b"").is_err());
    }
}
