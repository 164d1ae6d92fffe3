/* @builder-island */
"use client";

// Gives elements the attributes that React does not render (`onclick` and the like, addresses that are code, names such as
// `@click`), just as the site's HTML had them.
import { useEffect } from "react";
import { takeAnyState } from "./LegacyHistory";

/** The browser's own: some libraries put something else in their place. */
const { Event, HTMLImageElement, HTMLTemplateElement } = globalThis;

export function LegacyHandlers() {
  useEffect(() => {
    // Next.js begins to listen in the same turn, and templates are filled.
    queueMicrotask(() => {
      takeAnyState();
      for (const { content } of document.querySelectorAll("template")) restoreIn(content);
    });
    restoreIn(document);
  }, []);
  return null;
}

/** In templates in templates and in open shadow trees, too. */
function restoreIn(parent: ParentNode) {
  for (const element of parent.querySelectorAll("*")) {
    if (element.hasAttribute("data-legacy-on")) restore(element);
    if (element.shadowRoot) restoreIn(element.shadowRoot);
    if (element instanceof HTMLTemplateElement) restoreIn(element.content);
  }
}

function restore(element: Element) {
  const attributes = JSON.parse(element.getAttribute("data-legacy-on") ?? "{}") as Record<string, string>;
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("xlink:")) element.setAttributeNS("http://www.w3.org/1999/xlink", name, value);
    else if (/^[a-z_:][\w:.-]*$/i.test(name)) element.setAttribute(name, value);
    else element.setAttributeNode(parsed(name, value));
  }
  // An image may have come, or failed, before anybody could listen. One without an address does not fail.
  if (element instanceof HTMLImageElement && element.complete) {
    const happened = element.naturalWidth > 0 ? "load" : element.currentSrc && "error";
    if (happened && `on${happened}` in attributes) element.dispatchEvent(new Event(happened));
  }
}

/** An attribute with a name that only the parser takes. */
function parsed(name: string, value: string): Attr {
  const { content } = Object.assign(document.createElement("template"), { innerHTML: `<i ${name}></i>` });
  const attribute = content.firstElementChild?.attributes[0];
  if (!attribute) throw new Error(`${name} is no attribute's name`);
  attribute.ownerElement?.removeAttributeNode(attribute);
  attribute.value = value;
  return attribute;
}
