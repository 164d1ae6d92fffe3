//! Files that JavaScript names where its grammar or the platform says that they are files: modules that are imported, workers, service
//! workers. Read off the tokens: nothing is run, and what is put together while it runs is not found.
//!
//! Where a regular expression could as well be a division it guesses (ECMAScript leaves that to whoever parses the whole), so it may
//! name too few or too many, and never fails.

/// A file that a script names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File<'a> {
    /// Its address, relative to the script.
    ToScript(&'a str),
    /// Its address, relative to the page that the script runs in.
    ToPage(&'a str),
    /// A service worker's address, relative to the page.
    ServiceWorker(&'a str),
    /// A module by another name than an address: an import map says where it is.
    Bare(&'a str),
}

/// What the code of any script is searched for first: without one of these it names nothing.
const SIGNS: [&str; 5] = ["import", "export", "Worker", "importScripts", "serviceWorker"];
/// The tokens that are looked back on.
const BEHIND: usize = 4;

/// The files that this code names, in its order.
pub(crate) fn files(code: &str) -> Vec<File<'_>> {
    let mut found = Vec::new();
    if !SIGNS.iter().any(|sign| memchr::memmem::find(code.as_bytes(), sign.as_bytes()).is_some()) {
        return found;
    }
    let mut tokens = Tokens { code, at: 0, last: None, templates: Vec::new() };
    let mut behind = [Token::Sign(b';'); BEHIND];
    while let Some(token) = tokens.next() {
        if let Token::Text(text) = token {
            found.extend(named(text, behind, &code[tokens.at..]));
        }
        behind.rotate_right(1);
        behind[0] = token;
    }
    found
}

/// The addresses that an import map gives (HTML, 8.1.5.2); those that stand for whole folders name no file.
pub(crate) fn mapped(map: &str) -> Vec<String> {
    let map: serde_json::Value = serde_json::from_str(map).unwrap_or_default();
    let scopes = map["scopes"].as_object().into_iter().flat_map(serde_json::Map::values);
    let maps = std::iter::once(&map["imports"]).chain(scopes).filter_map(serde_json::Value::as_object);
    let addresses = maps.flat_map(serde_json::Map::values).filter_map(serde_json::Value::as_str);
    addresses.filter(|address| is_address(address) && !address.ends_with('/')).map(str::to_owned).collect()
}

/// What a text is to the tokens before it, the nearest first, and the code behind it.
fn named<'a>(text: &'a str, behind: [Token<'a>; BEHIND], rest: &str) -> Option<File<'a>> {
    use Token::{Sign, Word};
    if text.is_empty() || text.contains(['\\', '\n', ' ', '<']) {
        return None;
    }
    let module = || Some(if is_address(text) { File::ToScript(text) } else { File::Bare(text) });
    // Not the beginning of what is put together.
    let alone = rest.trim_start().starts_with([',', ')']);
    match behind {
        [Word("import"), before, ..] if before != Sign(b'.') => module(),
        [Word("from"), Word(_) | Sign(b'}' | b'*'), ..] => module(),
        [Sign(b'('), Word("import"), before, _] if alone && before != Sign(b'.') => module(),
        [Sign(b'('), Word("importScripts"), ..] if alone => Some(File::ToScript(text)),
        [Sign(b'('), Word("URL"), Word("new"), _] if is_of_this_module(rest) => Some(File::ToScript(text)),
        [Sign(b'('), Word("Worker" | "SharedWorker"), Word("new"), _] if alone => Some(File::ToPage(text)),
        [Sign(b'('), Word("register"), Sign(b'.'), Word("serviceWorker")] if alone => {
            Some(File::ServiceWorker(text))
        }
        _ => None,
    }
}

/// `, import.meta.url`
fn is_of_this_module(rest: &str) -> bool {
    let plain: String = rest.chars().take(60).filter(|c| !c.is_whitespace()).collect();
    plain.starts_with(",import.meta.url")
}

/// Is it an address to whoever resolves modules? Anything else is a name.
fn is_address(text: &str) -> bool {
    ["./", "../", "/", "http://", "https://"].iter().any(|begin| text.starts_with(begin))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A name, a keyword or a number.
    Word(&'a str),
    /// What is between quotes.
    Text(&'a str),
    /// Any other character; a template or a regular expression is a closing bracket.
    Sign(u8),
}

struct Tokens<'a> {
    code: &'a str,
    at: usize,
    last: Option<Token<'a>>,
    /// How many braces are open in each template's code that is read.
    templates: Vec<usize>,
}

/// Words behind which no operand ends.
const BEFORE_OPERANDS: [&str; 12] =
    ["return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else"];

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.blanks();
        let token = match *self.bytes().first()? {
            quote @ (b'"' | b'\'') => self.text(quote),
            b'`' => {
                self.at += 1;
                self.template()
            }
            b'}' if self.templates.last() == Some(&0) => {
                self.templates.pop();
                self.at += 1;
                self.template()
            }
            b'/' if !self.ends_an_operand() => self.regular_expression(),
            byte if is_of_word(byte) => self.word(),
            byte => {
                if let Some(open) = self.templates.last_mut() {
                    match byte {
                        b'{' => *open += 1,
                        b'}' => *open -= 1,
                        _ => {}
                    }
                }
                self.at += 1;
                Token::Sign(byte)
            }
        };
        self.last = Some(token);
        Some(token)
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#') || !byte.is_ascii()
}

impl<'a> Tokens<'a> {
    fn bytes(&self) -> &'a [u8] {
        &self.code.as_bytes()[self.at..]
    }

    /// White space and comments.
    fn blanks(&mut self) {
        loop {
            let bytes = self.bytes();
            let length = match bytes {
                [first, ..] if first.is_ascii_whitespace() => 1,
                [b'/', b'/', ..] => memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()),
                [b'/', b'*', ..] => {
                    memchr::memmem::find(&bytes[2..], b"*/").map_or(bytes.len(), |end| end + 4)
                }
                _ => return,
            };
            self.at += length;
        }
    }

    fn word(&mut self) -> Token<'a> {
        let bytes = self.bytes();
        let length = bytes.iter().position(|byte| !is_of_word(*byte)).unwrap_or(bytes.len());
        let start = self.at;
        self.at += length;
        Token::Word(&self.code[start..self.at])
    }

    /// Up to the same quote, or the end of the line.
    fn text(&mut self, quote: u8) -> Token<'a> {
        let start = self.at + 1;
        self.at = start;
        while let Some(byte) = self.bytes().first() {
            match byte {
                b'\\' => self.escaped(),
                b'\n' => break,
                _ if *byte == quote => break,
                _ => self.at += 1,
            }
        }
        let text = &self.code[start..self.at];
        self.at = (self.at + 1).min(self.code.len());
        Token::Text(text)
    }

    /// A backslash, and the byte behind it.
    fn escaped(&mut self) {
        self.at += 2;
        while !self.code.is_char_boundary(self.at) && self.at < self.code.len() {
            self.at += 1;
        }
        self.at = self.at.min(self.code.len());
    }

    /// What is between backquotes, up to the code in it.
    fn template(&mut self) -> Token<'a> {
        loop {
            match self.bytes() {
                [] => return Token::Sign(b')'),
                [b'\\', ..] => self.escaped(),
                [b'`', ..] => {
                    self.at += 1;
                    return Token::Sign(b')');
                }
                [b'$', b'{', ..] => {
                    self.at += 2;
                    self.templates.push(0);
                    return Token::Sign(b'(');
                }
                _ => self.at += 1,
            }
        }
    }

    /// What is between slashes; where there is only one in the line, it is a sign like others.
    fn regular_expression(&mut self) -> Token<'a> {
        let start = self.at;
        let mut in_class = false;
        self.at += 1;
        while let Some(byte) = self.bytes().first() {
            match byte {
                b'\\' => {
                    self.escaped();
                    continue;
                }
                b'\n' => break,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.at += 1;
                    return Token::Sign(b')');
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at = start + 1;
        Token::Sign(b'/')
    }

    fn ends_an_operand(&self) -> bool {
        match self.last {
            Some(Token::Word(word)) => !BEFORE_OPERANDS.contains(&word),
            Some(Token::Text(_) | Token::Sign(b')' | b']' | b'}')) => true,
            Some(Token::Sign(_)) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::imports(
        "import a, { b as c } from './a.js'; import * as d from \"../d.js\";import'/e.js'\nimport {f}from'https://a.example/f.js'",
        &[File::ToScript("./a.js"), File::ToScript("../d.js"), File::ToScript("/e.js"), File::ToScript("https://a.example/f.js")]
    )]
    #[case::exports("export * from './a.js';export{b}from'./b.js'", &[File::ToScript("./a.js"), File::ToScript("./b.js")])]
    #[case::names("import vue from 'vue'; import '#lib'", &[File::Bare("vue"), File::Bare("#lib")])]
    #[case::later("import('./a.js').then(b); import(`./c.js`); import('./d' + e)", &[File::ToScript("./a.js")])]
    #[case::workers(
        "new Worker('w.js', {type: 'module'}); new SharedWorker(\"/s.js\"); importScripts('i.js'); new URL('./u.js', import.meta.url)",
        &[File::ToPage("w.js"), File::ToPage("/s.js"), File::ToScript("i.js"), File::ToScript("./u.js")]
    )]
    #[case::service_workers("navigator.serviceWorker.register('/sw.js')", &[File::ServiceWorker("/sw.js")])]
    #[case::what_only_looks_so(
        "// import './a.js'\n/* import './b.js' */ x = \"import './c.js'\"; y = `import './d.js' ${z + `import './e.js'`} import './f.js'`; \
         r = /import '.\\/g.js'[/]/; q = a / import.meta.x / b; Array.from('./h.js'); x.import('./i.js'); element.register('./j.js')",
        &[]
    )]
    #[case::behind_all_that("y = `a${ {b: 1}.b }c`; s = 'it\\'s'; r = a / b; t = x ? /'/ : 1; import './k.js'", &[File::ToScript("./k.js")])]
    fn files_are_named_by_grammar(#[case] code: &str, #[case] expected: &[File<'_>]) {
        assert_eq!(files(code), expected);
    }

    #[test]
    fn an_import_map_names_files() {
        let map = r#"{"imports": {"a": "./a.js", "b/": "/b/", "c": null}, "scopes": {"/x/": {"a": "/x/a.js"}}, "integrity": {}}"#;
        assert_eq!(mapped(map), ["./a.js", "/x/a.js"]);
        assert_eq!(mapped("{"), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(code in "(import|from|[\\\\`'\"/${}*\n a-cé\u{10000}]){0,60}") {
            prop_assert!(files(&code).len() <= code.len());
        }
    }
}
