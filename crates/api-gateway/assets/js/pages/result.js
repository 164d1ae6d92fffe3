// The result page: both sides can be laid upon each other, and a slider of the browser's own, which every keyboard and
// screen reader knows, says how much of the old page is seen.
export function result(page) {
    const views = document.getElementById("views");
    // Nothing was compared.
    if (views === null)
        return;
    views.hidden = false;
    const slides = page.querySelectorAll(".slide");
    views.addEventListener("change", (event) => {
        const { value } = event.target;
        page.dataset.view = value;
        for (const slide of slides)
            slide.hidden = value !== "slider";
    });
    for (const slide of slides) {
        const range = slide.querySelector("input");
        const both = slide.parentElement?.querySelector(".both");
        range?.addEventListener("input", () => both?.style.setProperty("--cut", `${range.value}%`));
    }
}
