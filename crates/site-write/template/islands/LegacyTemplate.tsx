/* @builder-island */
"use client";

// A template. Its content is no part of the document: React puts it where scripts look for it, once it has taken over.
import { type ComponentProps, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

export function LegacyTemplate({ children, ...attributes }: ComponentProps<"template">) {
  const template = useRef<HTMLTemplateElement>(null);
  const [content, setContent] = useState<DocumentFragment | null>(null);
  useLayoutEffect(() => setContent(template.current?.content ?? null), []);
  useLayoutEffect(() => (content ? alive(content) : undefined), [content]);
  return (
    <>
      <template ref={template} {...attributes} />
      {content && createPortal(children, content)}
    </>
  );
}

/** Browsers run no copy of a script that React made: puts others in their place, until React wants its own back. */
function alive(content: DocumentFragment): () => void {
  const pairs = Array.from(content.querySelectorAll("script"), (made) => {
    const script = document.createElement("script");
    for (const { name, value } of made.attributes) script.setAttribute(name, value);
    script.textContent = made.textContent;
    made.replaceWith(script);
    return { made, script };
  });
  return () => pairs.forEach(({ made, script }) => script.replaceWith(made));
}
