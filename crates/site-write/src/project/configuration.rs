//! The project's configuration, its declarations for the compiler, and its own README.

use site_read::Snapshot;

use super::{Project, hosting, images::Shown, migration, proxy};
use crate::{
    Next, Plan,
    jsx::{object, string},
    page::doctype,
    plan::{By, Matcher, TrailingSlash},
};

pub(super) fn write(
    plan: &Plan,
    snapshot: &Snapshot,
    old_doctypes: bool,
    images: &Shown,
    project: &mut Project,
) {
    project.text(plan.next.configuration(), next_config(plan, snapshot.not_found.is_some(), old_doctypes));
    let tsconfig = match plan.next {
        Next::Sixteen => TSCONFIG.to_owned(),
        // Which compiles JSX in a way of its own, and would write this file anew.
        Next::Fourteen => {
            TSCONFIG.replace("\"react-jsx\"", "\"preserve\"").replace(", \".next/dev/types/**/*.ts\"", "")
        }
    };
    project.text("tsconfig.json", tsconfig);
    project.text("next-env.d.ts", NEXT_ENV);
    project.text(".gitignore", "/node_modules\n/.next\n/out\n*.tsbuildinfo\n");
    project.text("README.md", readme(plan, snapshot, old_doctypes, images));
    let hosting = hosting::write(plan);
    let left = hosting.as_ref().map(|hosting| hosting.left.as_slice()).unwrap_or_default();
    project.text("MIGRATION.md", migration::report(plan, snapshot, images, left));
    if let Some(hosting) = &hosting {
        project.text("hosting/_redirects", hosting.redirects.as_str());
        project.text("hosting/nginx.conf", hosting.nginx.as_str());
    }
    if let Some(text) = proxy::write(plan) {
        project.text(plan.next.proxy(), text);
    }
}

fn next_config(plan: &Plan, not_found: bool, old_doctypes: bool) -> String {
    let proxy = plan.next.proxy();
    let slash = match plan.trailing_slash {
        TrailingSlash::Added => {
            format!("{proxy} puts the slash to the end of an address, as the site's server did.")
        }
        TrailingSlash::Removed => {
            format!("{proxy} takes the slash off the end of an address, as the site's server did.")
        }
        TrailingSlash::Open => {
            "The site answered with and without a slash at the end; so does this.".to_owned()
        }
    };
    let (typed, bundler) = match plan.next {
        Next::Sixteen => ("const config: NextConfig = {\n", "  turbopack: { root: process.cwd() },\n"),
        Next::Fourteen => ("/** @type {import(\"next\").NextConfig} */\nconst config = {\n", ""),
    };
    let mut out = format!(
        "// Which old addresses lead where. Every page and file of the site answers at the address that it had.\n\
         {imports}{typed}\
         \x20 // {slash}\n  skipTrailingSlashRedirect: true,\n\
         \x20 // The site's scripts must run once, not twice as strict mode has it in development.\n  reactStrictMode: false,\n\
         \x20 poweredByHeader: false,\n{bundler}",
        imports = imported(plan.next, old_doctypes),
    );
    if not_found && plan.next == Next::Sixteen {
        out.push_str("  // Several layouts have one page between them for what is not there.\n  experimental: { globalNotFound: true },\n");
    }
    let redirects: Vec<_> =
        plan.redirects.iter().filter(|redirect| redirect.by == By::Configuration).collect();
    if !redirects.is_empty() {
        out.push_str("  async redirects() {\n    return [\n");
        for redirect in redirects {
            let to =
                format!("destination: {}, statusCode: {}", string(&literal(&redirect.to)), redirect.status);
            out.push_str(&format!("      {{ {}, {to} }},\n", matched(&redirect.matcher)));
        }
        out.push_str("    ];\n  },\n");
    }
    let rewrites: Vec<_> = plan.rewrites.iter().filter(|rewrite| rewrite.by == By::Configuration).collect();
    if !rewrites.is_empty() {
        out.push_str("  async rewrites() {\n    return {\n      beforeFiles: [\n");
        for rewrite in rewrites {
            let to = format!("destination: {}", string(&literal(&rewrite.to)));
            out.push_str(&format!("        {{ {}, {to} }},\n", matched(&rewrite.matcher)));
        }
        out.push_str("      ],\n      afterFiles: [],\n      fallback: [],\n    };\n  },\n");
    }
    out.push_str("};\n\n");
    out.push_str(&exported(plan.next, old_doctypes));
    out
}

/// What the file needs, before it.
fn imported(next: Next, old_doctypes: bool) -> String {
    let (mut out, constants) = match next {
        Next::Sixteen => ("import type { NextConfig } from \"next\";\n".to_owned(), "next/constants"),
        Next::Fourteen => (String::new(), "next/constants.js"),
    };
    if old_doctypes {
        out.insert_str(
            0,
            "import { spawnSync } from \"node:child_process\";\nimport { fileURLToPath } from \"node:url\";\n",
        );
        out.push_str(&format!("import {{ PHASE_PRODUCTION_SERVER }} from \"{constants}\";\n"));
    }
    if out.is_empty() { out } else { out + "\n" }
}

