// Plays the same clicks on a site and on the project that was made of it, and holds the two documents against each other
// after each of them. The site is served from what standard input holds, the project by whoever started this.
//
// Input: { files: { path: { type, body (base64) } }, copy: address of the project }. Output: a line for each play, and
// ">> played N" at the end; what differs ends the program with an error.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { nesting } from "./nesting.mjs";
import { plays, wild } from "./plays.mjs";
import { outcome, settled } from "./outcome.mjs";
import { tab, withBrowser } from "./stage.mjs";

const { files, copy, cases } = JSON.parse(await text(process.stdin));

const server = createServer((request, response) => {
  const file = files[new URL(request.url, "http://x").pathname];
  response.writeHead(file ? 200 : 404, { "content-type": file?.type ?? "text/plain" });
  response.end(file ? Buffer.from(file.body, "base64") : "nothing");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const original = `http://127.0.0.1:${server.address().port}`;

/** One side of a play: what there was to see after each step. */
async function side(browser, base, { name, start, ready, steps }) {
  const page = await tab(browser, { width: 700, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await page.goto(base + start, { waitUntil: "load" });
  const seen = [];
  for (const [number, { doing, until }] of [{ doing: async () => {}, until: ready }, ...steps].entries()) {
    await doing(page);
    const state = await settled(page, until).catch((error) => {
      throw new Error(`${name} at ${base}, step ${number}: ${until} never came: ${error.message}`);
    });
    seen.push({ path: new URL(page.url()).pathname, state });
  }
  assert.deepEqual(page.complaints, [], `${name} at ${base}: the console`);
  await page.close();
  return seen;
}

await withBrowser(async (browser) => {
  for (const play of plays) {
    // Side by side they would take each other's focus.
    const wanted = await side(browser, original, play);
    const found = await side(browser, copy, play);
    wanted.forEach((step, number) => assert.deepEqual(found[number], step, `${play.name}, step ${number}`));
    console.log(`${play.name}: ${play.steps.length} steps`);
  }
  await wild(browser, copy);
  await nesting(browser, { original, copy, cases, outcome });
});
server.close();
console.log(`>> played ${plays.length}`);
