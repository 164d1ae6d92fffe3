/* @builder-island */
"use client";

// Runs the page's own scripts once React has taken over the page: strictly one after the other, once per document. To them
// the document is still loading; what they wait for (DOMContentLoaded, load) is called when all of them have run.
import { useEffect } from "react";
import { takeAnyState } from "./LegacyHistory";
import { beginParsing, enter, leave, takeAwayBehind } from "./LegacyParser";

type Script = {
  src?: string;
  code?: string;
  module?: boolean;
  // It waits for the whole document, and can no longer write into it.
  deferred?: boolean;
  // Where it stood: the name of a mark in the page. At the end, if there is none.
  place?: string;
  attributes?: Record<string, string>;
};

type Listener = EventListenerOrEventListenerObject;

/** A browser takes anything for options. */
type Options = boolean | AddEventListenerOptions | null;

type Waiting = { target: EventTarget; event: string; listener: Listener; options?: Options };

/** The browser's own: some libraries put something else in their place. */
const { CSSImportRule, Document, Event, EventTarget, PageTransitionEvent } = globalThis;
const { addEventListener: listen } = EventTarget.prototype;

let started = false;

export function LegacyScripts({ scripts }: { scripts: Script[] }) {
  useEffect(() => {
    if (started) return;
    started = true;
    void runAll(scripts);
  }, [scripts]);
  return ahead(scripts).map((src) => <link key={src} rel="preload" as="script" href={src} />);
}

/** What a browser's parser would fetch before its turn comes: the site's own files, as a plain script is fetched. */
function ahead(scripts: Script[]): string[] {
  const plain = scripts.filter(({ module, attributes = {} }) => !module && !Object.keys(attributes).some(isAnother));
  const own = plain.flatMap(({ src }) => (src && /^\/(?!\/)/.test(src) ? [src] : []));
  return [...new Set(own)];
}

/** Does a script with this attribute come by a request of another kind, or not at all? */
function isAnother(attribute: string): boolean {
  return ["crossorigin", "integrity", "nomodule", "referrerpolicy"].includes(attribute.toLowerCase());
}

async function runAll(scripts: Script[]) {
  // Meanwhile, templates are filled, too.
  await styled();
  putComments(document);
  takeAnyState();
  const waiting: Waiting[] = [];
  const release = [
    collect(waiting),
    collectHandler(document, "readystatechange", waiting),
    collectHandler(window, "load", waiting),
  ];
  let state: DocumentReadyState = "loading";
  Object.defineProperty(document, "readyState", { configurable: true, get: () => state });
  const endParsing = beginParsing();
  for (const script of scripts.filter((script) => !script.deferred)) await run(made(script), placeOf(script));
  endParsing();
  for (const script of scripts.filter((script) => script.deferred)) await run(made(script), null);
  state = "interactive";
  announce(["readystatechange", "DOMContentLoaded"], waiting);
  await complete();
  state = "complete";
  announce(["readystatechange", "load", "pageshow"], waiting);
  Reflect.deleteProperty(document, "readyState");
  release.forEach((undo) => undo());
}

/** Some scripts read comments, which React does not write: each stands where an element kept its place. */
function putComments(parent: ParentNode) {
  for (const element of parent.querySelectorAll("*")) {
    const comment = element.getAttribute("data-legacy-comment");
    if (comment !== null) element.parentNode?.replaceChild(document.createComment(comment), element);
    else if (element instanceof HTMLTemplateElement) putComments(element.content);
    if (element.shadowRoot) putComments(element.shadowRoot);
  }
}

/** Ends when the browser has all that the page showed when it came, images too. */
function complete(): Promise<unknown> {
  const state = Object.getOwnPropertyDescriptor(Document.prototype, "readyState")?.get?.call(document) as string;
  if (state === "complete") return Promise.resolve();
  return new Promise((resolve) => listen.call(window, "load", resolve, { once: true }));
}

/** Ends when the style sheets are there: a script of the page could always measure what they do. */
async function styled() {
  if (document.readyState === "complete") return;
  const complete = new Promise((resolve) => window.addEventListener("load", resolve, { once: true }));
  const links = [...document.querySelectorAll<HTMLLinkElement>("link[rel~='stylesheet']")];
  const pending = links.filter((link) => window.matchMedia(link.media).matches && !isLoaded(link.sheet));
  const loaded = pending.map(
    (link) =>
      new Promise((resolve) => {
        link.addEventListener("load", resolve, { once: true });
        link.addEventListener("error", resolve, { once: true });
      }),
  );
  await Promise.race([Promise.all(loaded), complete]);
}

function isLoaded(sheet: CSSStyleSheet | null): boolean {
  if (!sheet) return false;
  try {
    return [...sheet.cssRules].every((rule) => !(rule instanceof CSSImportRule) || isLoaded(rule.styleSheet));
  } catch {
    return true; // another site's: nobody may look into it
  }
}

