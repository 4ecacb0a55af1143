// The map: one byte a cell and projection, drawn on a canvas; the same by pointer and by keyboard.
import { loggedOut, problemOf } from "./follow.js";

const by = (id) => document.getElementById(id), canvas = by("map"), pen = canvas.getContext("2d");
const { coast, names, asked } = JSON.parse(by("base").textContent);
const korean = document.documentElement.lang === "ko", text = (en, ko) => (korean ? ko : en);
const LEVELS = [["very low", "매우 낮음"], ["low", "낮음"], ["medium", "보통"], ["high", "높음"], ["very high", "매우 높음"]];
const SOUTH = 33, WEST = 124.5, PER_DEGREE = 100, ACROSS = 1000;
// ColorBrewer YlOrRd without its palest, and viridis: both even in lightness, so that every eye sees the same order.
const RAMPS = {
  hazard: ["#ffeda0", "#fed976", "#feb24c", "#fd8d3c", "#fc4e2a", "#e31a1c", "#bd0026", "#800026"],
  aal: ["#fde725", "#b5de2b", "#6ece58", "#35b779", "#1f9e89", "#26828e", "#31688e", "#3e4989", "#482878", "#440154"],
};
// `kept` is the chosen cell's number in the data, which outlives a layer; `pinned`: the pointer passes over the others.
let layer = null, chosen = -1, kept = -1, pinned = false, box = null, scale = 1, asking = 0;

function ramp(name) {
  const stops = RAMPS[name].map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, code) => {
    const at = (Math.max(0, code - 1) / 254) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
    return `rgb(${stops[low].map((one, i) => Math.round(one + (at - low) * (stops[low + 1][i] - one)))})`;
  });
}

async function load() {
  const number = ++asking;
  // What is shown is of the old question: no number of it stays beside the new name.
  layer = null; chosen = -1;
  by("map-error").hidden = true;
  draw();
  let bytes = null, error = "";
  try {
    const response = await fetch(`/api/map?${new URLSearchParams({ risk_type: by("risk").value, measure: by("measure").value })}`);
    if (loggedOut(response)) return;
    if (response.ok) bytes = await response.arrayBuffer();
    else error = await problemOf(response);
  } catch {
    error = text("The server cannot be reached; choose again to try again.", "서버에 연결할 수 없습니다. 다시 선택하면 다시 시도합니다.");
  }
  if (number !== asking) return;
  by("map-error").hidden = !error;
  by("map-error").textContent = error;
  if (error) return;
  const length = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  const keys = new Uint32Array(bytes, 4 + length, head.n), codes = new Uint8Array(bytes, 4 + length + 4 * head.n);
  const at = new Map(Array.from(keys, (key, i) => [key, i]));
  layer = { ...head, keys, codes, at, colours: ramp(head.measure) };
  chosen = at.get(kept) ?? -1;
  frame();
  draw();
}

const row = (i) => Math.floor(layer.keys[i] / ACROSS), column = (i) => layer.keys[i] % ACROSS;
const latitude = (i) => SOUTH + (row(i) * layer.side + (layer.side - 1) / 2) / PER_DEGREE;
const longitude = (i) => WEST + (column(i) * layer.side + (layer.side - 1) / 2) / PER_DEGREE;
const x = (lon) => (lon - box.west) * box.shrink * scale, y = (lat) => (box.north - lat) * scale;

function frame() {
  let south = 99, north = 0, west = 999, east = 0;
  for (let i = 0; i < layer.n; i++) {
    south = Math.min(south, latitude(i)); north = Math.max(north, latitude(i));
    west = Math.min(west, longitude(i)); east = Math.max(east, longitude(i));
  }
  const margin = 0.3;
  box = { south: south - margin, north: north + margin, west: west - margin, east: east + margin };
  box.shrink = Math.cos(((south + north) / 2) * Math.PI / 180);
}

function projection() {
  if (by("scenario").value === "historical") return 0;
  const horizon = `${2020 + 10 * Number(by("decade").value)}s`;
  return layer.projections.findIndex(([scenario, one]) => scenario === by("scenario").value && one === horizon);
}

function value(code) {
  const share = (code - 1) / 254;
  return layer.measure === "hazard" ? layer.low + share * (layer.high - layer.low) : layer.low * (layer.high / layer.low) ** share;
}
function percent(share) {
  const shown = 100 * share;
  return `${shown >= 1 ? shown.toFixed(1) : shown.toPrecision(2)} %`;
}
function told(code) {
  if (!code) return text("no result", "결과 없음");
  if (layer.measure === "hazard") return `${value(code).toFixed(0)} / 100 · ${text(...LEVELS[Math.min(4, Math.floor(value(code) / 20))])}`;
  return `${code === 1 ? "≤ " : ""}${percent(value(code))} ${text("a year", "/년")}`;
}

