// What goes on, looked at every two seconds while somebody looks at the page.
import { loggedOut, stepInWords, words } from "./follow.js";

const by = (id) => document.getElementById(id), live = by("live"), body = by("active"), recent = by("recent");
const jobs = JSON.parse(body.dataset.jobs), statuses = JSON.parse(body.dataset.statuses);
const number = (value) => (value === null || value === undefined ? "–" : Number(value).toLocaleString());
// As the server writes times: in the zone of the schedule, year first.
const clock = new Intl.DateTimeFormat("sv-SE", {
  timeZone: live.dataset.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});

function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(1000 * Math.max(0, seconds))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function element(name, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
}

function head(row) {
  return Object.assign(element("th", {}, element("a", { href: `/batch/${row.batch_id}` }, jobs[row.job_type] || row.job_type)), { scope: "row" });
}
function state(row) {
  return element("td", {}, element("span", { className: `state s-${row.status}` }, statuses[row.status] || row.status));
}
function lineOfActive(row) {
  const bar = element("progress", { max: 100, value: row.progress });
  bar.setAttribute("aria-label", jobs[row.job_type] || row.job_type);
  return element("tr", {}, head(row), state(row),
    element("td", { className: "wide" }, bar, " ", element("span", { className: "n" }, `${row.progress} %`)),
    element("td", { className: "n" }, number(row.completed_items) + (row.total_items ? ` / ${number(row.total_items)}` : "")),
    element("td", {}, stepInWords(row.current_step)));
}
function lineOfEnded(row) {
  return element("tr", {}, head(row), state(row),
    element("td", { className: "n" }, lasting(row.actual_duration_seconds)),
    element("td", { className: "nowrap" }, element("time", { dateTime: row.created_at }, clock.format(new Date(row.created_at)))));
}

// What an element says becomes what another of its kind says; what is equal is not touched.
function settle(was, now) {
  if (was.nodeName === "PROGRESS") { if (was.value !== now.value) was.value = now.value; return; }
  if (was.className !== now.className) was.className = now.className;
  if (was.children.length !== now.children.length) { was.replaceChildren(...now.childNodes); return; }
  if (was.children.length) [...was.children].forEach((one, i) => settle(one, now.children[i]));
  else if (was.textContent.trim() !== now.textContent) was.textContent = now.textContent;
}

// A row stays the same element as long as its batch is listed: it keeps the focus, and a bar glides on.
function fill(table, rows, line, none) {
  const there = new Map([...table.rows].map((one) => [one.dataset.id, one])), focused = document.activeElement;
  const wanted = rows.map((row) => {
    const now = line(row), was = there.get(row.batch_id);
    now.dataset.id = row.batch_id;
    if (was) settle(was, now);
    return was || now;
  });
  if (!wanted.length) wanted.push(there.get(undefined) || element("tr", {}, element("td", { className: "muted", colSpan: 5 }, none)));
  for (const one of [...table.rows]) if (!wanted.includes(one)) one.remove();
  wanted.forEach((one, i) => { if (table.rows[i] !== one) table.insertBefore(one, table.rows[i] || null); });
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

function show(found) {
  const alive = found.workers?.reduce((sum, one) => sum + one.processes, 0);
  by("workers").textContent = number(alive);
  by("roles").textContent = (found.workers || []).map((one) => {
    const role = words.roles[one.role] || one.role || "";
    return (document.documentElement.lang === "ko" ? `${role} ${one.processes}` : `${one.processes} ${role}`).trim();
  }).join(", ");
  by("waiting").textContent = number(found.queue?.waiting);
  by("oldest").textContent = lasting(found.waiting?.length ? Math.max(...found.waiting.map((one) => one.seconds)) : null);
  by("listener").textContent = lasting(found.listener?.seconds_ago);
  by("requests").textContent = number(found.requests_of_last_hour?.completed);
  const active = found.active || [], more = (found.active_total || 0) - active.length, focused = document.activeElement;
  fill(body, active, lineOfActive, live.dataset.none);
  by("more").hidden = more <= 0;
  by("more").firstElementChild.textContent = by("more").dataset.more.replace("{n}", number(more));
  fill(recent, found.ended || [], lineOfEnded, live.dataset.ended);
  // A batch that the reader was at has ended: its row is in the other table now.
  if (!focused.isConnected && focused.pathname) recent.querySelector(`a[href="${focused.pathname}"]`)?.focus({ preventScroll: true });
}

async function look() {
  if (!document.hidden) {
    try {
      const response = await fetch("/api/overview", { signal: AbortSignal.timeout(8000) });
      if (loggedOut(response)) return;
      by("away").hidden = response.status !== 503;
      if (response.ok) show(await response.json());
    } catch { by("away").hidden = false; }
  }
  setTimeout(look, 2000);
}
setTimeout(look, 1000);
