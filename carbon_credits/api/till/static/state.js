/* What the page knows at the moment, refreshed when the server answers and remembered for when it does not. */
import { keep, kept } from "./store.js";
import { Away, Refused, call, open } from "./link.js";
import { waiting } from "./queue.js";
import { both, known, say } from "./words.js";

const KEYS = "/.well-known/jwks.json";

// `merchant` is {id, name, label, till}; `shift` is null where nobody stands here
export const state = { merchant: null, shift: null, keys: [], titles: {}, away: false };

export async function remember() {
  state.merchant = (await kept("merchant")) ?? null;
  state.shift = (await kept("shift")) ?? null;
  state.keys = (await kept("keys")) ?? [];
  state.titles = (await kept("titles")) ?? {};
}

/* Ask the server who we are, who stands here and which keys are good; throws Away and leaves what was known. */
export async function refresh() {
  const me = await call("GET", "/merchant/v1/me");
  state.merchant = { id: me.id, name: me.name, label: me.client.label, till: me.client.client_id };
  await keep("merchant", state.merchant);
  await present(await call("GET", "/merchant/v1/shift"));
  state.keys = (await open("GET", KEYS)).keys;
  await keep("keys", state.keys);
}

export async function present(shift) {
  state.shift = shift.number === null ? null : shift;
  await keep("shift", state.shift);
}

/* A title that was seen, for codes that are taken offline and carry none. */
export async function note(offer, title) {
  if (state.titles[offer]?.zh === title.zh) return;
  state.titles[offer] = title;
  await keep("titles", state.titles);
}

/* The line under the head: nothing while all is well. */
export async function tell() {
  const many = await waiting();
  const line = document.getElementById("link");
  line.hidden = !state.away && many === 0;
  line.textContent = !state.away ? say("waiting", { n: many }) : many ? say("offlineWaiting", { n: many }) : say("offline");
}

export function heads() {
  const { merchant, shift } = state;
  document.getElementById("merchant").textContent = merchant ? both(merchant.name) : say("till");
  const who = shift ? say("present", { n: shift.number, role: say(shift.role) }) : say("nobody");
  document.getElementById("present").textContent = merchant ? `${merchant.label} · ${who}` : say("name");
  document.title = `${merchant ? both(merchant.name) : say("till")} · ${say("name")}`;
  document.getElementById("language").textContent = say("switch");
}

/* Why something did not happen, in words. */
export function excuse(error) {
  if (error instanceof Refused) return error.detail;
  if (error instanceof Away) return say("failed");
  if (error?.code && known(error.code)) return say(error.code);
  throw error;
}
