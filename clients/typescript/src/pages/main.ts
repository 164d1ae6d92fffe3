// Begins what the page that is open needs.

import { start } from "./look.js";
import { progress } from "./progress.js";

const page = document.querySelector<HTMLElement>("[data-page]");
if (page?.dataset.page === "start") start(page);
if (page?.dataset.page === "progress") progress(page);