function draw() {
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth || 600;
  if (!layer) { canvas.width = width * ratio; canvas.height = (canvas.clientHeight || 300) * ratio; nothing(); return; }
  const height = Math.min(width * (box.north - box.south) / ((box.east - box.west) * box.shrink), 760);
  canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  scale = Math.min(canvas.width / ((box.east - box.west) * box.shrink), canvas.height / (box.north - box.south));
  pen.setTransform(1, 0, 0, 1, (canvas.width - (box.east - box.west) * box.shrink * scale) / 2, 0);
  const path = (line) => { pen.beginPath(); line.forEach(([lat, lon], i) => (i ? pen.lineTo(x(lon), y(lat)) : pen.moveTo(x(lon), y(lat)))); pen.closePath(); };
  pen.fillStyle = colour("land");
  for (const line of coast) { path(line); pen.fill(); }
  const size = Math.max(layer.side * layer.spread / PER_DEGREE * scale, 2 * ratio), first = projection() * layer.n;
  const dx = Math.max(size * box.shrink, 2 * ratio);
  for (let i = 0; i < layer.n; i++) {
    const code = layer.codes[first + i];
    if (!code) continue;
    pen.fillStyle = layer.colours[code];
    pen.fillRect(x(longitude(i)) - dx / 2, y(latitude(i)) - size / 2, dx + 0.5, size + 0.5);
  }
  pen.strokeStyle = colour("muted"); pen.lineWidth = 0.7 * ratio;
  for (const line of coast) { path(line); pen.stroke(); }
  pen.strokeStyle = colour("ink"); pen.lineWidth = 1.6 * ratio;
  for (const [lat, lon] of asked) { pen.beginPath(); pen.arc(x(lon), y(lat), 5 * ratio, 0, 7); pen.stroke(); }
  label(ratio, colour);
  if (chosen >= 0) {
    for (const [grow, ink, thick] of [[2, "card", 4], [2, "ink", 2]]) {
      pen.strokeStyle = colour(ink); pen.lineWidth = thick * ratio;
      pen.strokeRect(x(longitude(chosen)) - dx / 2 - grow * ratio, y(latitude(chosen)) - size / 2 - grow * ratio, dx + 2 * grow * ratio, size + 2 * grow * ratio);
    }
  }
  key(); titles();
}

function label(ratio, colour) {
  const taken = [];
  pen.font = `600 ${11 * ratio}px system-ui, sans-serif`; pen.lineJoin = "round";
  const first = ["Seoul", "Busan", "Daegu", "Gwangju", "Daejeon", "Incheon", "Ulsan", "Jeju", "Gangneung", "Jeonju", "Pohang"];
  const order = [...names].sort((a, b) => (first.indexOf(a[2]) + 100) % 100 - (first.indexOf(b[2]) + 100) % 100);
  for (const [lat, lon, en, ko] of order.filter((one) => first.includes(one[2]))) {
    const name = text(en, ko), wide = pen.measureText(name).width, left = x(lon) + 7 * ratio, top = y(lat) + 4 * ratio;
    if (taken.some(([l, t, w]) => left < l + w && l < left + wide && Math.abs(t - top) < 14 * ratio)) continue;
    taken.push([left, top, wide]);
    pen.lineWidth = 3 * ratio; pen.strokeStyle = colour("card"); pen.strokeText(name, left, top);
    pen.fillStyle = colour("ink"); pen.fillText(name, left, top);
  }
}

function key() {
  const brush = by("key").getContext("2d");
  for (let i = 1; i < 256; i++) { brush.fillStyle = layer.colours[i]; brush.fillRect(i - 1, 0, 1.5, 14); }
  const ticks = layer.measure === "hazard" ? ["0", "20", "40", "60", "80", "100"]
    : [1, 86, 170, 255].map((code) => (code === 1 ? "≤ " : "") + percent(value(code)));
  by("ticks").replaceChildren(...ticks.map((one) => Object.assign(document.createElement("span"), { textContent: one })));
  by("key-note").textContent = layer.measure === "hazard"
    ? text("Hazard score, 0 to 100; a level every 20.", "위해성 점수 0~100, 20점마다 등급이 바뀝니다.")
    : text("Average annual loss, % of an asset's value a year; logarithmic, one scale for all scenarios and decades.", "연평균 손실, 연간 자산가치 대비 %. 로그 축이며 모든 시나리오와 연대에 같습니다.");
}

function nothing() {
  by("key").getContext("2d").clearRect(0, 0, by("key").width, by("key").height);
  for (const id of ["map-title", "ticks", "key-note", "readout"]) by(id).replaceChildren();
  decades();
}

function decades() {
  const historical = by("scenario").value === "historical", decade = 2020 + 10 * Number(by("decade").value);
  by("decade").disabled = historical;
  by("decade-name").textContent = historical ? "–" : text(`${decade}s`, `${decade}년대`);
  by("decade").setAttribute("aria-valuetext", by("decade-name").textContent);
  return historical;
}

