// How this project's code is looked through: by Next.js's own rules for web vitals and TypeScript.
import { defineConfig, globalIgnores } from "eslint/config";
import nextVitals from "eslint-config-next/core-web-vitals";
import nextTypeScript from "eslint-config-next/typescript";

export default defineConfig([
  ...nextVitals,
  ...nextTypeScript,
  {
    rules: {
      // Links between pages of different root layouts load a new document, so that no page keeps another's styles.
      "@next/next/no-html-link-for-pages": "off",
      // Images stay <img> where their size is unknown, or where a browser chooses among files: next/image asks for one file and its size.
      "@next/next/no-img-element": "off",
      // Style sheets are linked as the site linked them: a bundler would change some of them.
      "@next/next/no-css-tags": "off",
      // Fonts come from where the site has them from, in the way that it has them.
      "@next/next/google-font-display": "off",
      "@next/next/no-page-custom-font": "off",
      // Quotes in running text are meant as they stand.
      "react/no-unescaped-entities": "off",
    },
  },
  globalIgnores([".next/**", "out/**", "public/**", "next-env.d.ts"]),
]);
