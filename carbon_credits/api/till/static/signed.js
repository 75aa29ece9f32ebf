/* A signed code, checked by this till alone: the signature, the merchant and the time; not whether another till took it. */
const TYPE = "carbon-voucher+jwt";
const CLOCK_DIFFERENCE_S = 300;

export class NotGood extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export const isSigned = (text) => text.split(".").length === 3;

const bytes = (part) => Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const read = (part) => JSON.parse(new TextDecoder().decode(bytes(part)));

/* {code, offer, points, expires} of a code that may be taken; throws NotGood. `merchant` is this till's own. */
export async function verify(text, keys, merchant, now = Date.now()) {
  const [head, content, signature] = text.split(".");
  let header, claims;
  try {
    header = read(head);
    claims = read(content);
  } catch {
    throw new NotGood("code_unknown");
  }
  if (header.typ !== TYPE || header.alg !== "ES256") throw new NotGood("code_unknown");
  const key = keys.find((one) => one.kid === header.kid);
  if (key === undefined) throw new NotGood("key_unknown");
  const known = await crypto.subtle.importKey("jwk", { kty: key.kty, crv: key.crv, x: key.x, y: key.y },
    { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const told = new TextEncoder().encode(`${head}.${content}`);
  const good = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, known, bytes(signature), told).catch(() => false);
  if (!good) throw new NotGood("code_unknown");
  if (String(claims.mer) !== String(merchant)) throw new NotGood("code_of_another_merchant");
  if (now / 1000 >= claims.exp || now / 1000 < claims.iat - CLOCK_DIFFERENCE_S) throw new NotGood("code_expired");
  return { code: claims.code, offer: String(claims.off), points: claims.pts, expires: claims.exp * 1000 };
}
