// Begins what the page that is open needs.
import { start } from "./look.js";
import { operations } from "./operations.js";
import { progress } from "./progress.js";
import { result } from "./result.js";
const page = document.querySelector("[data-page]");
if (page?.dataset.page === "start")
    start(page);
if (page?.dataset.page === "progress")
    progress(page);
if (page?.dataset.page === "operations")
    operations();
if (page?.dataset.page === "result")
    result(page);
