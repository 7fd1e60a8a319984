/* The pages of a dataset: keys, choices that take effect at once, commands to copy. All of it works without, too. */
"use strict";

(() => {
  const form = document.getElementById("ask");
  const words = document.getElementById("words");
  const samples = [...document.querySelectorAll(".sample")];

  /* Addresses without what narrows nothing are shorter to pass on; what belongs to a check goes with it. */
  function ask() {
    const check = form.elements.check;
    for (const name of ["action", "reason"]) {
      if (form.elements[name] && (!check || !check.value)) form.elements[name].value = "";
    }
    const wanted = [...new FormData(form)].filter(([name, value]) => value && !(name === "size" && value === "25"));
    const query = new URLSearchParams(wanted).toString();
    location.assign(query ? `${location.pathname}?${query}` : location.pathname);
  }

  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  form.addEventListener("change", (event) => {
    if (event.target.name === "check") {
      for (const name of ["action", "reason"]) if (form.elements[name]) form.elements[name].value = "";
    }
    if (event.target.matches("select") && !byKeys) ask();
  });

  /* A choice that is being walked through by keys is made by Enter or on leaving, not at each step. */
  let byKeys = false;
  form.addEventListener("keydown", (event) => {
    if (!event.target.matches("select")) return;
    if (event.key === "Enter") { event.preventDefault(); ask(); } else if (event.key !== "Tab") byKeys = true;
  });
  form.addEventListener("pointerdown", () => { byKeys = false; });

  function move(step) {
    const at = samples.findIndex((one) => one.contains(document.activeElement));
    const next = at < 0 ? (step > 0 ? firstInView() : 0) : Math.min(Math.max(at + step, 0), samples.length - 1);
    samples[next]?.focus({ preventScroll: true });
    samples[next]?.scrollIntoView({ block: "start" });
  }

  function firstInView() {
    const found = samples.findIndex((one) => one.getBoundingClientRect().top >= 0);
    return found < 0 ? samples.length - 1 : found;
  }

  function turn(direction) {
    document.querySelector(`.pager a[rel="${direction}"]`)?.click();
  }

  function raw() {
    const own = samples.find((one) => one.contains(document.activeElement))?.querySelector("details.raw");
    if (own) own.open = !own.open;
  }

  const keys = {
    "j": () => move(1),
    "ArrowDown": () => move(1),
    "k": () => move(-1),
    "ArrowUp": () => move(-1),
    "ArrowLeft": () => turn("prev"),
    "ArrowRight": () => turn("next"),
    "/": () => { words.focus(); words.select(); },
    "r": raw,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && event.target === words) { words.blur(); return; }
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    if (event.target.closest(".table, pre") && event.key.startsWith("Arrow")) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });

  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const before = button.innerHTML;
      button.textContent = "Copied";
      setTimeout(() => { button.innerHTML = before; }, 1500);
    });
  }
})();
