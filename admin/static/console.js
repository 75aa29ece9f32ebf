// What pages cannot do without a script: a token on what htmx sends, charts, shortcuts, one sending of a form.
"use strict";

const token = () => document.body.dataset.csrf;

document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRF-Token"] = token();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
// a page that comes back from the browser's memory may send its forms again
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What was sent before the second factor was asked for goes on without another press of a button.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("form[data-at-once]")?.requestSubmit();
});

// Words about what cannot be undone are asked again.
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-confirm]");
  if (asked && !window.confirm(asked.dataset.confirm)) event.preventDefault();
});

// Shortcuts: a letter presses the button that shows it, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (button) {
    event.preventDefault();
    button.focus();
    button.click();
  }
});

const drawn = new WeakSet();
const drawCharts = () => {
  if (!globalThis.echarts) return;
  for (const place of document.querySelectorAll("[data-chart]")) {
    if (drawn.has(place)) continue;
    drawn.add(place);
    const chart = globalThis.echarts.init(place, null, { renderer: "canvas" });
    const option = JSON.parse(place.dataset.chart);
    // drawn on the canvas: the other way writes styles into the page, which its policy forbids
    option.tooltip = { renderMode: "richText", confine: true, ...option.tooltip };
    option.aria = { enabled: false };
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) option.animation = false;
    chart.setOption(option);
    new ResizeObserver(() => chart.resize()).observe(place);
  }
};
document.addEventListener("DOMContentLoaded", drawCharts);
document.addEventListener("htmx:after:swap", drawCharts);
