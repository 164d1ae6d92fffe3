// The result page: both sides can be laid upon each other, and a slider of the browser's own, which every keyboard and
// screen reader knows, says how much of the old page is seen.

export function result(page: HTMLElement): void {
  const views = document.getElementById("views");
  // Nothing was compared.
  if (views === null) return;
  views.hidden = false;
  const slides = page.querySelectorAll<HTMLElement>(".slide");
  views.addEventListener("change", (event) => {
    const { value } = event.target as HTMLInputElement;
    page.dataset.view = value;
    for (const slide of slides) slide.hidden = value !== "slider";
  });
  for (const slide of slides) {
    const range = slide.querySelector("input");
    const both = slide.parentElement?.querySelector<HTMLElement>(".both");
    range?.addEventListener("input", () => both?.style.setProperty("--cut", `${range.value}%`));
  }
}
