// A queue by keyboard: j and k go from row to row, x ticks one; what is opened by a key takes the cursor.
"use strict";

const rows = () => [...document.querySelectorAll("[data-row]")];

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("textarea, select, input:not([type=checkbox])");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest("form");
    if (form && event.target.closest("textarea")) {
      event.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = rows();
  if (all.length === 0 || !["j", "k", "x"].includes(event.key)) return;
  event.preventDefault();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  if (event.key === "x") {
    const box = all[at]?.querySelector("input[type=checkbox]");
    if (box) box.checked = !box.checked;
    return;
  }
  const to = event.key === "j" ? Math.min(at + 1, all.length - 1) : Math.max(at - 1, 0);
  all[to].querySelector("a").focus();
  all[to].scrollIntoView({ block: "nearest" });
});

document.addEventListener("change", (event) => {
  const every = event.target.closest("[data-every]");
  if (!every) return;
  for (const box of document.querySelectorAll(`input[name="${every.dataset.every}"]`)) box.checked = every.checked;
});

// opened by its key: go on typing there
document.addEventListener("toggle", (event) => {
  if (event.target.open && event.target.matches("details[data-focus]")) {
    event.target.querySelector("select, textarea")?.focus();
  }
}, true);
