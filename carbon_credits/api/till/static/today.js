/* What was taken today, its sums, what waits to be sent, and how one is undone. */
import { beginShift } from "./entering.js";
import { Away, call } from "./link.js";
import { facts, field, form, made, show } from "./page.js";
import { excuse, heads, note, state, tell } from "./state.js";
import { takenHere } from "./store.js";
import { both, clock, paid, say, yuan } from "./words.js";

const PAGE = 100;
const MOST_PAGES = 20;
const IN_CHARGE = ["owner", "manager"];

export async function showToday(tabs) {
  show(tabs("today"), made("p", { class: "card", role: "status" }, say("wait")));
  let items = [];
  let fault = null;
  try {
    items = await all();
  } catch (error) {
    if (!(error instanceof Away)) throw error;
    fault = made("p", { class: "fault", role: "alert" }, say("failed"));
  }
  const own = (await takenHere()).filter((entry) => entry.state !== "taken").sort((a, b) => b.at - a.at);
  const rows = [...own.map(unsent), ...items.map((item) => line(item, tabs))];
  show(
    tabs("today"), fault, fault ? null : sums(items),
    items.length === PAGE * MOST_PAGES ? made("p", { class: "hint" }, say("more", { n: items.length })) : null,
    rows.length ? made("ul", { class: "list" }, ...rows) : fault ? null : made("p", { class: "empty" }, say("none")),
    made("div", { class: "row" }, made("button", { type: "button", onclick: () => showToday(tabs) }, say("refresh"))),
  );
}

async function all() {
  const found = [];
  let cursor = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const told = await call("GET", `/merchant/v1/captures?limit=${PAGE}${cursor}`);
    found.push(...told.items);
    if (told.next === null) break;
    cursor = `&cursor=${encodeURIComponent(told.next)}`;
  }
  for (const item of found) await note(item.offer_id, item.title);
  return found;
}

function sums(items) {
  const standing = items.filter((item) => item.status === "captured");
  const sum = (name) => standing.reduce((total, item) => total + item[name], 0);
  const told = [
    [say("many"), String(standing.length)], [say("sumPoints"), String(sum("points"))],
    [say("sumFace"), yuan(sum("face_fen"))], [say("sumPaid"), paid(sum("paid_micro_fen"))],
  ];
  return made("dl", { class: "sums" },
    ...told.map(([name, value]) => made("div", {}, made("dt", {}, name), made("dd", {}, value))));
}

function line(item, tabs) {
  const undone = item.status === "reversed";
  return made("li", { class: undone ? "undone" : "" },
    made("span", { class: "what" }, both(item.title)),
    made("span", { class: "when" }, `${clock(item.occurred_at)} · ${yuan(item.face_fen)} · ${item.points} ${say("points")}`),
    undone
      ? made("span", { class: "state" }, say("reversed"))
      : made("button", { type: "button", onclick: () => showReversal(item, tabs) }, say("reverse")));
}

function unsent(entry) {
  const title = state.titles[entry.offer];
  return made("li", { class: entry.state },
    made("span", { class: "what" }, title ? both(title) : `#${entry.offer}`),
    made("span", { class: "when" }, [clock(entry.at), `${entry.points} ${say("points")}`, entry.detail].filter(Boolean).join(" · ")),
    made("span", { class: "state" }, say(entry.state === "refused" ? "isRefused" : "isWaiting")));
}

function showReversal(item, tabs) {
  const alone = !IN_CHARGE.includes(state.shift?.role);
  const reason = field(say("reason"), { id: "reason", maxlength: 200, "data-first": true }, say("reasonHint"));
  const number = field(say("number"), { id: "number", inputmode: "numeric", pattern: "[0-9]{1,3}", maxlength: 3 });
  const pin = field(say("pin"), { id: "pin", type: "password", inputmode: "numeric", pattern: "[0-9]{6}", maxlength: 6 });
  const keys = [crypto.randomUUID()];
  const manager = alone ? [made("p", { class: "hint" }, say("managerHint")), ...number.parts, ...pin.parts] : [];
  show(made("section", { class: "card" },
    made("h2", {}, say("reverseTitle")),
    facts([[both(item.title), yuan(item.face_fen)], [clock(item.occurred_at), `${item.points} ${say("points")}`]]),
    made("p", { class: "hint" }, say("reverseHint")),
    form([...reason.parts, ...manager], say("reverseGo"), async () => {
      if (alone) {
        await beginShift(number.input.value, pin.input.value);
        heads();
      }
      await call("POST", `/merchant/v1/captures/${item.id}/reversal`, { body: { reason: reason.input.value.trim() }, key: keys[0] });
      await tell();
      await showToday(tabs);
    }, (error) => {
      // a no was kept under its key: what is tried next is another attempt. A silence asks again with the same
      if (!(error instanceof Away) && error.code !== "still_running") keys[0] = crypto.randomUUID();
      pin.input.value = "";
      return excuse(error);
    }),
    made("div", { class: "row" }, made("button", { type: "button", onclick: () => showToday(tabs) }, say("cancel")))));
}