function titles() {
  const historical = decades(), risk = [...by("risk").options].find((one) => one.value === layer.risk_type);
  by("map-title").textContent = [risk?.text ?? layer.risk_type, by("scenario").selectedOptions[0].text, historical ? "" : by("decade-name").textContent].filter(Boolean).join(", ");
  const line = (className, content) => Object.assign(document.createElement("p"), { className, textContent: content });
  if (chosen < 0) { by("readout").replaceChildren(line("where", text("No cell is chosen.", "선택된 격자가 없습니다."))); return; }
  const lat = latitude(chosen), lon = longitude(chosen);
  const link = Object.assign(document.createElement("a"), { href: address(), textContent: text("Open this place", "이 지점 열기") });
  by("readout").replaceChildren(line("where", `${lat.toFixed(2)}° N, ${lon.toFixed(2)}° E${near(lat, lon)}`), line("what", told(layer.codes[projection() * layer.n + chosen])), link);
}
function near(lat, lon) {
  let best = 0.3, found = null;
  for (const one of names) {
    const distance = Math.hypot(one[0] - lat, (one[1] - lon) * box.shrink);
    if (distance < best) { best = distance; found = one; }
  }
  return found ? ` · ${best < 0.01 ? "" : text("near ", "")}${text(found[2], found[3])}${best < 0.01 ? "" : text("", " 부근")}` : "";
}

// The place that was asked for in the cell, best with this scenario and decade; of others its middle.
function address() {
  const lat = latitude(chosen), lon = longitude(chosen), half = layer.side / PER_DEGREE / 2 + 1e-9;
  const shown = { scenario: by("scenario").value };
  if (shown.scenario !== "historical") shown.target_year = 2020 + 10 * Number(by("decade").value);
  const inside = asked.filter((one) => Math.abs(one[0] - lat) <= half && Math.abs(one[1] - lon) <= half);
  const found = inside.find((one) => one[2] === shown.scenario && (one[3] ?? undefined) === shown.target_year) ?? inside[0];
  const where = { latitude: found?.[0] ?? lat.toFixed(2), longitude: found?.[1] ?? lon.toFixed(2) };
  return `/place?${new URLSearchParams({ ...where, ...shown })}`;
}

function choose(i) { if (i !== chosen) { chosen = i; kept = layer.keys[i]; draw(); } }
function nearest(lat, lon, reach, allowed = () => true) {
  let found = -1, best = reach;
  for (let i = 0; i < layer.n; i++) {
    const distance = Math.hypot(latitude(i) - lat, (longitude(i) - lon) * box.shrink);
    if (distance < best && allowed(i)) { best = distance; found = i; }
  }
  return found;
}
function under(event) {
  const rim = canvas.getBoundingClientRect(), ratio = canvas.width / rim.width, shift = pen.getTransform().e;
  const lon = ((event.clientX - rim.left) * ratio - shift) / scale / box.shrink + box.west, lat = box.north - (event.clientY - rim.top) * ratio / scale;
  return nearest(lat, lon, 0.15);
}
canvas.addEventListener("pointermove", (event) => {
  if (!layer || event.pointerType !== "mouse" || (pinned && chosen >= 0)) return;
  const i = under(event);
  if (i >= 0) choose(i);
});
canvas.addEventListener("pointerdown", (event) => {
  if (!layer) return;
  const i = under(event);
  pinned = i >= 0;
  if (pinned) choose(i);
});
canvas.addEventListener("dblclick", () => { if (layer && chosen >= 0) location.href = address(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") pinned = false; });
canvas.addEventListener("keydown", (event) => {
  const step = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
  if (!layer || (!step && event.key !== "Enter")) return;
  event.preventDefault();
  pinned = true;
  if (event.key === "Enter") { if (chosen >= 0) location.href = address(); return; }
  if (chosen < 0) { choose(nearest(37.57, 126.98, 99)); return; }
  const many = (event.shiftKey ? 10 : 1) * layer.side / PER_DEGREE, [up, right] = step, lat = latitude(chosen), lon = longitude(chosen);
  // The next cell that way; where cells lie scattered, the nearest one within a quarter turn.
  const found = nearest(lat + up * many, lon + right * many, 9, (i) => {
    const north = latitude(i) - lat, east = longitude(i) - lon;
    return up ? up * north > 0.001 && Math.abs(east) <= Math.abs(north) : right * east > 0.001 && Math.abs(north) <= Math.abs(east);
  });
  if (found >= 0) choose(found);
});
for (const id of ["risk", "measure"]) by(id).addEventListener("change", load);
for (const id of ["scenario", "decade"]) by(id).addEventListener("input", draw);
by("controls").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("themechange", () => layer && draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layer && draw());
new ResizeObserver(() => layer && draw()).observe(canvas.parentElement);
load();
