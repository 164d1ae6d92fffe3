//! Findings as SARIF 2.1.0 (OASIS, 2020), which code hosts show beside the code. Columns count UTF-16 code units.

use serde_json::{Value, json};
use site_check::lint::{self, Report, Severity, Violation};

/// One log with one run.
pub(super) fn log(report: &Report) -> Value {
    let rules: Vec<Value> = lint::rules().iter().map(rule).collect();
    let violations = report.violations.iter().map(|it| result(it, "error"));
    let results: Vec<Value> =
        violations.chain(report.recommendations.iter().map(|it| result(it, "note"))).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "resettle", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {"PROJECT": {"description": {"text": "The folder that was looked through."}}},
            "results": results,
        }],
    })
}

fn rule(rule: &lint::Rule) -> Value {
    let level = match rule.severity {
        Severity::Error => "error",
        Severity::Advice => "note",
    };
    json!({
        "id": rule.name,
        "shortDescription": {"text": rule.about},
        "defaultConfiguration": {"level": level},
    })
}

fn result(found: &Violation, level: &str) -> Value {
    let index = lint::rules().iter().position(|rule| rule.name == found.kind);
    json!({
        "ruleId": found.kind,
        "ruleIndex": index,
        "level": level,
        "message": {"text": found.description},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&found.file), "uriBaseId": "PROJECT"},
            "region": {"startLine": found.line, "startColumn": found.column},
        }}],
    })
}

/// A path as a relative reference: a name may hold what means something in an address.
fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(path, SET).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_what_the_standard_requires() {
        let text = "export const a = <a href=\"javascript:x\">𝒳</a>;";
        let report = lint::lint([("app/(a)/[b] c/caf%C3%A9.tsx", text)], &lint::Options::default());
        let log = log(&report);
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let driver = &run["tool"]["driver"];
        assert!(driver["name"].is_string() && run["columnKind"] == "utf16CodeUnits");
        let rules = driver["rules"].as_array().expect("a list of rules");
        assert!(
            rules.iter().all(|rule| rule["id"].is_string() && rule["shortDescription"]["text"].is_string())
        );
        let results = run["results"].as_array().expect("a list of results");
        assert_eq!(results.len(), 1);
        let result = &results[0];
        let index = result["ruleIndex"].as_u64().expect("a number") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().expect("a level")));
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "app/%28a%29/%5Bb%5D%20c/caf%25C3%25A9.tsx");
        assert!(
            run["originalUriBaseIds"][place["artifactLocation"]["uriBaseId"].as_str().expect("a base")]
                .is_object()
        );
        assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&json!(1), &json!(21)));
    }
}
