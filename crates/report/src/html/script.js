
"use strict";
(() => {
  const input = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const items = [...document.querySelectorAll("[data-item]")];
  const bars = new Map([...document.querySelectorAll("g[data-p]")].map((bar) => ["p" + bar.dataset.p, bar]));
  const folds = [...document.querySelectorAll("details.fold")];
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  // What a package is found by; made once, at the first letter.
  let words = null;

  const filter = () => {
    words ??= items.map((item) => plain([...item.querySelectorAll("[data-key]")].map((key) => key.textContent).join(" ")));
    const asked = plain(input.value).split(/\s+/).filter(Boolean);
    let count = 0;
    items.forEach((item, index) => {
      const fits = asked.every((word) => words[index].includes(word));
      item.hidden = !fits;
      bars.get(item.id)?.classList.toggle("dim", !fits);
      count += fits;
    });
    for (const section of document.querySelectorAll("[data-section]")) {
      section.hidden = !section.querySelector("[data-item]:not([hidden])");
    }
    // Warnings of all packages are not what somebody looks for who names one.
    for (const section of document.querySelectorAll("[data-calm]")) section.hidden = asked.length > 0;
    for (const fold of folds) fold.open = asked.length > 0;
    shown.textContent = asked.length > 0 ? `${count} of ${items.length}` : "";
  };

  // A package that is folded away, or filtered out, is shown before somebody goes there.
  const reveal = () => {
    const item = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!item) return;
    if (item.closest("[hidden]")) {
      input.value = "";
      filter();
    }
    const fold = item.closest("details") ?? item.querySelector(":scope > details.fold");
    if (fold) fold.open = true;
    item.scrollIntoView({ block: "nearest" });
  };

  if (items.length > 0) input.form.hidden = false;
  input.addEventListener("input", filter);
  input.form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== input) {
      event.preventDefault();
      input.focus();
    } else if (event.key === "Escape" && event.target === input) {
      input.value = "";
      filter();
    }
  });
  document.addEventListener("click", (event) => {
    const bar = event.target.closest?.("g[data-p]");
    if (bar) location.hash = "p" + bar.dataset.p;
  });
  addEventListener("hashchange", reveal);
  reveal();
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  }
})();
