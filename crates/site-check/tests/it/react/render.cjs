// Renders the pages of written projects with the React that they are written for, for as long as somebody asks.
//
// Started with the folder of the packages. Each line on standard input is a project as JSON, path to text; each line on
// standard output its pages: what React renders for them, and what it complained about meanwhile. Nothing is bundled and
// nothing is served: TypeScript takes the types off, `require` finds the project's own files in memory.
"use strict";

const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");
const path = require("node:path");

const packages = createRequire(path.join(process.argv.at(-1), "package.json"));
const ts = packages("typescript");
const React = packages("react");
const { renderToStaticMarkup, renderToString } = packages("react-dom/server");

const COMPILER = {
  jsx: ts.JsxEmit.ReactJSX,
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  esModuleInterop: true,
};

/** The same file is the same program: islands and their like are in every project. */
const compiled = new Map();

function compile(text) {
  if (compiled.size > 5000) compiled.clear();
  if (!compiled.has(text)) compiled.set(text, ts.transpileModule(text, { compilerOptions: COMPILER }).outputText);
  return compiled.get(text);
}

/** The modules of one project, each evaluated once. */
function modules(files) {
  const loaded = new Map();
  const load = (name) => {
    const file = [`${name}.tsx`, `${name}.ts`, name].find((candidate) => candidate in files);
    if (file === undefined) throw new Error(`the project has no ${name}`);
    if (!loaded.has(file)) {
      const module = { exports: {} };
      loaded.set(file, module);
      const find = (wanted) => resolve(wanted, file, load);
      new Function("require", "module", "exports", compile(files[file]))(find, module, module.exports);
    }
    return loaded.get(file).exports;
  };
  return load;
}

function resolve(wanted, from, load) {
  if (wanted.startsWith("@/")) return load(wanted.slice(2));
  if (wanted.startsWith(".")) return load(path.posix.join(path.posix.dirname(from), wanted));
  return packages(wanted);
}

/** The layout that is nearest to a page. */
function layoutOf(page, files) {
  for (let folder = path.posix.dirname(page); folder !== "."; folder = path.posix.dirname(folder)) {
    if (`${folder}/layout.tsx` in files) return `${folder}/layout.tsx`;
  }
  throw new Error(`${page} has no layout`);
}

function render(page, files, load) {
  const complaints = [];
  console.error = (format, ...more) => {
    let at = 0;
    complaints.push(String(format).replace(/%[sdo]/g, () => String(more[at++])));
  };
  try {
    const [Layout, Page] = [load(layoutOf(page, files)).default, load(page).default];
    const tree = React.createElement(Layout, null, React.createElement(Page));
    return { html: renderToStaticMarkup(tree), marked: renderToString(tree), complaints };
  } catch (error) {
    return { html: "", marked: "", complaints: [...complaints, String(error.stack)] };
  }
}

createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  const files = JSON.parse(line);
  const load = modules(files);
  const pages = Object.keys(files).filter((file) => /^app\/(.*\/)?page\.tsx$/.test(file));
  const rendered = Object.fromEntries(pages.map((page) => [page, render(page, files, load)]));
  process.stdout.write(`${JSON.stringify(rendered)}\n`);
});
