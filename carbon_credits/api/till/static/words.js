/* Every word of the page, Chinese first. A refusal's own words come from the server, in the same language. */
const WORDS = {
  till: ["收银台", "Till"],
  switch: ["English", "中文"],
  name: ["禅城碳普惠", "Chancheng carbon rewards"],
  wait: ["请稍候…", "One moment…"],

  pair: ["配对此收银台", "Pair this till"],
  pairHint: ["向店长索取十位配对码，十分钟内有效。", "Ask a manager for the code of ten characters; it is good for ten minutes."],
  pairCode: ["配对码", "Pairing code"],
  pairGo: ["配对", "Pair"],
  unpaired: ["此收银台已被停用或密钥已失效，请重新配对。", "This till was ended or its key is no longer valid: pair it again."],

  shift: ["接班", "Begin a shift"],
  number: ["工号", "Number"],
  pin: ["PIN（六位）", "PIN (six digits)"],
  shiftGo: ["上班", "Begin"],
  shiftEnd: ["交班", "End shift"],
  present: ["{n} 号当班 · {role}", "No. {n} on shift · {role}"],
  nobody: ["无人当班", "Nobody on shift"],
  owner: ["店主", "owner"],
  manager: ["店长", "manager"],
  cashier: ["店员", "cashier"],

  counter: ["核销", "Take"],
  today: ["今日", "Today"],
  code: ["券码", "Code"],
  codeHint: ["扫码，或输入十位短码后按回车。", "Scan, or type the ten characters and press Enter."],
  look: ["查看", "Look"],
  scan: ["打开摄像头", "Use the camera"],
  scanning: ["将二维码对准画面", "Hold the code before the camera"],
  noCamera: ["无法使用摄像头，请输入短码。", "The camera cannot be used: type the short code."],
  cancel: ["取消", "Cancel"],
  take: ["确认核销", "Take it"],
  next: ["下一位", "Next"],
  points: ["积分", "Points"],
  face: ["面值", "Value"],
  paid: ["应付商户", "You are paid"],
  until: ["有效至", "Valid until"],
  taken: ["核销成功", "Accepted"],
  takenOffline: ["已离线核销", "Accepted offline"],
  laterSent: ["联网后自动上传。", "It is sent when the network is back."],
  refused: ["未核销", "Not accepted"],
  unsure: ["结果未知", "Not sure yet"],
  unsureHint: ["网络中断，请勿交付商品；点“再查一次”可得知结果，不会重复扣除。", "The network broke. Do not hand anything over: ask again, nothing is taken twice."],
  again: ["再查一次", "Ask again"],

  offline: ["离线", "Offline"],
  offlineWaiting: ["离线 · {n} 笔待上传", "Offline · {n} to be sent"],
  waiting: ["{n} 笔待上传", "{n} to be sent"],
  needNetwork: ["此券码需联网核销。离线时只能核销离线券码（二维码较密）。", "This code needs the network. Offline only signed codes can be taken (their QR code is denser)."],
  takenHere: ["该券码已在本收银台核销过。", "This till has taken the code already."],
  code_unknown: ["券码无效：不是本平台签发。请顾客重新出示。", "The code is not one of ours: ask the customer to show it again."],
  key_unknown: ["本机没有验证该券码的公钥，请联网后再试。", "This till does not hold the key for it: try again with the network."],
  code_expired: ["该券码已过期。", "The code is over."],
  code_of_another_merchant: ["该券码属于其他商户。", "The code is for another merchant."],
  limits: ["离线核销须知", "When the network is away"],
  limit1: ["只能核销离线券码，普通券码和短码需联网。", "Only signed codes can be taken; plain and short ones need the network."],
  limit2: ["券码须在有效期（七天）内；最迟在到期后三天内联网上传。", "A code is good for seven days; it must be sent at most three days after."],
  limit3: ["同一券码若在两台离线收银台核销，先上传者获付款，另一笔由商户承担。", "Of two offline tills that took one code the first to send it is paid; the merchant bears the other."],
  limit4: ["未上传前请勿清除浏览器数据。", "Do not clear the browser's data before everything is sent."],

  none: ["今天还没有核销。扫第一张券码即可开始。", "Nothing taken today yet. Scan a first code to begin."],
  many: ["核销笔数", "Taken"],
  sumPoints: ["积分合计", "Points"],
  sumFace: ["面值合计", "Value"],
  sumPaid: ["应付合计", "You are paid"],
  more: ["仅统计最近 {n} 笔。", "The newest {n} only."],
  reverse: ["撤销", "Reverse"],
  reverseTitle: ["撤销这笔核销？", "Reverse this one?"],
  reverseHint: ["仅限当日；积分原样退回顾客。", "On the same day alone; the customer gets exactly the points back."],
  reason: ["原因", "Reason"],
  reasonHint: ["例如：点错商品", "For example: the wrong item"],
  managerHint: ["需店长或店主接班后撤销，请输入其工号与 PIN。", "A manager or the owner takes the shift for this: their number and PIN."],
  reverseGo: ["确认撤销", "Reverse it"],
  reversed: ["已撤销", "Reversed"],
  isWaiting: ["待上传", "To be sent"],
  isRefused: ["上传被拒绝", "Refused when sent"],
  refresh: ["刷新", "Refresh"],
  failed: ["连不上服务器，请检查网络后重试。", "The server cannot be reached: check the network and try again."],
};
const LANGUAGES = { zh: "zh-CN", en: "en" };
let language = "zh";

export function speak(chosen) {
  language = chosen === "en" ? "en" : "zh";
  document.documentElement.lang = LANGUAGES[language];
}

export const spoken = () => language;
export const tag = () => LANGUAGES[language];

export function say(name, given = {}) {
  const words = WORDS[name];
  if (words === undefined) throw new Error(`no words for ${name}`);
  return words[language === "en" ? 1 : 0].replace(/\{(\w+)\}/g, (_, key) => given[key]);
}

export const known = (name) => Object.hasOwn(WORDS, name);
export const both = (names) => names[language];

/* Whole fen as yuan; nothing is rounded up. */
export function yuan(fen) {
  const whole = Math.floor(fen);
  return `¥${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, "0")}`;
}
export const paid = (microFen) => yuan(microFen / 1_000_000);

export const clock = (told) =>
  new Date(told).toLocaleTimeString(tag(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" });
export const moment = (told) =>
  new Date(told).toLocaleString(tag(), { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" });
