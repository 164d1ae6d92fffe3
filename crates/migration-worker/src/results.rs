//! What each phase leaves behind: small, stored with the phase's row, enough for the next phases to go on from
//! in another process.

use domain::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

/// ANALYZE's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Analyzed {
    /// The key of the snapshot.
    pub(crate) snapshot: String,
    /// Where the site's address led.
    pub(crate) home: String,
    pub(crate) pages: u64,
    pub(crate) assets: u64,
    pub(crate) redirects: u64,
    pub(crate) findings: u64,
    /// Which limit cut the crawl, if one did.
    pub(crate) truncated: Option<String>,
}

/// PLAN's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Planned {
    /// The key of the plan.
    pub(crate) plan: String,
    /// The hash of its bytes.
    pub(crate) hash: String,
    pub(crate) routes: u64,
    pub(crate) layouts: u64,
    pub(crate) shared: u64,
    pub(crate) findings: u64,
}

/// TRANSFORM's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transformed {
    /// The key of the list of files.
    pub(crate) project: String,
    /// The hash of its bytes, which name every file's content.
    pub(crate) hash: String,
    pub(crate) files: u64,
}

/// VERIFY's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verified {
    /// The key of the report.
    pub(crate) report: String,
    /// Checks made, by name.
    pub(crate) checks: Vec<String>,
    /// Whether the compiler looked at the project.
    pub(crate) type_check: TypeCheck,
    /// What a person should know.
    pub(crate) findings: Vec<String>,
    /// The comparison with the site, if one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compared: Option<Compared>,
    /// The key of the list of files, if it was compared: pages may be mended, and it says what was found. The release before
    /// calls it `mended`.
    #[serde(default, rename = "mended", skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
}

impl Verified {
    /// The key of the list of files that is handed out.
    pub(crate) fn project<'a>(&'a self, transformed: &'a Transformed) -> &'a str {
        self.project.as_deref().unwrap_or(&transformed.project)
    }
}

/// The figures of a comparison with the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Compared {
    /// Nothing differs.
    pub(crate) passed: bool,
    /// Pages that were shown, how many of them differ, and how many were not shown.
    pub(crate) pages: u64,
    pub(crate) refused: u64,
    /// Pages that differed at first, and pass with more of what the site had.
    #[serde(default)]
    pub(crate) repaired: u64,
    pub(crate) left_out: u64,
    /// Addresses that were asked, and how many are answered otherwise.
    pub(crate) addresses: u64,
    pub(crate) wrong_addresses: u64,
    /// The least share of elements that are alike, over pages and widths.
    pub(crate) least_alike: f64,
}

/// Whether the compiler looked at the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TypeCheck {
    /// It did, and found nothing.
    Passed,
    /// It was not there.
    Skipped,
}

/// DEPLOY's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deployed {
    /// The project that came of it. Kept here, so that a job taken up again completes with the same.
    pub(crate) project_id: Uuid,
    /// The key of the zip.
    pub(crate) artifact: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Its SHA-256.
    pub(crate) sha256: String,
    /// The files in it, the manifest not counted.
    pub(crate) files: u64,
    /// The key of the manifest.
    pub(crate) manifest: String,
}

/// As it is stored.
pub(crate) fn stored<T: Serialize>(result: &T) -> Value {
    serde_json::to_value(result).expect("strings and numbers serialise")
}

/// Read back from a phase's row.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "a stored phase result cannot be read");
        Failure::may_pass(
            "internal",
            "A stored intermediate result cannot be read. Start a new run of this migration.",
        )
        .for_good()
    })
}