/** Keeps listeners for what has happened already, instead of registering them in vain; those of libraries that wrap elements, too. */
function collect(waiting: Waiting[]): () => void {
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  let over = false;
  const isAwaited = (target: EventTarget, event: string) =>
    !over &&
    ((target === document && ["DOMContentLoaded", "readystatechange"].includes(event)) ||
      (target === window && ["DOMContentLoaded", "load", "pageshow"].includes(event)));
  const find = (one: Waiting) => waiting.findIndex((other) => isSame(one, other));
  function add(this: EventTarget | undefined, event: string, listener: Listener | null, options?: Options) {
    const target = this ?? window;
    if (!listener || !isAwaited(target, event)) addEventListener.call(target, event, listener, options ?? undefined);
    else if (find({ target, event, listener, options }) < 0) waiting.push({ target, event, listener, options });
  }
  function remove(this: EventTarget | undefined, event: string, listener: Listener | null, options?: Options) {
    const target = this ?? window;
    const at = listener ? find({ target, event, listener, options }) : -1;
    if (at >= 0) waiting.splice(at, 1);
    else removeEventListener.call(target, event, listener, options ?? undefined);
  }
  Object.assign(EventTarget.prototype, { addEventListener: add, removeEventListener: remove });
  return () => {
    over = true;
    // Who has put another one before these still calls them.
    if (EventTarget.prototype.addEventListener === add) EventTarget.prototype.addEventListener = addEventListener;
    if (EventTarget.prototype.removeEventListener === remove)
      EventTarget.prototype.removeEventListener = removeEventListener;
    // A document that was left may be shown again. That it was shown first is told already, though not by the browser yet.
    const again = waiting.filter(({ event }) => event === "pageshow");
    waiting.length = 0;
    setTimeout(() =>
      again.forEach((one) => listen.call(one.target, one.event, one.listener, one.options ?? undefined)),
    );
  };
}

/** Are they one listener to the browser? */
function isSame(one: Waiting, other: Waiting): boolean {
  const captures = ({ options }: Waiting) => Boolean(typeof options === "object" ? options?.capture : options);
  const { target, event, listener } = other;
  return one.target === target && one.event === event && one.listener === listener && captures(one) === captures(other);
}

/** The same for a handler (`window.onload = …`): the last one counts, at the place of the first. */
function collectHandler(target: EventTarget, event: string, waiting: Waiting[]) {
  const name = `on${event}`;
  const own = Object.getOwnPropertyDescriptor(target, name);
  let handler: EventListener | null = null;
  const listener = (happened: Event) => handler?.call(target, happened);
  const set = (given: unknown) => {
    handler = typeof given === "function" ? (given as EventListener) : null;
    if (!waiting.some((one) => one.listener === listener)) waiting.push({ target, event, listener });
  };
  Object.defineProperty(target, name, { configurable: true, get: () => handler, set });
  return () => {
    Reflect.deleteProperty(target, name);
    if (own) Object.defineProperty(target, name, own);
  };
}

/** Calls those who wait for these events, one event after the other. */
function announce(events: string[], waiting: Waiting[]) {
  for (const event of events) {
    for (const one of waiting.filter((one) => one.event === event)) {
      const { once, signal } = (typeof one.options === "object" && one.options) || {};
      const at = waiting.indexOf(one);
      // Another one may have called it off.
      if (at < 0 || signal?.aborted) continue;
      if (once) waiting.splice(at, 1);
      call(one);
    }
  }
}

function call({ target, event, listener }: Waiting) {
  try {
    if (typeof listener === "function") listener.call(target, happened(event, target));
    else listener.handleEvent(happened(event, target));
  } catch (error) {
    reportError(error);
  }
}

/** As if the browser had sent it: all of these are of the document. */
function happened(event: string, currentTarget: EventTarget): Event {
  const told = event === "pageshow" ? new PageTransitionEvent(event) : new Event(event);
  for (const [name, value] of Object.entries({ target: document, srcElement: document, currentTarget })) {
    Object.defineProperty(told, name, { configurable: true, writable: true, value });
  }
  return told;
}

function made(script: Script): HTMLScriptElement {
  const element = document.createElement("script");
  if (script.module) element.type = "module";
  element.async = false;
  for (const [name, value] of Object.entries(script.attributes ?? {})) element.setAttribute(name, value);
  if (script.src) element.src = script.src;
  else element.text = script.code ?? "";
  return element;
}

function placeOf({ place }: Script): Element | null {
  return place ? document.querySelector(`script[data-legacy-script="${place}"]`) : null;
}

/** Runs a script, and then those that it wrote. By the oldest means that do it: libraries that wrap elements know those. */
async function run(script: HTMLScriptElement, place: Element | null) {
  const parent = place?.parentNode ?? document.body;
  const next = place?.nextSibling ?? null;
  let last: ChildNode = script;
  enter(script, (content) => {
    const end = content.lastChild;
    if (last.parentNode) last.parentNode.insertBefore(content, last.nextSibling);
    // It took itself away.
    else parent.insertBefore(content, next?.parentNode === parent ? next : null);
    last = end ?? last;
  });
  await new Promise<void>((resolve) => {
    // A script that is gone must not hold up those behind it; the browser reports it.
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => resolve());
    const putBack = place && !script.src ? takeAwayBehind(place) : () => undefined;
    if (place?.parentNode) place.parentNode.replaceChild(script, place);
    else document.body.appendChild(script);
    putBack();
    if (!script.src || script.async || !script.isConnected) resolve();
  });
  for (const written of leave()) await run(copied(written), written);
}

/** A script that was parsed apart from the page runs only as another one. */
function copied(script: HTMLScriptElement): HTMLScriptElement {
  const copy = document.createElement("script");
  copy.async = script.hasAttribute("async");
  for (const { name, value } of script.attributes) copy.setAttribute(name, value);
  copy.text = script.text;
  return copy;
}
