// What comes after a start: failures and other runs, the operations, and the result.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DATA, SITE, check, follow, go, lines, over, press, reach, signIn, start, tab, wholeLog } from "./stage.mjs";

const text = (page, selector) => page.$eval(selector, (found) => found.textContent.trim());

/** Waits until that run is over and the page has all of it. */
const ended = (page, run) =>
  page.waitForFunction(async (run) => {
    const id = document.querySelector("[data-migration]").dataset.migration;
    const record = await (await fetch(`/api/migration/${id}`)).json();
    if (record.run !== run || record.finishedAt === null) return false;
    const { events } = await (await fetch(`/api/migration/${id}/events?limit=1000`)).json();
    return Number(document.querySelector("#log").dataset.seen) === events.at(-1).seq;
  }, { timeout: 60_000, polling: 250 }, run);

/** A site that is not there fails, says what to do, and is run again with a reason, once and not at once again. */
async function failing(page) {
  const address = await start(page, "/closed");
  await over(page);
  assert.equal(await page.$eval("#failed", (card) => card.hidden), false, "it fails");
  assert.match(await text(page, "#todo"), /private window/);
  assert.equal(await page.$eval("#failed select[name=reason]", (why) => why.value), "invalid_input");
  await check(page, "failed");
  await follow(page, "#failed form.again button");
  await ended(page, 2);
  await wholeLog(page);
  assert.equal(page.url(), address);
  await go(page, address);
  await over(page);
  await follow(page, "#failed form.again button");
  assert.match(await text(page, "#failed .wrong"), /Try again in \d+ seconds/);
  await check(page, "failed-too-soon");
}

/**
 * Every page of the operations, while a move runs and after another one has died; fresh without a reload; and with the
 * keyboard alone from the start page to a dead letter that is put back, and to a job.
 */
export async function operations(browser) {
  const page = await tab(browser);
  await signIn(page);
  await failing(page);
  await go(page, "/");
  await start(page, "/operations");
  await lines(page, 3);

  const wide = await tab(browser, { width: 1280, height: 900 });
  await go(wide, "/admin/workers");
  assert.equal(await text(wide, ".instance"), "Browser test");
  await wide.waitForFunction(() => document.querySelectorAll("#live table").length === 2);
  await check(wide, "workers");
  const shown = await wide.$eval("#live", (live) => live.innerHTML);
  await wide.waitForFunction((shown) => document.querySelector("#live").innerHTML !== shown, {}, shown);
  for (const [path, name] of [["/queues", "queues"], ["/jobs", "jobs"], ["/dead-letters", "dead-letters"], ["/poison", "poison"]]) {
    await go(wide, `/admin${path}`);
    await check(wide, name);
  }
  await go(wide, "/");
  await press(wide, "nav a[href='/admin/queues']");
  await press(wide, ".attention a");
  await press(wide, "tbody a.id");
  await check(wide, "dead-letter");
  // The first run's letter was settled by the second run; the newest one is open.
  await press(wide, "form[action$=replay] button");
  assert.equal(await wide.$("form[action$=replay]"), null, "it is settled");
  await check(wide, "dead-letter-replayed");
  await press(wide, ".tabs a[href='/admin/jobs']");
  await reach(wide, "select[name=state]");
  await wide.keyboard.press("ArrowDown");
  await press(wide, "#live form button");
  assert.match(wide.url(), /state=[A-Z]/);
  await press(wide, ".tabs a[href='/admin/jobs']");
  await press(wide, "tbody a.id");
  assert.ok((await wide.$$("#live table tbody tr")).length > 2, "moves and events");
  await check(wide, "job");

  const dark = await tab(browser, { dark: true });
  for (const path of ["/queues", "/workers", "/jobs"]) {
    await go(dark, `/ar/admin${path}`);
    assert.equal(await dark.evaluate(() => document.documentElement.dir), "rtl");
    await check(dark, `${path.slice(1)}-ar-dark`);
  }
}

/**
 * The result of a move that is complete, as VERIFY compared it; then with one more page in its report, that differs. `shown` are
 * the lines of its log: what is below them stands still when all are there.
 */
export async function result(browser, address, shown) {
  const page = await tab(browser, { width: 1280, height: 900 });
  await go(page, address);
  await lines(page, shown);
  await wholeLog(page);
  await follow(page, "#completed a[href$=result]");
  assert.match(await text(page, ".pages"), /1 of 1 pages are as they were/);
  assert.match(await text(page, ".score"), /^100\.0 % · as it was$/);
  differing(new URL(address).pathname.split("/").at(-1));
  await page.reload({ waitUntil: "load" });
  assert.match(await text(page, ".score[data-passed=false]"), /^96\.3 % · differs$/);
  await page.waitForFunction(() => [...document.querySelectorAll(".both img")].every((img) => img.naturalWidth > 0));
  const widths = await page.$$eval(".both img", (all) => all.map((img) => img.naturalWidth));
  assert.deepEqual(widths, [1280, 1280, 390, 390], "both sides, as they were kept");
  await check(page, "result-sides");

  // With the keyboard alone: the view, then the slider.
  await page.focus("#as-sides");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.$eval("#as-slider", (radio) => radio.checked), true);
  await page.focus(".slide input");
  for (let step = 0; step < 20; step += 1) await page.keyboard.press("ArrowRight");
  const cut = () => page.$eval(".both", (both) => both.style.getPropertyValue("--cut"));
  assert.equal(await cut(), "70%");
  await check(page, "result-slider");
  const clip = () => page.$eval(".both figure", (figure) => getComputedStyle(figure).clipPath);
  assert.equal(await clip(), "inset(0px 30% 0px 0px)");
  await go(page, new URL(page.url()).pathname.replace("/migrations", "/ar/migrations"));
  await page.click("#as-slider");
  assert.equal(await clip(), "inset(0px 0px 0px 50%)", "from where lines begin");
  await check(page, "result-slider-ar");
  const phone = await tab(browser, { dark: true });
  await go(phone, new URL(page.url()).pathname.replace("/ar", ""));
  await check(phone, "result-phone-dark");
}

/** Puts a page that differs behind those that VERIFY compared. */
function differing(id) {
  const tenants = join(DATA, "objects/tenants");
  const tenant = readdirSync(tenants).find((one) => readdirSync(join(tenants, one, "migrations")).includes(id));
  const file = join(tenants, tenant, "migrations", id, "run-1/report.json");
  const report = JSON.parse(readFileSync(file, "utf8"));
  const [compared] = report.comparison.pages;
  report.comparison.pages.push({
    ...compared, url: `${SITE}shelf-1`, passed: false, pictures: [],
    reasons: [{ code: "elements", width: 390, note: "96.30 % of its elements look the same" }],
    elements: [{ width: 390, visible: 27, alike: 26, share: 0.963, differing: { color: 1 } }],
  });
  writeFileSync(file, JSON.stringify(report));
}
