//! Node's own modules in app code: a browser has none of them, and a page that reads files has data that is not in its build.

use oxc::{ast::AstKind, semantic::AstNode};

use crate::lint::file::{File, Found, Role};

const MODULES: &[&str] = &[
    "fs",
    "child_process",
    "cluster",
    "dgram",
    "dns",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "process",
    "readline",
    "repl",
    "tls",
    "tty",
    "v8",
    "vm",
    "worker_threads",
    "zlib",
    "server-only",
    "next/headers",
    "next/server",
];

pub(in crate::lint) fn check(node: &AstNode<'_>, file: &File<'_, '_>, found: &mut Found) {
    let (source, span) = match node.kind() {
        AstKind::ImportDeclaration(it) if !it.import_kind.is_type() => (it.source.value.as_str(), it.span),
        AstKind::ExportFromDeclaration(it) if !it.export_kind.is_type() => {
            (it.source.value.as_str(), it.span)
        }
        AstKind::ExportAllDeclaration(it) if !it.export_kind.is_type() => (it.source.value.as_str(), it.span),
        AstKind::ImportExpression(it) => match crate::lint::element::plain(&it.source) {
            Some(source) => (source, it.span),
            None => return,
        },
        _ => return,
    };
    let module = source.strip_prefix("node:").unwrap_or(source);
    let top = module.split('/').next().unwrap_or_default();
    let of_node = source.starts_with("node:") || MODULES.contains(&top) || MODULES.contains(&module);
    // Next's own modules of the server are at home in a page that the server renders.
    let of_next = matches!(module, "server-only" | "next/headers" | "next/server");
    if !of_node || file.role != Role::Shown || of_next && file.client.is_none() {
        return;
    }
    let told = format!(
        "`{source}` is a module of the server: do this in a route handler or while the project is written"
    );
    found.at(span, told);
}
