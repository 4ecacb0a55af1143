// What goes on, looked at every two seconds while somebody looks at the page.
import { loggedOut } from "./follow.js";

const by = (id) => document.getElementById(id), live = by("live"), body = by("active");
const jobs = JSON.parse(body.dataset.jobs), statuses = JSON.parse(body.dataset.statuses);
const number = (value) => (value === null || value === undefined ? "–" : Number(value).toLocaleString());

function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function element(name, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
}

function line(row) {
  const name = jobs[row.job_type] || row.job_type;
  const bar = element("progress", { max: 100, value: row.progress });
  bar.setAttribute("aria-label", name);
  const head = element("th", {}, element("a", { href: `/batch/${row.batch_id}` }, name));
  head.scope = "row";
  return element("tr", {}, head,
    element("td", {}, element("span", { className: `state s-${row.status}` }, statuses[row.status] || row.status)),
    element("td", { className: "wide" }, bar, " ", element("span", { className: "n" }, `${row.progress} %`)),
    element("td", { className: "n" }, number(row.completed_items) + (row.total_items ? ` / ${number(row.total_items)}` : "")),
    element("td", {}, row.current_step || ""));
}

function show(found) {
  const alive = found.workers?.reduce((sum, one) => sum + one.processes, 0);
  by("workers").textContent = number(alive);
  by("roles").textContent = (found.workers || []).map((one) => `${one.processes} ${one.role || ""}`).join(", ");
  by("waiting").textContent = number(found.queue?.waiting);
  by("oldest").textContent = lasting(found.waiting?.length ? Math.max(...found.waiting.map((one) => one.seconds)) : null);
  by("listener").textContent = lasting(found.listener?.seconds_ago);
  by("requests").textContent = number(found.requests_of_last_hour?.completed);
  const rows = (found.active || []).map(line);
  if (!rows.length) {
    const none = element("td", { className: "muted" }, live.dataset.none);
    none.colSpan = 5;
    rows.push(element("tr", {}, none));
  }
  // Not while the reader is in it: what is focused would be taken away.
  if (!body.contains(document.activeElement)) body.replaceChildren(...rows);
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