/// What the file gives to Next. An old doctype is kept here, too, for who builds without npm.
fn exported(next: Next, old_doctypes: bool) -> String {
    if !old_doctypes {
        return "export default config;\n".to_owned();
    }
    let (typed, given) = match next {
        Next::Sixteen => ("", "phase: string"),
        Next::Fourteen => ("/** @param {string} phase */\n", "phase"),
    };
    format!(
        "// Pages that had an old doctype are served with it, also where `next build` alone was run.\n\
         const oldDoctypes = fileURLToPath(new URL(\"./{}\", import.meta.url));\n\n\
         {typed}export default function configuration({given}) {{\n  \
         if (phase === PHASE_PRODUCTION_SERVER) spawnSync(process.execPath, [oldDoctypes], {{ stdio: \"inherit\" }});\n  \
         return config;\n}}\n",
        doctype::FILE
    )
}

fn matched(matcher: &Matcher) -> String {
    let source = format!("source: {}", string(&matcher.source));
    if matcher.query.is_empty() {
        return source;
    }
    let has =
        matcher.query.iter().map(|(key, value)| object([("type", "query"), ("key", key), ("value", value)]));
    format!("{source}, has: [{}]", has.collect::<Vec<_>>().join(", "))
}

/// A destination is a pattern, too. What means something in one is percent-encoded, which leads to the same place.
fn literal(to: &str) -> String {
    let (scheme, rest) = to.split_once("://").unwrap_or(("", to));
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut out = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    for (at, c) in path.char_indices() {
        // The colon before a port is none of a pattern's.
        let port = c == ':' && !scheme.is_empty() && !path[..at].contains('/');
        match c {
            '(' | ')' | '{' | '}' | '*' | '+' | ':' if !port => out.push_str(&format!("%{:02X}", c as u32)),
            c => out.push(c),
        }
    }
    query.map_or(out.clone(), |query| format!("{out}?{query}"))
}

const TSCONFIG: &str = r#"{
  "compilerOptions": {
    "target": "ES2022",
    "lib": ["dom", "dom.iterable", "esnext"],
    "allowJs": false,
    "skipLibCheck": true,
    "strict": true,
    "noEmit": true,
    "esModuleInterop": true,
    "module": "esnext",
    "moduleResolution": "bundler",
    "resolveJsonModule": true,
    "isolatedModules": true,
    "jsx": "react-jsx",
    "incremental": true,
    "plugins": [{ "name": "next" }],
    "paths": { "@/*": ["./*"] }
  },
  "include": ["next-env.d.ts", "**/*.ts", "**/*.tsx", ".next/types/**/*.ts", ".next/dev/types/**/*.ts"],
  "exclude": ["node_modules"]
}
"#;

const NEXT_ENV: &str =
    "/// <reference types=\"next\" />\n/// <reference types=\"next/image-types/global\" />\n";

const DOCTYPES: &str = "- `scripts/old-doctypes.mjs` keeps the doctypes of pages that were written for an older one, after each build.\n";

const IMAGES: &str = "- `components/Image.tsx` shows the images of known size, by `next/image`; it says how to have Next.js scale them.\n";

fn readme(plan: &Plan, snapshot: &Snapshot, old_doctypes: bool, images: &Shown) -> String {
    let host = snapshot.home.host_str().unwrap_or("site");
    let shared = match plan.shared.as_slice() {
        [] => String::new(),
        parts => {
            let names: Vec<String> = parts.iter().take(5).map(|part| format!("`{}`", part.name)).collect();
            format!(
                " The site's own shared parts are {}{}.",
                names.join(", "),
                if parts.len() > 5 { " and others" } else { "" }
            )
        }
    };
    let files = plan.assets.iter().filter(|asset| asset.file.starts_with("public/")).count();
    format!(
        "# {host}\n\nThe site at <{home}> as a Next.js project: {pages} pages, {files} files, at the addresses that they had.\n\n\
         ## Start\n\nWith Node.js 20.9 or newer:\n\n```sh\nnpm ci\nnpm run dev     # http://localhost:3000, changes show at once\n\
         npm run build   # what is deployed\nnpm start       # serves what was built\nnpm run lint    # ESLint with Next.js's rules; `npm run format` is Prettier\n```\n\n\
         ## Where things are\n\n\
         - `app/` has a folder for each address; a page's words are in its `page.tsx`. `layout.tsx` is the document around pages.\n\
         - `components/` has what pages share.{shared}\n\
         - `public/` has the site's files under their own names. Its style sheets are served as they were, never bundled: edit\n\
         \x20 them there.\n\
         - `components/Legacy*`, where there are any, run the site's own scripts, in their order, once React has taken over.\n\
         {images}{doctypes}\
         - Links between pages of one layout load no new document (`Link`); `prefetch={{false}}` stands where Next.js would load a\n\
         \x20 long page, or many images, before anybody asks for them.\n\
         - `{configuration}`, and `{proxy}` if there is one, lead old addresses to where they belong.\n\n\
         ## A new page\n\nMake a folder in `app/` (in the layout's group, if there are several) and a `page.tsx` in it that exports a component.\n\n\
         `MIGRATION.md` says what was done, and what is left for you.\n",
        home = snapshot.home,
        pages = plan.routes.len(),
        images = if images.by_next > 0 { IMAGES } else { "" },
        doctypes = if old_doctypes { DOCTYPES } else { "" },
        configuration = plan.next.configuration(),
        proxy = plan.next.proxy(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_hold_no_pattern() {
        assert_eq!(literal("/a(1)/:b?c=(d)"), "/a%281%29/%3Ab?c=(d)");
        assert_eq!(literal("http://a.example:81/x*"), "http://a.example:81/x%2A");
    }
}
