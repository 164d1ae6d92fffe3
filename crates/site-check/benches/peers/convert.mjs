// Converts every HTML file below a folder to JSX with one npm package, and says how long that took.
//
//   node convert.mjs PACKAGE FOLDER THREADS
//
// The files are in memory and the package is loaded before the clock starts; the threads get equal shares. Prints
// {"pages", "failed", "seconds"} as JSON. Nothing is written: what comes out is only counted.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

const once = (worker) => new Promise((done, fail) => worker.once("message", done).once("error", fail));

async function converter(name) {
  if (name === "html-to-jsx-transform") {
    const { htmlToJsx } = await import(name);
    return htmlToJsx;
  }
  const { default: HtmlToJsx } = await import(name);
  const made = new HtmlToJsx({ createClass: false });
  return (html) => made.convert(html);
}

if (isMainThread) {
  const [name, folder, threads] = process.argv.slice(2);
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".html")).sort();
  const pages = files.map((file) => readFileSync(join(folder, file), "utf8"));
  const shares = Array.from({ length: Number(threads) }, (_, share) => pages.filter((_, at) => at % threads === share));
  const workers = shares.map((share) => new Worker(new URL(import.meta.url), { workerData: { name, pages: share } }));
  await Promise.all(workers.map(once));
  const began = process.hrtime.bigint();
  const answers = workers.map(once);
  for (const worker of workers) worker.postMessage("go");
  const failed = (await Promise.all(answers)).reduce((sum, count) => sum + count, 0);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({ pages: pages.length, failed, seconds }));
} else {
  const convert = await converter(workerData.name);
  parentPort.once("message", () => {
    let failed = 0;
    for (const page of workerData.pages) {
      try {
        if (convert(page).length === 0) failed += 1;
      } catch {
        failed += 1;
      }
    }
    parentPort.postMessage(failed);
  });
  parentPort.postMessage("ready");
}
