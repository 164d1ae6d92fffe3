/* @builder-island */
"use client";

// Stands first in a page whose own scripts change it. They know nothing of React, and nothing tells them that their page is
// gone: so it is left, whatever led away from it, by loading the next one as a new document. React takes the page away
// before that; for its sake everything is put back where it was.
import { useLayoutEffect, useRef } from "react";

export function LegacyPage() {
  const shown = useRef(false);
  useLayoutEffect(() => {
    shown.current = true;
    const putBack = rememberPlaces();
    return () => {
      shown.current = false;
      putBack();
      // In development, React takes every page away once and brings it back at once.
      queueMicrotask(() => {
        if (!shown.current) startAnew();
      });
    };
  }, []);
  return null;
}

/** Loads the document that the address now names. Should the browser bring this one back, it is still one that was left. */
function startAnew() {
  window.addEventListener("pageshow", () => window.location.reload());
  window.location.reload();
}

/** Remembers which nodes are where; what it gives back puts them there again, and all others away. */
function rememberPlaces(): () => void {
  const places = new Map<Node, ChildNode[]>();
  const remember = (parent: Node) => {
    const children = [...parent.childNodes];
    places.set(parent, children);
    children.forEach(remember);
  };
  remember(document.body);
  return () => {
    for (const [parent, children] of places) {
      const same =
        children.length === parent.childNodes.length && children.every((child, at) => child === parent.childNodes[at]);
      if (!same) (parent as Element).replaceChildren(...children);
    }
  };
}
