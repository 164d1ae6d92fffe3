// Keeps the doctypes of pages that were written for an older one, or for none. React begins every page with the doctype of
// today, and browsers lay a page out by its doctype: other heights of lines, other margins. The layouts of such pages say with
// `data-doctype` what they had; this puts it into the files that `next build` wrote.
//
// Runs at the end of `npm run build`, and again before `next start` (see Next's configuration) for who builds without npm. A
// file that is right already stays as it is. `next dev` shows such pages by the rules of today.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TODAY = "<!DOCTYPE html>";

const OLD = {
  none: "",
  transitional:
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">',
};

function keep(file) {
  const page = readFileSync(file, "utf8");
  const had = page.startsWith(TODAY) && page.match(/<html\b[^>]* data-doctype="(\w+)"/)?.[1];
  if (!Object.hasOwn(OLD, had)) return;
  // Whoever reads the file meanwhile has all of it.
  const written = `${file}.${randomUUID()}`;
  writeFileSync(written, OLD[had] + page.slice(TODAY.length));
  renameSync(written, file);
}

const project = fileURLToPath(new URL("..", import.meta.url));
const folders = [".next/server", ".next/standalone", "out"].map((name) => join(project, name));
for (const folder of folders.filter((folder) => existsSync(folder))) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".html"));
  const files = names.map((name) => join(folder, name)).filter((file) => statSync(file).isFile());
  files.forEach(keep);
}
