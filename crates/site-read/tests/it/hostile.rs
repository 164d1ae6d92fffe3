//! Readers of others' text take anything without a panic, and their ranges are real.

use proptest::prelude::*;
use site_read::charset::{decode_css, decode_html};
use site_read::{css, normal_form, srcset_candidates};
use url::Url;

proptest! {
    #[test]
    fn style_sheets(text in r#"([@a-z(){};:,'"\\/* \n\u{e9}]|url\(|@import |image-set\(|/\*){0,60}"#) {
        for found in css::references(&text) {
            prop_assert!(text.get(found.range.clone()).is_some());
            prop_assert!(!found.url.is_empty());
        }
    }

    #[test]
    fn srcsets(text in r"[a-z,() \t\u{e9}0-9.]{0,40}") {
        let mut end = 0;
        for range in srcset_candidates(&text) {
            prop_assert!(range.start >= end && !range.is_empty());
            prop_assert!(text.get(range.clone()).is_some());
            end = range.end;
        }
    }

    #[test]
    fn documents(body in prop::collection::vec(any::<u8>(), 0..300), header in "(text/html; charset=[a-z0-9-]{0,10})?") {
        let address = Url::parse("http://example.jp/").expect("a URL");
        let _ = decode_html(&body, Some(&header), &address);
        let _ = decode_html(&[b"<meta charset=".as_slice(), &body].concat(), None, &address);
        let _ = decode_css(&[b"@charset \"".as_slice(), &body].concat(), None);
    }

    #[test]
    fn the_normal_form_is_stable(path in r"[a-zA-Z0-9%/.?&=~\u{e9} -]{0,40}") {
        if let Ok(url) = Url::parse("http://e.com/").and_then(|base| base.join(&path)) {
            let form = normal_form(&url);
            let again = Url::parse(&form).expect("a URL");
            prop_assert_eq!(normal_form(&again), form);
        }
    }
}
