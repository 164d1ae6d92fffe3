//! The client components that run what a site's own scripts and handlers did. Only those that a page uses are written.

use super::Project;
use crate::{jsx::Needs, snapshot::Site};

pub(super) fn write(site: &Site, needs: &Needs, project: &mut Project) {
    if site.every_page().any(|page| page.scripts.iter().any(|script| !script.independent)) {
        project.text("components/LegacyScripts.tsx", SCRIPTS);
    }
    if site.every_page().any(|page| page.handlers) {
        project.text("components/LegacyHandlers.tsx", HANDLERS);
    }
    if needs.template {
        project.text("components/LegacyTemplate.tsx", TEMPLATE);
    }
}

const SCRIPTS: &str = r#"/* @builder-island */
"use client";

// Runs the page's own scripts once React has taken over the page: strictly one after the other, once per document. To them
// the document is still loading; what they wait for (DOMContentLoaded, load) is called when all of them have run.
import { useEffect } from "react";

type Script = { src?: string; code?: string; module?: boolean; attributes?: Record<string, string> };

type Waiting = { target: EventTarget; event: string; listener: EventListenerOrEventListenerObject };

let started = false;

export function LegacyScripts({ scripts }: { scripts: Script[] }) {
  useEffect(() => {
    if (started) return;
    started = true;
    void runAll(scripts);
  }, [scripts]);
  return null;
}

async function runAll(scripts: Script[]) {
  // Meanwhile, templates are filled, too.
  await styled();
  const waiting: Waiting[] = [];
  const release = [
    collect(document, ["DOMContentLoaded", "readystatechange"], waiting),
    collect(window, ["DOMContentLoaded", "load", "pageshow"], waiting),
  ];
  const onload = window.onload;
  let state: DocumentReadyState = "loading";
  Object.defineProperty(document, "readyState", { configurable: true, get: () => state });
  // Into a document that is complete, a write would replace all of it.
  document.write = document.writeln = (...text: string[]) => console.warn("document.write is left out:", ...text);
  for (const script of scripts) await run(script);
  release.forEach((undo) => undo());
  state = "interactive";
  for (const { target, event, listener } of waiting) {
    if (event !== "load" && event !== "pageshow") call(target, event, listener);
  }
  Reflect.deleteProperty(document, "readyState");
  for (const { target, event, listener } of waiting) {
    if (event === "load" || event === "pageshow") call(target, event, listener);
  }
  if (window.onload && window.onload !== onload) {
    const handler = window.onload as EventListener;
    window.onload = onload;
    call(window, "load", handler);
  }
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

/** Keeps listeners for what has happened already, instead of registering them in vain. */
function collect(target: EventTarget, events: string[], waiting: Waiting[]) {
  const original = target.addEventListener;
  target.addEventListener = function (
    this: EventTarget,
    event: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ) {
    if (listener && events.includes(event)) waiting.push({ target, event, listener });
    else original.call(this ?? target, event, listener, options);
  };
  return () => {
    target.addEventListener = original;
  };
}

function call(target: EventTarget, event: string, listener: EventListenerOrEventListenerObject) {
  try {
    if (typeof listener === "function") listener.call(target, new Event(event));
    else listener.handleEvent(new Event(event));
  } catch (error) {
    reportError(error);
  }
}

function run(script: Script): Promise<void> {
  return new Promise((resolve) => {
    const element = document.createElement("script");
    if (script.module) element.type = "module";
    element.async = false;
    for (const [name, value] of Object.entries(script.attributes ?? {})) element.setAttribute(name, value);
    if (script.src) {
      element.src = script.src;
      // A script that is gone must not hold up those behind it; the browser reports it.
      element.onload = element.onerror = () => resolve();
      document.body.append(element);
    } else {
      element.text = script.code ?? "";
      document.body.append(element);
      resolve();
    }
  });
}
"#;

const HANDLERS: &str = r#"/* @builder-island */
"use client";

// Attaches the handlers that the site's HTML had in its own attributes (`onclick` and the like), and takes them off again.
import { useEffect } from "react";

export function LegacyHandlers() {
  useEffect(() => {
    const attached = new AbortController();
    for (const element of document.querySelectorAll<HTMLElement>("[data-legacy-on]")) {
      const handlers = JSON.parse(element.dataset.legacyOn ?? "{}") as Record<string, string>;
      for (const [event, code] of Object.entries(handlers)) {
        const handler = new Function("event", code);
        const listener = (happened: Event) => {
          if (handler.call(element, happened) === false) happened.preventDefault();
        };
        element.addEventListener(event, listener, { signal: attached.signal });
        // An image may have come, or failed, before anybody could listen.
        if (element instanceof HTMLImageElement && element.complete) {
          if (event === (element.naturalWidth > 0 ? "load" : "error")) listener(new Event(event));
        }
      }
    }
    return () => attached.abort();
  }, []);
  return null;
}
"#;

const TEMPLATE: &str = r#"/* @builder-island */
"use client";

// A template. Its content is no part of the document: React puts it where scripts look for it, once it has taken over.
import { type ComponentProps, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

export function LegacyTemplate({ children, ...attributes }: ComponentProps<"template">) {
  const template = useRef<HTMLTemplateElement>(null);
  const [content, setContent] = useState<DocumentFragment | null>(null);
  useLayoutEffect(() => setContent(template.current?.content ?? null), []);
  return (
    <>
      <template ref={template} {...attributes} />
      {content && createPortal(children, content)}
    </>
  );
}
"#;
