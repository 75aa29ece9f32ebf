/* Before a till can take anything: it is paired, and somebody begins a shift. */
import { forget, keep } from "./store.js";
import { call, open, signWith } from "./link.js";
import { field, form, made, show } from "./page.js";
import { excuse, heads, present } from "./state.js";
import { say } from "./words.js";

export function showPairing(begin, why = null) {
  const code = field(say("pairCode"), { id: "pairing", class: "code", maxlength: 20, "data-first": true }, say("pairHint"));
  show(
    made("section", { class: "card" },
      made("h2", {}, say("pair")),
      why === null ? null : made("p", { class: "fault", role: "alert" }, why),
      form(code.parts, say("pairGo"), async () => {
        const paired = await open("POST", "/merchant/v1/tills", { code: code.input.value.trim() });
        await forget();
        await keep("paired", { client_id: paired.client_id, client_secret: paired.client_secret });
        await navigator.storage?.persist?.();
        signWith(paired);
        await begin();
      }, excuse)),
  );
}

export function showShift(begin) {
  heads();
  const number = field(say("number"), { id: "number", inputmode: "numeric", pattern: "[0-9]{1,3}", maxlength: 3, "data-first": true });
  const pin = field(say("pin"), { id: "pin", type: "password", inputmode: "numeric", pattern: "[0-9]{6}", maxlength: 6 });
  show(
    made("section", { class: "card" },
      made("h2", {}, say("shift")),
      form([...number.parts, ...pin.parts], say("shiftGo"), async () => {
        await beginShift(number.input.value, pin.input.value);
        await begin();
      }, (error) => {
        pin.input.value = "";
        pin.input.focus();
        return excuse(error);
      })),
  );
}

export async function beginShift(number, pin) {
  await present(await call("PUT", "/merchant/v1/shift", { body: { number: Number(number), pin } }));
}

export async function endShift() {
  await present(await call("DELETE", "/merchant/v1/shift"));
}
