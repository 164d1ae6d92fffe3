/* @builder-island */
"use client";

// The shadow tree of the element that it stands in. In the site's HTML the parser makes it of a template, which is gone when
// React takes over. Where no parser comes by, when a link leads here without a new document, it is made by hand.
import { type ComponentProps, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";

type Mode = {
  shadowrootmode: "open" | "closed";
  shadowrootdelegatesfocus?: string;
  shadowrootclonable?: string;
  shadowrootserializable?: string;
};

export function LegacyShadow({ children, ...attributes }: ComponentProps<"template"> & Mode) {
  const isParsed = useSyncExternalStore(never, no, yes);
  const [wasParsed] = useState(isParsed);
  const template = useRef<HTMLTemplateElement>(null);
  const [shadow, setShadow] = useState<ShadowRoot | null>(null);
  const made = useRef<ShadowRoot | null>(null);
  const mode = attributes.shadowrootmode;
  const delegatesFocus = attributes.shadowrootdelegatesfocus !== undefined;
  const clonable = attributes.shadowrootclonable !== undefined;
  const serializable = attributes.shadowrootserializable !== undefined;
  useLayoutEffect(() => {
    const host = template.current?.parentElement;
    if (!host) return;
    try {
      made.current ??= host.shadowRoot ?? host.attachShadow({ mode, delegatesFocus, clonable, serializable });
      setShadow(made.current);
    } catch (error) {
      // An element of the site's own that has made itself a closed one.
      reportError(error);
    }
  }, [mode, delegatesFocus, clonable, serializable]);
  if (wasParsed && typeof window !== "undefined") return null;
  if (wasParsed) return <template {...attributes}>{children}</template>;
  return shadow ? createPortal(children, shadow) : <template ref={template} />;
}

const never = () => () => undefined;
const no = () => false;
const yes = () => true;
