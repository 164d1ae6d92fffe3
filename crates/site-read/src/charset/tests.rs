//! Each source of an encoding in its order, and sentences of many languages in their legacy encodings.

use encoding_rs::*;
use proptest::prelude::*;

use super::*;

fn address(host: &str) -> Url {
    Url::parse(&format!("http://{host}/")).expect("an address")
}

fn html(body: &[u8], header: Option<&str>) -> Decoded {
    decode_html(body, header, &address("127.0.0.1"))
}

#[test]
fn each_source_of_the_encoding_in_its_order() {
    let cases: [(&[u8], Option<&str>, &str, &str); 13] = [
        (b"\xef\xbb\xbf\xc3\xa9", Some("text/html; charset=latin1"), "UTF-8", "\u{e9}"),
        (b"\xff\xfea\0", None, "UTF-16LE", "a"),
        (b"<meta charset=utf-8>\xe9", Some("text/html;charset=ISO-8859-1"), "windows-1252", "\u{e9}"),
        (b"<!-- <meta charset=big5> --><META CHARSET = 'Shift_JIS'>\x83\x65", None, "Shift_JIS", "\u{30c6}"),
        (
            b"<meta http-equiv=Content-Type content=\"text/html; charset=euc-kr\">\xb0\xa1",
            None,
            "EUC-KR",
            "\u{ac00}",
        ),
        (b"<meta name=description content='charset=big5'><p>\xe9", None, "windows-1252", "\u{e9}"),
        (b"<?xml version='1.0' encoding='iso-8859-2'?>\xe6", None, "ISO-8859-2", "\u{107}"),
        (b"<\0?\0x\0m\0l\0?\0>\0\xe9\0", None, "UTF-16LE", "\u{e9}"),
        (b"\0<\0?\0x\0m\0l\0?\0>\0\xe9", None, "UTF-16BE", "\u{e9}"),
        (b"<meta charset=utf-16>\xc3\xa9", None, "UTF-8", "\u{e9}"),
        (b"<meta charset=nonsense>\xe9", None, "windows-1252", "\u{e9}"),
        (b"undeclared \xc3\xa9", None, "UTF-8", "\u{e9}"),
        (b"<p>\xc3\xa9", Some("application/xhtml+xml"), "UTF-8", "\u{e9}"),
    ];
    for (body, header, charset, text) in cases {
        let decoded = html(body, header);
        assert_eq!(decoded.charset, charset, "{text}");
        assert!(decoded.text.ends_with(text), "{:?}", decoded.text);
    }
}

/// Texts as sites of their countries have them, in the encodings that were usual there.
const SENTENCES: [(&str, &Encoding, &str); 16] = [
    ("jp", SHIFT_JIS, "私たちの工房では、毎日あたらしい器を焼いています。お気軽にお越しください。"),
    ("jp", EUC_JP, "このページでは、会社の歴史と製品についてご紹介します。詳しくはお問い合わせください。"),
    ("kr", EUC_KR, "저희 회사 홈페이지를 방문해 주셔서 감사합니다. 자세한 내용은 아래를 참조하십시오."),
    ("cn", GBK, "欢迎访问我们公司的网站。我们提供各种产品和服务，请与我们联系以获取更多信息。"),
    ("tw", BIG5, "歡迎光臨本公司網站。我們提供各種產品與服務，如需更多資訊請與我們聯絡。"),
    ("ru", WINDOWS_1251, "Добро пожаловать на сайт нашей компании. Здесь вы найдёте описание всех услуг."),
    ("ru", KOI8_R, "Эта страница рассказывает об истории города и о людях, которые его построили."),
    (
        "pl",
        ISO_8859_2,
        "Zażółć gęślą jaźń. Nasza firma działa od wielu lat i świadczy usługi na terenie całego kraju.",
    ),
    ("cz", WINDOWS_1250, "Příliš žluťoučký kůň úpěl ďábelské ódy. Vítejte na stránkách naší společnosti."),
    (
        "gr",
        ISO_8859_7,
        "Καλώς ήρθατε στην ιστοσελίδα της εταιρείας μας. Επικοινωνήστε μαζί μας για πληροφορίες.",
    ),
    (
        "tr",
        WINDOWS_1254,
        "Şirketimizin internet sitesine hoş geldiniz. Ürünlerimiz hakkında bilgi alabilirsiniz.",
    ),
    ("il", WINDOWS_1255, "ברוכים הבאים לאתר החברה שלנו. כאן תוכלו למצוא מידע על כל השירותים שאנו מציעים."),
    (
        "sa",
        WINDOWS_1256,
        "مرحبا بكم في موقع شركتنا. يمكنكم هنا العثور على معلومات عن جميع الخدمات التي نقدمها.",
    ),
    ("vn", WINDOWS_1258, "Chào mừng bạn đến với trang web của chúng tôi"),
    ("th", WINDOWS_874, "ยินดีต้อนรับสู่เว็บไซต์ของบริษัทเรา กรุณาติดต่อเราเพื่อขอข้อมูลเพิ่มเติม"),
    (
        "fr",
        WINDOWS_1252,
        "Bienvenue à l'école de céramique. Nous avons été fondés l'année où l'œuvre naquit.",
    ),
];

