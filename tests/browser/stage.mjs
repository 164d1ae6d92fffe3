// What every scenario stands on: a headless Chromium, a page that must not complain, pictures, axe, and the page's log
// held against the table of the server.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

export const { BASE, KEY, SITE, SHOTS, CHROMIUM, DATA } = process.env;
/** A whole move, on a machine that other tests keep busy. */
const MOVED_MS = 8 * 60_000;
const PATIENCE_MS = 60_000;

export async function withBrowser(play) {
  mkdirSync(SHOTS, { recursive: true });
  const browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    headless: true,
    protocolTimeout: MOVED_MS,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
  });
  try {
    await play(browser);
  } finally {
    await browser.close();
  }
}

/** A new tab, of a phone unless told otherwise. Whatever it complains of fails the scenario in `Tab.calm`. */
export async function tab(browser, { width = 390, height = 844, dark = false } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.setViewport({ width, height, deviceScaleFactor: 2 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    // A lost network is told by the browser itself, and belongs to some scenarios.
    const network = /Failed to load resource|net::ERR_/.test(message.text());
    if (message.type() === "error" && !network) page.complaints.push(message.text());
  });
  return page;
}

export const go = (page, path) => page.goto(new URL(path, BASE).href, { waitUntil: "load" });

/** Clicks what leads to another page, and waits for that. */
export async function follow(page, selector) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]);
}

/** Presses Tab until the focus is there. */
export async function reach(page, selector) {
  for (let step = 0; step < 80; step += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  const at = await page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);
  assert.fail(`Tab never reaches ${selector}; it is at ${at}`);
}

/** Presses Enter where the focus is, and waits for the page that this leads to. */
export const enter = (page) =>
  Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press("Enter")]);

/** The same as `follow`, with the keyboard alone. */
export async function press(page, selector) {
  await reach(page, selector);
  await enter(page);
}

export async function signIn(page, prefix = "") {
  await go(page, `${prefix}/sign-in`);
  await page.type("#key", KEY);
  await follow(page, "button.main");
}

/** Starts a move of the site, at a path of its own; the address of its page. */
export async function start(page, path) {
  await page.$eval("#url", (field) => (field.value = ""));
  await page.type("#url", new URL(path, SITE).href);
  await follow(page, "form.stack button.main");
  assert.match(page.url(), /\/migrations\/[0-9a-f-]{36}$/);
  return page.url();
}

export const shot = (page, name) => page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });

/** Nothing that keeps people out (https://www.deque.com/axe), and nothing that the browser complains of. */
export async function check(page, name) {
  await shot(page, name);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n  ")}`);
  assert.deepEqual(told, [], `axe on ${name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${name} does not scroll sideways`);
  assert.deepEqual(page.complaints, [], name);
}

/** By a timer: a tab in the background draws nothing. */
const PATIENTLY = { timeout: MOVED_MS, polling: 250 };
/** Waits until the page's move has as many lines. */
export const lines = (page, count) =>
  page.waitForFunction((n) => document.querySelectorAll("#log li").length >= n, PATIENTLY, count);
/** Waits until it is over. */
export const over = (page) =>
  page.waitForFunction(() => document.querySelector(".end:not([hidden])") !== null, PATIENTLY);

/** The lines that are shown are those of the table: each once, in order, none missing. */
export async function wholeLog(page) {
  const [shown, seen, table] = await page.evaluate(async () => {
    const id = document.querySelector("[data-migration]").dataset.migration;
    const table = [];
    for (;;) {
      const answer = await fetch(`/api/migration/${id}/events?limit=1000&since_id=${table.at(-1)?.seq ?? 0}`);
      const { events } = await answer.json();
      if (events.length === 0) break;
      table.push(...events);
    }
    const shown = [...document.querySelectorAll("#log li")].map((line) => Number(line.dataset.seq));
    return [shown, Number(document.querySelector("#log").dataset.seen), table];
  });
  const told = table.filter(({ type, detail }) => (type === "error" ? detail.message : detail.notes));
  assert.deepEqual(shown, told.map(({ seq }) => seq));
  assert.equal(seen, table.at(-1).seq);
  return shown.length;
}

/** Says something to the test that runs this, which waits for it. */
export const say = (text) => console.log(`>> ${text}`);
