// What a move's page shows, made from its history line by line: the same lines give the same page, whether they come
// live, after a sleep or all at once after a reload. Knows nothing of connections.

import type { MigrationEvent } from "../index.js";

export type Words = Readonly<Record<string, string>>;

/** The element of that id: the page is made with it. */
export function part(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** The page's sentences, as the server wrote them into it. */
export function wordsOf(page: HTMLElement): Words {
  return JSON.parse(page.dataset.words ?? "{}") as Words;
}

/** What happens to a plan that its owner wants to see first. */
const ASKING = ["questionnaire", "plan_edited", "processing"];

export class View {
  /** The number of the last line that is shown. */
  seen = 0;
  /** Did the last line end the run? */
  over = false;
  #run = 0;
  #phase = "";
  #why = "";
  #reason = "";
  /** The run that the page was made in: of its cancel the server knew best. */
  readonly #made: number;
  /** Lines written at once are put into the page at once. */
  #lines = document.createDocumentFragment();
  readonly #log = part("log");
  readonly #clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });

  constructor(
    readonly page: HTMLElement,
    readonly words: Words,
    /** What the owner is asked may be another now. */
    readonly asked: () => void,
  ) {
    this.#made = Number(page.dataset.run);
  }

  /** Shows the next lines. They have to follow those before. */
  show(events: readonly MigrationEvent[]): void {
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    for (const event of events) this.#take(event);
    if (events.some((event) => ASKING.includes(text(event, "status")))) this.asked();
    this.#log.append(this.#lines);
    this.#log.dataset.seen = String(this.seen);
    // Whoever reads further up is left there.
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #take(event: MigrationEvent): void {
    if (event.run !== this.#run) this.#begin(event.run);
    this.seen = event.seq;
    this.over = event.type === "done";
    (part("bar") as HTMLProgressElement).value = event.progress;
    part("percent").textContent = `${event.progress} %`;
    const told = text(event, event.type === "error" ? "message" : "notes");
    if (event.type === "error") [this.#why, this.#reason] = [told, text(event, "reason")];
    if (event.phase !== null) this.#steps(event.phase, text(event, "status") === "completed");
    if (told !== "") this.#line(event, told);
    if (told !== "" && event.type === "phase_update") part("now").textContent = told;
    if (event.type === "done") this.#end(event);
  }

  /** A new run begins at its first step; the lines of the earlier ones stay. */
  #begin(run: number): void {
    this.#run = run;
    this.#phase = "";
    this.#why = "";
    this.#reason = "";
    for (const step of steps()) this.#step(step, "waiting");
    for (const end of ["completed", "failed", "cancelled"]) part(end).hidden = true;
    if (run <= this.#made) return;
    this.#cancellable(true);
    part("asked").hidden = true;
  }

  #steps(phase: string, completed: boolean): void {
    this.#phase = phase;
    let before = true;
    for (const step of steps()) {
      const here = step.dataset.phase === phase;
      if (here) before = false;
      this.#step(step, before || (here && completed) ? "done" : here ? "now" : "waiting");
    }
  }

  #step(step: HTMLElement, how: "waiting" | "now" | "done" | "stopped"): void {
    if (step.dataset.step === how) return;
    step.dataset.step = how;
    if (how === "now") step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
    const told = step.querySelector(".how");
    if (told !== null) told.textContent = this.words[`step_${how}`] ?? "";
  }

  #line(event: MigrationEvent, told: string): void {
    const line = document.createElement("li");
    line.dataset.seq = String(event.seq);
    line.dataset.type = event.type;
    const time = document.createElement("time");
    time.dateTime = new Date(event.ts).toISOString();
    time.textContent = this.#clock.format(event.ts);
    const what = document.createElement("span");
    what.dir = "auto";
    what.textContent = told;
    line.append(time, what);
    this.#lines.append(line);
    if (event.type === "log" && text(event, "status") !== "started") this.#warn(told);
  }

  #warn(told: string): void {
    const warnings = part("warnings");
    const line = document.createElement("li");
    line.dir = "auto";
    line.textContent = told;
    warnings.querySelector("ul")?.append(line);
    warnings.hidden = false;
  }

  #end(event: MigrationEvent): void {
    const success = event.detail.success === true;
    const how = success ? "completed" : event.detail.cancelled === true ? "cancelled" : "failed";
    for (const step of steps()) {
      if (success) this.#step(step, "done");
      else if (step.dataset.phase === this.#phase) this.#step(step, "stopped");
    }
    if (this.#why !== "") part("why").textContent = this.#why;
    if (how === "failed") this.#advise();
    this.page.dataset.state = how;
    part(how).hidden = false;
    part("now").textContent = part(how).querySelector("h2")?.textContent ?? "";
    if (event.run < this.#made) return;
    this.#cancellable(false);
    part("asked").hidden = true;
  }

  /** What to do, and the likely reason for another run. */
  #advise(): void {
    part("todo").textContent = this.words[`todo_${this.#reason}`] ?? this.words.todo_internal ?? "";
    const why = part("failed").querySelector<HTMLSelectElement>("select[name=reason]");
    if (why !== null && this.#reason !== "") why.value = this.#reason;
  }

  #cancellable(may: boolean): void {
    part("cancel").hidden = !may;
    part("cancel-asked").hidden = true;
  }
}

function steps(): NodeListOf<HTMLElement> {
  return part("steps").querySelectorAll<HTMLElement>("[data-phase]");
}

function text(event: MigrationEvent, name: string): string {
  const value = event.detail[name];
  return typeof value === "string" ? value : "";
}
