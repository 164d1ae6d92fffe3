//! Host names at which clouds answer about their own machines, as data.
//!
//! Refused by name, before any look-up: inside a cloud they resolve to what the table of ranges
//! refuses anyway, but a public answer for such a name is no reason to ask it.

/// Names that end in one of these, or are one, are refused.
pub(crate) const METADATA: &[&str] = &[
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.azure.com",
    "metadata.tencentyun.com",
    "metadata.oraclecloud.com",
    "metadata.platformequinix.com",
    "metadata.packet.net",
    "metadata.cloud.ibm.com",
    "metadata.service.consul",
    "rancher-metadata",
];

/// The rule that refuses this name; case and trailing dots make no difference.
pub(crate) fn rule(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.');
    let is_below = |name: &str| {
        let Some(cut) = host.len().checked_sub(name.len()) else {
            return false;
        };
        let end = host.get(cut..).is_some_and(|end| end.eq_ignore_ascii_case(name));
        end && (cut == 0 || host.as_bytes()[cut - 1] == b'.')
    };
    METADATA.iter().any(|name| is_below(name)).then_some("cloud metadata")
}

#[cfg(test)]
mod tests {
    use super::rule;

    #[test]
    fn the_name_itself_and_what_is_below_it() {
        for host in [
            "metadata.google.internal",
            "Metadata.Google.Internal..",
            "x.metadata.goog",
            "metadata",
            "a.metadata",
        ] {
            assert_eq!(rule(host), Some("cloud metadata"), "{host}");
        }
        for host in ["google.internal", "notmetadata.goog", "metadata.example.com", "example.com", "", "."] {
            assert_eq!(rule(host), None, "{host}");
        }
    }
}
