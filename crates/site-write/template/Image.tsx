// The site's images of known size, by `next/image`: the files that the site sent, when it sent them, in the box that they had.
// Take out `unoptimized`, and Next.js sends each in the size and format that suits the screen; take out `loading`, and those
// further down wait until they are nearly seen.
import NextImage, { type ImageProps } from "next/image";

type Properties = ImageProps & {
  /** The site left its size to the file, and so are its proportions. */
  natural?: boolean;
};

export function Image({ natural = false, style, ...image }: Properties) {
  // Next.js makes an image's words transparent until it has failed to load; the site's style sheets colour them.
  const look = { color: "revert-layer", aspectRatio: natural ? "auto" : undefined, ...style };
  return <NextImage decoding="auto" loading="eager" unoptimized {...image} style={look} />;
}
