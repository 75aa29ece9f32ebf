/* What was taken offline is sent one by one; what the server says of it stands in today's list until it is old. */
import { add, drop, replace, takenHere } from "./store.js";
import { Away, Refused, call } from "./link.js";

// a code lives seven days and may be told three days after: afterwards nobody can show it again
const KEPT_MS = 10 * 24 * 3_600_000;
// nobody on shift is an answer that the server keeps for its key: once somebody is, it takes another key
const ANOTHER_KEY = "no_shift";
// these are kept for no key, and may be otherwise in a while
const LATER = [403, 429];
let sending = false;

/* Take a verified code here; false where this till has taken it before. */
export const take = (text, good, merchant) =>
  add({
    code: good.code,
    merchant,
    body: { code: text, occurred_at: new Date().toISOString() },
    key: crypto.randomUUID(),
    offer: good.offer,
    points: good.points,
    state: "waiting",
    at: Date.now(),
    detail: null,
  });

export async function waiting() {
  return (await takenHere()).filter((entry) => entry.state === "waiting").length;
}

/* Send what waits and was taken for this merchant. Stops where nobody answers. */
export async function sendAll(merchant) {
  if (sending) return;
  sending = true;
  try {
    for (const entry of (await takenHere()).sort((a, b) => a.at - b.at)) {
      if (entry.state !== "waiting") {
        if (Date.now() - entry.at > KEPT_MS) await drop(entry.code);
        continue;
      }
      if (entry.merchant === merchant) await sent(entry);
    }
  } catch (error) {
    if (!(error instanceof Away)) throw error;
  } finally {
    sending = false;
  }
}

async function sent(entry) {
  try {
    await call("POST", "/merchant/v1/captures", { body: entry.body, key: entry.key });
    await replace({ ...entry, state: "taken", detail: null });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === ANOTHER_KEY || error.code === "still_running" || LATER.includes(error.status)) {
      const key = error.code === ANOTHER_KEY ? crypto.randomUUID() : entry.key;
      await replace({ ...entry, key, detail: error.detail });
    } else {
      await replace({ ...entry, state: "refused", detail: error.detail });
    }
  }
}
