// Puts the compiled scripts where the gateway embeds them, or with `--check` says whether they are there already: who
// builds Resettle needs no Node.js for its pages.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [from, to] = [join(here, "dist/src"), join(here, "../../crates/api-gateway/assets/js")];
const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};
const scripts = (folder) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js")).sort();

mkdirSync(join(to, "pages"), { recursive: true });
const [made, kept] = [scripts(from), scripts(to)];
const changed = [...new Set([...made, ...kept])].filter((name) => read(join(from, name)) !== read(join(to, name)));
if (process.argv.includes("--check")) {
  if (changed.length > 0) {
    console.error(`not what src/ compiles to: ${changed.join(", ")}. Run \`npm run embed\` in clients/typescript.`);
    process.exit(1);
  }
} else {
  for (const name of made) writeFileSync(join(to, name), read(join(from, name)));
}
