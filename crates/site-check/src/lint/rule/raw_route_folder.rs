//! A folder of a route whose name is not ASCII: `next start` answers 500 there.

use oxc::span::Span;

use crate::lint::file::{File, Found, Role};

pub(in crate::lint) fn check(file: &File<'_, '_>, found: &mut Found) {
    let path = file.path.strip_prefix("src/").unwrap_or(file.path);
    let Some((folders, _)) = path.strip_prefix("app/").and_then(|rest| rest.rsplit_once('/')) else { return };
    if file.role == Role::Declaration {
        return;
    }
    if let Some(folder) = folders.split('/').find(|folder| !folder.is_ascii()) {
        let told = format!("the folder {folder:?} answers 500: percent-encode its name");
        found.at(Span::new(0, 0), told);
    }
}
