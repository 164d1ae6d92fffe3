/* @builder-island */
"use client";

// Gives elements the attributes that React does not render (`onclick` and the like, addresses that are code), just as the
// site's HTML had them.
import { useEffect } from "react";
import { takeAnyState } from "./LegacyHistory";

/** The browser's own: some libraries put something else in their place. */
const { Event, HTMLImageElement } = globalThis;

export function LegacyHandlers() {
  useEffect(() => {
    // Next.js begins to listen in the same turn.
    queueMicrotask(takeAnyState);
    for (const element of document.querySelectorAll("[data-legacy-on]")) restore(element);
  }, []);
  return null;
}

function restore(element: Element) {
  const attributes = JSON.parse(element.getAttribute("data-legacy-on") ?? "{}") as Record<string, string>;
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("xlink:")) element.setAttributeNS("http://www.w3.org/1999/xlink", name, value);
    else element.setAttribute(name, value);
  }
  // An image may have come, or failed, before anybody could listen.
  if (element instanceof HTMLImageElement && element.complete) {
    const happened = element.naturalWidth > 0 ? "load" : "error";
    if (`on${happened}` in attributes) element.dispatchEvent(new Event(happened));
  }
}
