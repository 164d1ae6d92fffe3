// Types an inline style that was taken over as it stood: values are the site's own.
import type { CSSProperties } from "react";

export function css(style: Record<string, string>): CSSProperties {
  return style as CSSProperties;
}
