/* The way to the server: tokens bought and renewed, problems read, silence told apart from a no. */
import { tag } from "./words.js";

const PATIENCE_MS = 8_000;
const RENEW_BEFORE_MS = 60_000;

/* The server said no: `code` is stable, `detail` is for people and in their language. */
export class Refused extends Error {
  constructor(problem, status) {
    super(problem.code ?? String(status));
    this.code = problem.code ?? "refused";
    this.detail = problem.detail ?? "";
    this.status = status;
  }
}
/* Nobody answered, or not sensibly: what became of the request is not known. */
export class Away extends Error {}
/* The till's own credentials are no longer good. */
export class Unpaired extends Error {}

let credentials = null;
let token = null;
let goodUntil = 0;

export function signWith(paired) {
  credentials = paired;
  token = null;
}

async function send(method, path, { body, headers = {} } = {}) {
  let answer;
  let told;
  try {
    answer = await fetch(path, {
      method,
      body,
      headers: { Accept: "application/json", "Accept-Language": tag(), ...headers },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    told = answer.status === 204 ? null : await answer.json();
  } catch (error) {
    throw new Away(error.message);
  }
  if (answer.ok) return told;
  if (answer.status >= 500) throw new Away(String(answer.status));
  throw new Refused(told, answer.status);
}

async function renew() {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: credentials.client_id,
    client_secret: credentials.client_secret,
  });
  try {
    const told = await send("POST", "/oauth/token", { body: form });
    token = told.access_token;
    goodUntil = Date.now() + told.expires_in * 1000;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) throw new Unpaired();
    throw error;
  }
}

/* A call without a token: pairing, and the public keys. */
export const open = (method, path, body) =>
  send(method, path, body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/* A call as this till; `key` makes it take effect once, however often it is sent. */
export async function call(method, path, { body, key } = {}) {
  if (token === null || Date.now() > goodUntil - RENEW_BEFORE_MS) await renew();
  const asked = () => {
    const headers = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    return send(method, path, { body: body === undefined ? undefined : JSON.stringify(body), headers });
  };
  try {
    return await asked();
  } catch (error) {
    if (!(error instanceof Refused) || !["token_refused", "not_authenticated"].includes(error.code)) throw error;
    await renew();
    return asked();
  }
}
