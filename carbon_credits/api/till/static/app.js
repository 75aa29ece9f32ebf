/* The till page: which screen stands there, and what is looked at again while it does. */
import { arrange, showCounter } from "./counter.js";
import { endShift, showPairing, showShift } from "./entering.js";
import { Away, Refused, Unpaired, signWith } from "./link.js";
import { made, show } from "./page.js";
import { sendAll } from "./queue.js";
import { excuse, heads, refresh, remember, state, tell } from "./state.js";
import { forget, keep, kept } from "./store.js";
import { showToday } from "./today.js";
import { say, speak, spoken } from "./words.js";

const EVERY_MS = 15_000;
let screen = () => undefined;

function tabs(now) {
  const tab = (name, go) =>
    made("button", { type: "button", "aria-current": now === name ? "page" : null, onclick: () => go() }, say(name));
  const end = made("button", { type: "button", class: "quiet", onclick: () => leaving() }, say("shiftEnd"));
  return made("nav", { class: "tabs", "aria-label": say("till") }, tab("counter", toCounter), tab("today", toToday), end);
}

function toCounter() {
  screen = () => showCounter();
  screen();
}

function toToday() {
  screen = () => showToday(tabs).catch(lost);
  return screen();
}

function toShift() {
  screen = () => showShift(begin);
  screen();
}

function toRetry() {
  screen = () =>
    show(made("p", { class: "fault", role: "alert" }, say("failed")),
      made("div", { class: "row" }, made("button", { class: "main", type: "button", onclick: () => begin() }, say("refresh"))));
  screen();
}

async function leaving() {
  try {
    await endShift();
    toShift();
  } catch (error) {
    lost(error);
  }
}

/* Where the page cannot go on as it is. */
async function lost(error) {
  if (error instanceof Unpaired) {
    // what waits to be sent stays, and goes out once the till is paired again
    await forget();
    screen = () => showPairing(begin, say("unpaired"));
    return screen();
  }
  if (error instanceof Refused && error.code === "no_shift") {
    state.shift = null;
    return toShift();
  }
  if (error instanceof Away) {
    state.away = true;
    await tell();
    return state.merchant === null ? toRetry() : toCounter();
  }
  if (error instanceof Refused) {
    screen = () => showPairing(begin, excuse(error));
    return screen();
  }
  throw error;
}

/* Paired or not, somebody here or not: the first screen that is missing something. */
async function begin() {
  const paired = await kept("paired");
  await remember();
  heads();
  if (paired === undefined) {
    screen = () => showPairing(begin);
    return screen();
  }
  signWith(paired);
  try {
    await refresh();
    state.away = false;
  } catch (error) {
    if (!(error instanceof Away) || state.merchant === null) return lost(error);
    state.away = true;
  }
  heads();
  await tell();
  if (state.shift === null && !state.away) return toShift();
  toCounter();
  return look();
}

/* From time to time: is the server there, and what waits is sent. */
async function look() {
  if ((await kept("paired")) === undefined) return;
  const before = state.shift?.number;
  try {
    await refresh();
    state.away = false;
    if (state.shift !== null) await sendAll(state.merchant.id);
  } catch (error) {
    if (!(error instanceof Away)) return lost(error);
    state.away = true;
  }
  heads();
  await tell();
  if (state.shift === null && before !== undefined && !state.away) toShift();
}

document.getElementById("language").addEventListener("click", async () => {
  speak(spoken() === "zh" ? "en" : "zh");
  localStorage.setItem("language", spoken());
  heads();
  await tell();
  screen();
});
arrange(tabs, lost);
addEventListener("online", () => look());
addEventListener("offline", async () => {
  state.away = true;
  await tell();
});
setInterval(() => look(), EVERY_MS);

speak(localStorage.getItem("language") ?? "zh");
begin();
keepPage();

/* So that the page opens while the network is away. A browser that refuses this shows it online alone. */
function keepPage() {
  if (!("serviceWorker" in navigator)) return;
  const where = "/till/worker.js";
  const policy = globalThis.trustedTypes?.createPolicy("till", { createScriptURL: () => where });
  navigator.serviceWorker.register(policy?.createScriptURL(where) ?? where, { scope: "/till" }).catch(() => undefined);
}
