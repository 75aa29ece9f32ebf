// The way of a trip on a plain canvas: no map, no address, nothing asked of anybody. What is drawn stands in words beside.
"use strict";

// from the beginning to the end: told apart also by who sees red and green alike
const EARLY = [38, 84, 160];
const LATE = [214, 108, 20];
const GAP_S = 60;
const MARGIN = 28;

const shade = (part) => `rgb(${EARLY.map((from, at) => Math.round(from + (LATE[at] - from) * part)).join(",")})`;

const niceLength = (metres) => {
  const scale = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map((step) => step * scale).find((length) => length <= metres) ?? scale;
};

const drawTrace = (canvas) => {
  const { points, words } = JSON.parse(canvas.dataset.trace);
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, sans-serif";

  // decimetres to pixels, the same in both directions, the middle in the middle
  const span = (axis) => points.reduce(([low, high], at) => [Math.min(low, at[axis]), Math.max(high, at[axis])], [0, 0]);
  const [[west, east], [south, north]] = [span(0), span(1)];
  const scale = Math.min((width - 2 * MARGIN) / Math.max(east - west, 100), (height - 2 * MARGIN - 24) / Math.max(north - south, 100));
  const x = (at) => width / 2 + (at[0] - (west + east) / 2) * scale;
  const y = (at) => (height - 24) / 2 - (at[1] - (south + north) / 2) * scale;
  const whole = Math.max(points.at(-1)[2], 1);

  // how sure the receiver was of each place
  pen.fillStyle = "rgba(90, 110, 130, 0.07)";
  for (const at of points) {
    if (at[3] <= 0) continue;
    pen.beginPath();
    pen.arc(x(at), y(at), Math.max(at[3] * 10 * scale, 1), 0, 2 * Math.PI);
    pen.fill();
  }

  pen.lineWidth = 2.5;
  pen.lineCap = "round";
  for (let place = 1; place < points.length; place += 1) {
    const [from, to] = [points[place - 1], points[place]];
    const isGap = to[2] - from[2] > GAP_S;
    pen.setLineDash(isGap ? [4, 6] : []);
    pen.strokeStyle = isGap ? "#8a94a0" : shade(to[2] / whole);
    pen.beginPath();
    pen.moveTo(x(from), y(from));
    pen.lineTo(x(to), y(to));
    pen.stroke();
  }
  pen.setLineDash([]);

  pen.strokeStyle = "#b3261e";
  pen.lineWidth = 1.5;
  for (const at of points.filter((each) => each[4])) {
    pen.beginPath();
    pen.moveTo(x(at) - 4, y(at) - 4);
    pen.lineTo(x(at) + 4, y(at) + 4);
    pen.moveTo(x(at) + 4, y(at) - 4);
    pen.lineTo(x(at) - 4, y(at) + 4);
    pen.stroke();
  }

  const mark = (at, told, colour, isRound) => {
    pen.fillStyle = colour;
    pen.beginPath();
    if (isRound) pen.arc(x(at), y(at), 6, 0, 2 * Math.PI);
    else pen.rect(x(at) - 5, y(at) - 5, 10, 10);
    pen.fill();
    pen.fillStyle = "#1d2733";
    const left = x(at) > width - 70;
    pen.textAlign = left ? "right" : "left";
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 3;
    pen.strokeText(told, x(at) + (left ? -10 : 10), y(at) + 4);
    pen.fillText(told, x(at) + (left ? -10 : 10), y(at) + 4);
  };
  mark(points[0], words.start, shade(0), true);
  mark(points.at(-1), words.end, shade(1), false);

  // how long a stretch is, and which colour is when
  const metres = niceLength((width / 4 / scale) / 10);
  const length = metres * 10 * scale;
  const foot = height - 14;
  pen.strokeStyle = "#1d2733";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(MARGIN, foot - 5);
  pen.lineTo(MARGIN, foot);
  pen.lineTo(MARGIN + length, foot);
  pen.lineTo(MARGIN + length, foot - 5);
  pen.stroke();
  pen.fillStyle = "#1d2733";
  pen.textAlign = "left";
  pen.fillText(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, MARGIN + length + 8, foot + 2);
  const band = pen.createLinearGradient(width - MARGIN - 90, 0, width - MARGIN, 0);
  band.addColorStop(0, shade(0));
  band.addColorStop(1, shade(1));
  pen.fillStyle = band;
  pen.fillRect(width - MARGIN - 90, foot - 8, 90, 6);
  pen.fillStyle = "#1d2733";
  pen.textAlign = "right";
  pen.fillText(words.time, width - MARGIN - 98, foot + 1);
};

document.addEventListener("DOMContentLoaded", () => {
  for (const canvas of document.querySelectorAll("canvas[data-trace]")) {
    new ResizeObserver(() => drawTrace(canvas)).observe(canvas);
  }
});
