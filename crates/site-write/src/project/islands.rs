//! The client components that run what a site's own scripts and handlers did. Only those that a page uses are written.

use super::Project;
use crate::snapshot::Site;

pub(super) fn write(site: &Site, project: &mut Project) {
    if site.pages.values().any(|page| !page.scripts.is_empty()) {
        project.text("components/LegacyScripts.tsx", SCRIPTS);
    }
    if site.pages.values().any(|page| page.handlers) {
        project.text("components/LegacyHandlers.tsx", HANDLERS);
    }
}

const SCRIPTS: &str = r#"/* @builder-island */
"use client";

// Runs the page's own scripts once React has taken over the page: strictly one after the other, once per document. What
// they wait for (DOMContentLoaded, load) has long happened by then, so it is called for them when all are there.
import { useEffect } from "react";

type Script = { src?: string; code?: string; module?: boolean };

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
  const waiting: Waiting[] = [];
  const release = [
    collect(document, ["DOMContentLoaded", "readystatechange"], waiting),
    collect(window, ["DOMContentLoaded", "load", "pageshow"], waiting),
  ];
  const onload = window.onload;
  for (const script of scripts) await run(script);
  release.forEach((undo) => undo());
  for (const { target, event, listener } of waiting) call(target, event, listener);
  if (window.onload && window.onload !== onload) call(window, "load", window.onload as EventListener);
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
        element.addEventListener(
          event,
          (happened) => {
            if (handler.call(element, happened) === false) happened.preventDefault();
          },
          { signal: attached.signal },
        );
      }
    }
    return () => attached.abort();
  }, []);
  return null;
}
"#;
