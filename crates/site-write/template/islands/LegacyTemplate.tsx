/* @builder-island */
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
