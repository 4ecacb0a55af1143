// The form without leaving the page: a live bar, then the way to the result. Without this script the form works, too.
import { follow, loggedOut, pageOf, problemOf, stepInWords } from "./follow.js";

const form = document.getElementById("ask"), by = (id) => document.getElementById(id);
const said = (text) => { by("ask-said").textContent = text; };
const statuses = JSON.parse(form?.dataset.statuses || "{}");
let source = null;

function question() {
  const given = new FormData(form), asked = { latitude: Number(given.get("latitude")), longitude: Number(given.get("longitude")) };
  asked.scenario = given.get("scenario");
  if (asked.scenario !== "historical") asked.target_year = Number(given.get("target_year"));
  if (given.get("use").trim()) asked.building = { use: given.get("use").trim() };
  if (given.get("asset_value")) asked.asset_value = Number(given.get("asset_value"));
  return asked;
}

function refuse(text) {
  by("ask-error").textContent = text;
  by("ask-error").hidden = false;
  by("ask-progress").hidden = true;
}

// The fields that were refused, as the problem names them: `latitude`, `building.use`.
function mark(names) {
  const wrong = names.map((one) => one.split(".").at(-1));
  for (const field of form.querySelectorAll("input, select")) {
    const refused = wrong.includes(field.name);
    for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", "ask-error"]]) {
      if (refused) field.setAttribute(name, value);
      else field.removeAttribute(name);
    }
  }
  form.querySelector("[aria-invalid]")?.focus();
}

function show(state, asked, batchId) {
  by("ask-bar").value = state.progress;
  by("ask-percent").textContent = `${state.progress} %`;
  if (state.status === "completed") {
    const query = new URLSearchParams({ latitude: asked.latitude, longitude: asked.longitude, scenario: asked.scenario });
    if (asked.target_year) query.set("target_year", asked.target_year);
    by("ask-open").href = `/place?${query}`;
    by("ask-open").hidden = false;
    // Not from who reads or types elsewhere by now. (A button that is pressed and disabled leaves the focus to the body.)
    const focused = document.activeElement;
    if (focused === document.body || focused === form.querySelector("button[type=submit]")) by("ask-open").focus();
    said(form.dataset.answered);
  } else if (state.status === "failed" || state.status === "cancelled") {
    const status = statuses[state.status] || state.status;
    refuse(`${form.dataset.failed} ${state.error_message || status}`);
    // The reason as the batch's page says it: in the reader's language.
    if (state.error_message) pageOf(batchId, true).then((page) => {
      const told = page.querySelector("#batch .error")?.textContent;
      if (told && form.dataset.batch === batchId) refuse(`${form.dataset.failed} ${told}`);
    }, () => {});
  } else {
    said(stepInWords(state.current_step) || statuses[state.status] || state.status);
  }
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  source?.close();
  const asked = question(), button = form.querySelector("button[type=submit]");
  by("ask-error").hidden = true;
  mark([]);
  by("ask-open").hidden = true;
  by("ask-progress").hidden = false;
  by("ask-bar").value = 0;
  by("ask-percent").textContent = "0 %";
  said(form.dataset.asking);
  button.disabled = true;
  try {
    const response = await fetch("/api/risk/calculate", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked),
    });
    if (loggedOut(response)) return;
    if (!response.ok) {
      const { errors } = await response.clone().json().catch(() => ({}));
      refuse(await problemOf(response));
      mark((errors || []).map((one) => one.field));
      return;
    }
    const { batch_id } = await response.json();
    form.dataset.batch = batch_id;
    source = follow(batch_id, (state) => show(state, asked, batch_id), () => said(form.dataset.lost));
  } catch {
    refuse(form.dataset.lost);
  } finally {
    button.disabled = false;
  }
});
