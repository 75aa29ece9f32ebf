/* The counter: a code is looked at, taken once, and the answer stands there until the next one comes. */
import { canScan, scan } from "./camera.js";
import { Away, Refused, call } from "./link.js";
import { facts, made, show } from "./page.js";
import { take } from "./queue.js";
import { NotGood, isSigned, verify } from "./signed.js";
import { note, state, tell } from "./state.js";
import { both, moment, paid, say, yuan } from "./words.js";

const LONGEST = 1_500;
let tabs = () => null;
let leave = () => undefined;

/* `around` makes the tabs; `gone` is called where the shift or the pairing is over. */
export function arrange(around, gone) {
  tabs = around;
  leave = gone;
}

export function showCounter(result = null) {
  const input = made("input", {
    id: "code", class: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", enterkeyhint: "go",
    maxlength: LONGEST, "data-first": true, "aria-describedby": result ? "result code-hint" : "code-hint",
  });
  const camera = made("button", { type: "button", hidden: true, onclick: () => showCamera() }, say("scan"));
  canScan().then((can) => { camera.hidden = !can; }, () => undefined);
  const entry = made("form", {
      onsubmit: (event) => {
        event.preventDefault();
        const code = input.value.trim();
        return code ? attempt((left) => look(code, left)) : showCounter();
      },
    },
    made("label", { for: "code" }, say("code")), input, made("p", { id: "code-hint", class: "hint" }, say("codeHint")),
    made("div", { class: "row" }, made("button", { class: "main", type: "submit" }, say("look")), camera),
  );
  show(tabs("counter"), result, entry, state.away ? limits() : null);
}

export const limits = () =>
  made("section", { class: "limits", "aria-label": say("limits") }, made("strong", {}, say("limits")),
    made("ul", {}, ...["limit1", "limit2", "limit3", "limit4"].map((name) => made("li", {}, say(name)))));

/* One thing at a time; a no and a silence are both shown where the answer would stand. */
async function attempt(work, isTaking = false) {
  const wait = made("p", { class: "card", role: "status" }, say("wait"));
  show(tabs("counter"), wait);
  // what was taken is always said; a look that nobody waits for any more changes no other screen
  const left = () => !isTaking && !wait.isConnected;
  try {
    await work(left);
  } catch (error) {
    if (left()) return undefined;
    if (error instanceof Refused && error.code === "no_shift") return leave(error);
    if (error instanceof Refused) return refuse(error.detail);
    if (error instanceof NotGood) return refuse(say(error.code));
    if (error instanceof Away) return refuse(say("failed"));
    return leave(error);
  }
}

async function look(code, left) {
  // nobody waits for a network that was away a moment ago
  if (state.away && isSigned(code)) return lookAlone(code, left);
  try {
    const seen = await call("POST", "/merchant/v1/captures/preview", { body: { code } });
    reached();
    await note(seen.offer_id, seen.title);
    if (left()) return undefined;
    const key = crypto.randomUUID();
    return offer(both(seen.title), [
      [say("points"), String(seen.points)], [say("face"), yuan(seen.face_fen)], [say("paid"), paid(seen.paid_micro_fen)],
      [say("until"), moment(seen.expires_at)],
    ], () => ask(code, key));
  } catch (error) {
    if (!(error instanceof Away)) throw error;
    return lookAlone(code, left);
  }
}

/* Nobody answers: a signed code can be judged here. */
async function lookAlone(code, left) {
  state.away = true;
  await tell();
  if (left()) return undefined;
  if (!isSigned(code)) return refuse(say("needNetwork"));
  const good = await verify(code, state.keys, state.merchant.id);
  const title = state.titles[good.offer];
  return offer(title ? both(title) : `#${good.offer}`, [[say("points"), String(good.points)], [say("until"), moment(good.expires)]],
    async () => {
      if (!(await take(code, good, state.merchant.id))) throw new NotGood("takenHere");
      await tell();
      accept("takenOffline", title ? both(title) : `#${good.offer}`, say("laterSent"));
    }, "warn");
}

/* Take it. Where the answer is lost the same key asks again, and nothing is taken twice. */
async function ask(code, key) {
  try {
    const taken = await call("POST", "/merchant/v1/captures", { body: { code }, key });
    reached();
    accept("taken", both(taken.title), `${yuan(taken.face_fen)} · ${taken.points} ${say("points")}`);
  } catch (error) {
    if (!(error instanceof Away) && error.code !== "still_running") throw error;
    unsure(() => ask(code, key));
  }
}

function reached() {
  state.away = false;
  tell();
}

function offer(title, pairs, go, kind = "") {
  const yes = made("button", { class: "main", type: "button", "data-first": true, onclick: () => attempt(go, true) }, say("take"));
  const no = made("button", { type: "button", onclick: () => showCounter() }, say("cancel"));
  const card = made("section", {
      class: `card ${kind}`, "aria-labelledby": "offer",
      onkeydown: (event) => { if (event.key === "Escape") showCounter(); },
    },
    made("h2", { id: "offer" }, title), facts(pairs), made("div", { class: "row" }, yes), made("div", { class: "row" }, no));
  show(tabs("counter"), card);
}

function accept(heading, title, below) {
  showCounter(made("section", { class: "card yes", id: "result", role: "status" },
    made("div", { class: "sign", "aria-hidden": "true" }, "✓"), made("h2", {}, say(heading)),
    made("p", { class: "big" }, title), made("p", {}, below)));
}

function refuse(why) {
  showCounter(made("section", { class: "card no", id: "result", role: "alert" },
    made("h2", {}, `✗ ${say("refused")}`), made("p", {}, why)));
}

function unsure(again) {
  show(tabs("counter"), made("section", { class: "card warn", id: "result", role: "alert" },
    made("h2", {}, `? ${say("unsure")}`), made("p", {}, say("unsureHint")),
    made("div", { class: "row" },
      made("button", { class: "main", type: "button", "data-first": true, onclick: () => attempt(again, true) }, say("again")))));
}

async function showCamera() {
  const ended = new AbortController();
  const video = made("video", { playsinline: true, muted: true, "aria-label": say("scanning") });
  const stop = made("button", { type: "button", "data-first": true, onclick: () => ended.abort() }, say("cancel"));
  show(tabs("counter"), made("p", { class: "hint" }, say("scanning")), video, made("div", { class: "row" }, stop));
  try {
    const code = await scan(video, ended.signal);
    // where another screen stands by now it stays
    if (!video.isConnected) return undefined;
    return code === null ? showCounter() : attempt((left) => look(code.trim(), left));
  } catch {
    return refuse(say("noCamera"));
  }
}

