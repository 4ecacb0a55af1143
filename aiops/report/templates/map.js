"use strict";
(function () {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const { frame, projections, squares, layers, risks, coast, places } = data;
  const canvas = document.getElementById("map"), pen = canvas.getContext("2d");
  const by = (id) => document.getElementById(id);
  const risk = by("risk"), scenario = by("scenario"), decade = by("decade"), place = by("place");
  const decades = [...new Set(projections.slice(1).map((one) => one[1]))];
  const korean = () => document.documentElement.lang === "ko";
  const text = (en, ko) => (korean() ? ko : en);
  const LEVELS = [["very low", "매우 낮음"], ["low", "낮음"], ["medium", "보통"], ["high", "높음"], ["very high", "매우 높음"]];

  // --- unpacking ---------------------------------------------------------------------------------------------
  function bytesOf(base64) {
    const raw = atob(base64), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return bytes;
  }
  async function inflated(base64) {
    const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }
  const ramps = Object.fromEntries(Object.entries(data.ramps).map(([name, packed]) => [name, bytesOf(packed)]));
  const unpacked = new Map();
  async function codesOf(id) {
    if (!unpacked.has(id)) {
      const codes = new Uint8Array(await inflated(by("layer-" + id).textContent));
      const n = squares.n;  // each projection's bytes are differences from the one before
      for (let i = n; i < codes.length; i++) codes[i] = (codes[i] + codes[i - n]) & 255;
      unpacked.set(id, codes);
    }
    return unpacked.get(id);
  }

  // --- where squares lie -------------------------------------------------------------------------------------
  let rows, columns, at, box;
  function locate(places) {
    const n = squares.n;
    rows = new Int32Array(n); columns = new Int32Array(n); at = new Map();
    let key = 0, south = 1e9, north = -1e9, west = 1e9, east = -1e9;
    for (let i = 0; i < n; i++) {
      key += places[i];
      rows[i] = Math.floor(key / 1000); columns[i] = key % 1000;
      at.set(key, i);
      south = Math.min(south, rows[i]); north = Math.max(north, rows[i]);
      west = Math.min(west, columns[i]); east = Math.max(east, columns[i]);
    }
    const degree = squares.side / frame.perDegree, margin = 0.25 + squares.spread / frame.perDegree;
    box = {
      south: frame.south + south * degree - margin, north: frame.south + (north + 1) * degree + margin,
      west: frame.west + west * degree - margin, east: frame.west + (east + 1) * degree + margin,
    };
    box.centre = Math.cos(((box.south + box.north) / 2) * Math.PI / 180);
  }
  const half = () => squares.side / 2 - 0.5;  // from the first cell of a square to its middle
  const latitude = (i) => frame.south + (rows[i] * squares.side + half()) / frame.perDegree;
  const longitude = (i) => frame.west + (columns[i] * squares.side + half()) / frame.perDegree;

  // --- what is shown -----------------------------------------------------------------------------------------
  const measure = () => document.querySelector("input[name=measure]:checked").value;
  const layerId = () => measure() + "-" + risk.value;
  const projection = () => scenario.value === "historical" ? 0
    : projections.findIndex(([s, h]) => s === scenario.value && h === decades[decade.value]);
  let codes = null, chosen = -1;

  function valueOf(code) {
    const { low, high } = layers[layerId()], share = (code - 1) / 254;
    return measure() === "hazard" ? low + share * (high - low) : low * Math.pow(high / low, share);
  }
  function told(code) {
    if (code === 0) return text("no result", "결과 없음");
    const value = valueOf(code);
    if (measure() === "hazard") return value.toFixed(0);
    return (code === 1 ? "≤ " : "") + percent(value);
  }
  const percent = (share, digits = 2) => {
    const value = Number((100 * share).toPrecision(digits));
    return (value >= 1e-6 || value === 0 ? value.toLocaleString("en", { maximumSignificantDigits: digits })
      : value.toExponential(digits - 1).replace(/e-(\d+)$/, "·10^−$1")) + " %";
  };

  // --- drawing -----------------------------------------------------------------------------------------------
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  let scale, ratio = 1;
  const x = (lon) => (lon - box.west) * box.centre * scale;
  const y = (lat) => (box.north - lat) * scale;
  function resize() {
    ratio = Math.min(devicePixelRatio || 1, 3);
    const width = canvas.parentElement.clientWidth;
    const tall = width * (box.north - box.south) / ((box.east - box.west) * box.centre);
    const height = Math.min(Math.max(tall, 260), 820);
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
    // The box grows to the canvas's shape.
    scale = Math.min(canvas.width / ((box.east - box.west) * box.centre), canvas.height / (box.north - box.south));
    box.offsetX = (canvas.width - (box.east - box.west) * box.centre * scale) / 2;
    box.offsetY = (canvas.height - (box.north - box.south) * scale) / 2;
    draw();
  }
  function outline(line, close) {
    pen.beginPath();
    line.forEach(([lat, lon], i) => (i ? pen.lineTo(x(lon), y(lat)) : pen.moveTo(x(lon), y(lat))));
    if (close) pen.closePath();
  }
  function draw() {
    if (!codes) return;
    const n = squares.n, first = projection() * n, ramp = ramps[measure()];
    const degree = squares.side / frame.perDegree;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(1, 0, 0, 1, box.offsetX, box.offsetY);
    pen.fillStyle = colour("land");
    for (const line of coast) { outline(line, true); pen.fill(); }
    graticule();
    const wide = squares.spread > 1 ? squares.spread : 1;
    const dx = degree * box.centre * scale * wide, dy = degree * scale * wide;
    const overlap = wide === 1 ? 0.6 : 0;
    for (let i = 0; i < n; i++) {
      const code = codes[first + i];
      if (code === 0) continue;
      pen.fillStyle = `rgb(${ramp[3 * code]},${ramp[3 * code + 1]},${ramp[3 * code + 2]})`;
      pen.fillRect(x(longitude(i)) - dx / 2, y(latitude(i)) - dy / 2, dx + overlap, dy + overlap);
    }
    pen.strokeStyle = colour("muted"); pen.lineWidth = 0.7 * ratio; pen.globalAlpha = 0.55;
    for (const line of coast) { outline(line, true); pen.stroke(); }
    pen.globalAlpha = 1;
    names();
    if (chosen >= 0) {
      pen.lineWidth = 2.5 * ratio; pen.strokeStyle = colour("card");
      pen.strokeRect(x(longitude(chosen)) - dx / 2 - 2 * ratio, y(latitude(chosen)) - dy / 2 - 2 * ratio, dx + 4 * ratio, dy + 4 * ratio);
      pen.lineWidth = 1.5 * ratio; pen.strokeStyle = colour("ink");
      pen.strokeRect(x(longitude(chosen)) - dx / 2 - 3.5 * ratio, y(latitude(chosen)) - dy / 2 - 3.5 * ratio, dx + 7 * ratio, dy + 7 * ratio);
    }
  }
  function graticule() {
    pen.strokeStyle = colour("line"); pen.fillStyle = colour("muted"); pen.lineWidth = ratio * 0.7;
    pen.font = `${10 * ratio}px system-ui, sans-serif`;
    for (let lat = Math.ceil(box.south); lat <= box.north; lat++) {
      outline([[lat, box.west - 9], [lat, box.east + 9]]); pen.stroke();
      pen.fillText(lat + "°N", -box.offsetX + 5 * ratio, y(lat) - 3 * ratio);
    }
    for (let lon = Math.ceil(box.west); lon <= box.east; lon++) {
      outline([[box.south - 9, lon], [box.north + 9, lon]]); pen.stroke();
      pen.fillText(lon + "°E", x(lon) + 3 * ratio, canvas.height - box.offsetY - 5 * ratio);
    }
  }
  function names() {
    const size = 11 * ratio;
    pen.font = `600 ${size}px system-ui, sans-serif`;
    pen.lineJoin = "round";
    const taken = [];
    for (const name of ["Seoul", "Busan", "Daegu", "Gwangju", "Daejeon", "Incheon", "Ulsan", "Jeju", "Gangneung", "Jeonju", "Ulleungdo", "Pohang"]) {
      const one = places.find((p) => p[2] === name);
      if (!one || one[0] < box.south || one[0] > box.north || one[1] < box.west || one[1] > box.east) continue;
      const label = text(one[2], one[3]), width = pen.measureText(label).width;
      const left = x(one[1]) + 6 * ratio, top = y(one[0]) + size / 3;
      if (taken.some(([l, t, w]) => left < l + w && l < left + width && Math.abs(t - top) < size * 1.2)) continue;
      taken.push([left, top, width]);
      pen.lineWidth = 3 * ratio; pen.strokeStyle = colour("card"); pen.strokeText(label, left, top);
      pen.fillStyle = colour("ink"); pen.fillText(label, left, top);
      pen.beginPath(); pen.arc(x(one[1]), y(one[0]), 2.4 * ratio, 0, 7); pen.fill();
      pen.lineWidth = ratio; pen.stroke();
    }
  }
  function key() {
    const bar = by("key"), { low, high } = layers[layerId()], ramp = ramps[measure()];
    bar.width = 255;
    const brush = bar.getContext("2d");
    for (let i = 1; i < 256; i++) {
      brush.fillStyle = `rgb(${ramp[3 * i]},${ramp[3 * i + 1]},${ramp[3 * i + 2]})`;
      brush.fillRect(i - 1, 0, 1, 14);
    }
    const ticks = [];
    if (measure() === "hazard") for (let v = 0; v <= 100; v += 20) ticks.push([v / 100, String(v)]);
    else {
      for (let power = Math.ceil(Math.log10(low) + 0.15); Math.pow(10, power) < high * 0.75; power++) {
        const value = Math.pow(10, power);
        ticks.push([Math.log(value / low) / Math.log(high / low), percent(value, 1)]);
      }
      if (!ticks.length || ticks[ticks.length - 1][0] < 0.8) ticks.push([1, percent(high, 2)]);
    }
    by("ticks").replaceChildren(...ticks.map(([share, label]) => {
      const one = document.createElement("span");
      one.textContent = label; one.style.left = 100 * share + "%";
      one.className = share < 0.04 ? "first" : share > 0.96 ? "last" : "";
      return one;
    }));
    by("key-note").textContent = measure() === "hazard"
      ? text("Hazard score: 0 to 100; a new level begins every 20.", "위해성 점수 0~100, 20점마다 등급이 바뀝니다.")
      : text("Average annual loss, % of an asset's value a year; logarithmic, one scale for all decades and scenarios of the risk.",
        "연평균 손실, 연간 자산가치 대비 %. 로그 축이며 리스크별로 모든 연대와 시나리오에 같은 축입니다.");
  }
  function spread() {
    const n = squares.n, first = projection() * n, counts = new Array(40).fill(0);
    let known = 0;
    const sorted = [];
    for (let i = 0; i < n; i++) {
      const code = codes[first + i];
      if (code) { counts[Math.min(39, Math.floor((code - 1) / 6.375))]++; known++; sorted.push(code); }
    }
    sorted.sort((a, b) => a - b);
    const most = Math.max(...counts, 1), svg = by("spread");
    svg.replaceChildren(...counts.map((count, i) => {
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      bar.setAttribute("x", i * 8 + 0.5); bar.setAttribute("width", 7);
      bar.setAttribute("y", 88 - 84 * count / most); bar.setAttribute("height", 84 * count / most);
      return bar;
    }));
    const floor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [name, value] of [["x1", 0], ["x2", 320], ["y1", 88.5], ["y2", 88.5]]) floor.setAttribute(name, value);
    svg.append(floor);
    const what = squares.side > 1 ? text("squares", "칸") : text("cells", "격자");
    by("spread-title").textContent = known
      ? text(`How ${known.toLocaleString()} ${what} are spread; median ${told(sorted[known >> 1])}`,
        `${known.toLocaleString()}개 ${what}의 분포, 중앙값 ${told(sorted[known >> 1])}`)
      : text("No cell has a result here.", "결과가 있는 격자가 없습니다.");
  }
  function readout() {
    const out = by("readout");
    const line = (name, content) => {
      const one = document.createElement("div");
      one.className = name; one.textContent = content;
      return one;
    };
    if (chosen < 0) {
      out.replaceChildren(line("where", text("No cell is chosen.", "선택된 칸이 없습니다.")));
      return;
    }
    const lat = latitude(chosen), lon = longitude(chosen), code = codes[projection() * squares.n + chosen];
    let near = null, best = 0.3;
    for (const one of places) {
      const distance = Math.hypot(one[0] - lat, (one[1] - lon) * box.centre);
      if (distance < best) { best = distance; near = one; }
    }
    const digits = squares.side > 1 ? 3 : 2;
    let where = `${lat.toFixed(digits)}° N, ${lon.toFixed(digits)}° E`;
    if (near) where += " · " + (best < 0.008 ? "" : text("near ", "")) + text(near[2], near[3]) + (best < 0.008 ? "" : text("", " 부근"));
    const what = line("what", told(code));
    if (code && measure() === "hazard") {
      const small = document.createElement("small");
      const level = LEVELS[Math.min(4, Math.floor(valueOf(code) / 20))];
      small.textContent = " / 100 · " + text(...level);
      what.append(small);
    }
    out.replaceChildren(line("where", where), what, line("where", by("map-title").textContent));
  }
  function title() {
    const when = scenario.value === "historical" ? text("baseline", "기준")
      : scenario.selectedOptions[0].textContent + " " + text(decades[decade.value], decades[decade.value].slice(0, 4) + "년대");
    by("decade-name").textContent = scenario.value === "historical" ? "–" : text(decades[decade.value], decades[decade.value].slice(0, 4) + "년대");
    decade.disabled = scenario.value === "historical";
    by("map-title").textContent = text(...risks[risk.value]) + ", "
      + (measure() === "hazard" ? text("Hazard score", "위해성 점수") : "AAL") + ", " + when;
  }
  async function show() {
    for (const radio of document.querySelectorAll("input[name=measure]")) {
      radio.disabled = !layers[radio.value + "-" + risk.value];
      if (radio.disabled && radio.checked) {
        radio.checked = false;
        [...document.querySelectorAll("input[name=measure]")].find((one) => one !== radio).checked = true;
      }
    }
    const id = layerId(), found = await codesOf(id);
    if (id !== layerId()) return;  // another was chosen in the meantime
    codes = found;
    title(); key(); draw(); spread(); readout();
  }

  // --- choosing a cell ---------------------------------------------------------------------------------------
  function choose(i) {
    if (i === chosen) return;
    chosen = i;
    draw(); readout();
  }
  function under(event) {
    const area = canvas.getBoundingClientRect();
    const px = (event.clientX - area.left) * ratio - box.offsetX, py = (event.clientY - area.top) * ratio - box.offsetY;
    const lon = px / scale / box.centre + box.west, lat = box.north - py / scale;
    const column = ((lon - frame.west) * frame.perDegree + 0.5) / squares.side, row = ((lat - frame.south) * frame.perDegree + 0.5) / squares.side;
    const exact = at.get(Math.floor(row) * 1000 + Math.floor(column));
    if (exact !== undefined) return exact;
    return squares.spread > 1 ? nearest(row - 0.5, column - 0.5, squares.spread) : -1;
  }
  function nearest(row, column, within) {
    let found = -1, best = within * within;
    for (let i = 0; i < squares.n; i++) {
      const distance = (rows[i] - row) ** 2 + (columns[i] - column) ** 2;
      if (distance < best) { best = distance; found = i; }
    }
    return found;
  }
  const ARROWS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  function step(direction) {
    if (chosen < 0) return choose(nearest((rows[0] + rows[squares.n - 1]) / 2, (columns[0] + columns[squares.n - 1]) / 2, 1e4));
    let found = -1, best = Infinity;
    for (let i = 0; i < squares.n; i++) {
      const up = rows[i] - rows[chosen], right = columns[i] - columns[chosen];
      const along = up * direction[0] + right * direction[1], aside = Math.abs(up * direction[1]) + Math.abs(right * direction[0]);
      if (along <= 0 || aside > along) continue;
      const distance = along + 2 * aside;
      if (distance < best) { best = distance; found = i; }
    }
    if (found >= 0) choose(found);
  }
  canvas.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") { const i = under(event); if (i >= 0) choose(i); } });
  canvas.addEventListener("pointerdown", (event) => { const i = under(event); if (i >= 0) choose(i); });
  canvas.addEventListener("keydown", (event) => {
    const direction = ARROWS[event.key];
    if (direction) { event.preventDefault(); step(direction); }
  });
  place.addEventListener("change", () => {
    const one = places[place.value];
    if (!one) return;
    const row = ((one[0] - frame.south) * frame.perDegree + 0.5) / squares.side, column = ((one[1] - frame.west) * frame.perDegree + 0.5) / squares.side;
    const found = at.get(Math.floor(row) * 1000 + Math.floor(column));
    choose(found === undefined ? nearest(row - 0.5, column - 0.5, 30) : found);
  });

  // --- controls ----------------------------------------------------------------------------------------------
  function label() {
    for (const option of document.querySelectorAll("option[data-en]")) option.textContent = text(option.dataset.en, option.dataset.ko);
    for (const option of risk.options) option.textContent = text(...risks[option.value]);
    place.replaceChildren(new Option("–", ""), ...places
      .map((one, i) => [i, one]).filter(([, one]) => one[0] > box.south && one[0] < box.north && one[1] > box.west && one[1] < box.east)
      .map(([i, one]) => new Option(text(one[2], one[3]), i)).sort((a, b) => a.text.localeCompare(b.text)));
  }
  async function start() {
    locate(new Uint32Array(await inflated(squares.places)));
    for (const name of Object.keys(risks)) {
      if (layers["hazard-" + name] || layers["aal-" + name]) risk.append(new Option(name, name));
    }
    if (!layers["hazard-" + risk.value]) document.querySelector("input[value=aal]").checked = true;
    scenario.value = "ssp245";
    label();
    for (const one of [risk, scenario, decade, ...document.querySelectorAll("input[name=measure]")]) one.addEventListener("input", show);
    by("controls").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("language", () => { label(); show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const seoul = places.find((one) => one[2] === "Seoul");
    if (seoul) chosen = nearest((seoul[0] - frame.south) * frame.perDegree / squares.side, (seoul[1] - frame.west) * frame.perDegree / squares.side, 20 / squares.side);
    resize();
    await show();
    addEventListener("resize", resize);
    document.documentElement.dataset.map = "drawn";
  }
  start();
})();
