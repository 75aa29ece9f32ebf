/* What was taken offline is sent one by one; what the server says of it stands in today's list until it is old. */
import { add, drop, replace, takenHere } from "./store.js";
import { Away, Refused, call } from "./link.js";

// a code lives seven days and may be told three days after: afterwards nobody can show it again
const KEPT_MS = 10 * 24 * 3_600_000;
// what may be otherwise in a while is asked again, with a new key: the old one would repeat the old answer
const LATER = new Set(["no_shift", "still_running", "too_many_requests", "too_many_wrong_codes", "scope_missing"]);
let sending = false;

/* Take a verified code here; false where this till has taken it before. */
export const take = (text, good) =>
  add({
    code: good.code,
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

/* Send what waits. Stops where nobody answers; resolves to how many were settled one way or the other. */
export async function sendAll() {
  if (sending) return 0;
  sending = true;
  let settled = 0;
  try {
    for (const entry of (await takenHere()).sort((a, b) => a.at - b.at)) {
      if (entry.state !== "waiting") {
        if (Date.now() - entry.at > KEPT_MS) await drop(entry.code);
        continue;
      }
      if (await sent(entry)) settled += 1;
    }
  } catch (error) {
    if (!(error instanceof Away)) throw error;
  } finally {
    sending = false;
  }
  return settled;
}

async function sent(entry) {
  try {
    await call("POST", "/merchant/v1/captures", { body: entry.body, key: entry.key });
    await replace({ ...entry, state: "taken", detail: null });
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (LATER.has(error.code) || error.status === 429 || error.status === 403) {
      await replace({ ...entry, key: crypto.randomUUID(), detail: error.detail });
      return false;
    }
    await replace({ ...entry, state: "refused", detail: error.detail });
    return true;
  }
}