/// The text as it is written in the encoding; Vietnamese is written there with its accents apart.
fn encoded(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    let page = format!("<html><head><title>{text}</title></head><body><p>{text}</p></body></html>");
    let (bytes, used, unmappable) = encoding.encode(&page);
    (used == encoding && !unmappable).then(|| bytes.into_owned())
}

#[test]
fn what_declares_nothing_is_read_as_browsers_guess_it() {
    let mut told = 0;
    for (domain, encoding, text) in SENTENCES {
        let Some(bytes) = encoded(encoding, text) else { continue };
        let decoded = decode_html(&bytes, Some("text/html"), &address(&format!("www.example.{domain}")));
        assert!(
            decoded.text.contains(text),
            "{}: read as {}: {}",
            encoding.name(),
            decoded.charset,
            decoded.text
        );
        assert_eq!((decoded.source, decoded.doubt), (Source::Guess, None));
        told += 1;
    }
    assert!(told >= 15, "only {told} sentences could be written");
}

#[test]
fn what_is_declared_is_followed_and_doubted_where_the_bytes_speak_against_it() {
    for (_, encoding, text) in SENTENCES {
        let Some(bytes) = encoded(encoding, text) else { continue };
        let header = format!("text/html; charset={}", encoding.name());
        let decoded = html(&bytes, Some(&header));
        assert!(decoded.text.contains(text), "{}", encoding.name());
        assert_eq!((decoded.source, decoded.doubt), (Source::Header, None), "{}", encoding.name());
        let wrong = html(&bytes, Some("text/html; charset=utf-8"));
        assert_eq!(wrong.doubt, Some(Doubt::Malformed), "{} is not UTF-8", encoding.name());
    }
    let mistaken = html("<p>café".as_bytes(), Some("text/html; charset=iso-8859-1"));
    assert_eq!((mistaken.text.as_str(), mistaken.doubt), ("<p>cafÃ©", Some(Doubt::IsUtf8)));
    assert_eq!(html(b"<meta charset=latin1>ascii", None).doubt, None);
}

#[test]
fn a_page_cannot_hide_markup_in_shift_sequences() {
    let hidden = b"<p>\x1b$B<script>\x1b(B";
    assert_eq!(html(hidden, None).text.as_bytes(), hidden, "it is read as the ASCII that it is");
}

#[test]
fn style_sheets_are_utf_8_unless_they_say_otherwise() {
    assert_eq!(decode_css(b"a{}", None).charset, "UTF-8");
    assert_eq!(decode_css(b"@charset \"iso-8859-1\";a{}", None).charset, "windows-1252");
    assert_eq!(decode_css(b"@charset \"iso-8859-1\";a{}", Some("text/css; charset=utf-8")).charset, "UTF-8");
}

proptest! {
    #[test]
    fn any_bytes_become_text(body in proptest::collection::vec(any::<u8>(), 0..300), header in "[ -~]{0,40}") {
        let once = html(&body, Some(&header));
        prop_assert_eq!(&once, &html(&body, Some(&header)));
        prop_assert!(!once.charset.is_empty());
    }
}
