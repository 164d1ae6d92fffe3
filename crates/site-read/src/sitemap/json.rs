//! JSON Feed.

use serde_json::Value;

use super::{List, Named};

pub(super) fn read(text: &str) -> Named {
    let mut found = Named::default();
    let feed: Value = serde_json::from_str(text).unwrap_or_default();
    let version = feed.get("version").and_then(Value::as_str).unwrap_or_default();
    if !version.contains("jsonfeed.org") {
        return found;
    }
    take(
        &feed,
        &[
            ("home_page_url", List::Pages),
            ("next_url", List::Pages),
            ("icon", List::Assets),
            ("favicon", List::Assets),
        ],
        &mut found,
    );
    for item in feed.get("items").and_then(Value::as_array).into_iter().flatten() {
        take(
            item,
            &[("url", List::Pages), ("image", List::Assets), ("banner_image", List::Assets)],
            &mut found,
        );
        for attachment in item.get("attachments").and_then(Value::as_array).into_iter().flatten() {
            take(attachment, &[("url", List::Assets)], &mut found);
        }
        if found.cut {
            break;
        }
    }
    found
}

fn take(object: &Value, members: &[(&str, List)], found: &mut Named) {
    for (name, list) in members {
        if let Some(address) = object.get(name).and_then(Value::as_str) {
            found.add(*list, address);
        }
    }
}
