// One batch that waits or runs: the bar moves, and the page is fetched anew when it has ended.
import { ENDED, follow, loggedOut } from "./follow.js";

const by = (id) => document.getElementById(id), batchId = by("batch").dataset.id;
const statuses = JSON.parse(by("batch").dataset.statuses), chip = document.querySelector("#said .state");
let asking = false;

async function count() {
  if (asking) return;
  asking = true;
  try {
    const response = await fetch(`/api/batch/${batchId}/status?results=false`);
    if (loggedOut(response)) return;
    if (response.ok) by("done").textContent = (await response.json()).completed_items.toLocaleString();
  } catch { /* the next change asks again */ } finally { setTimeout(() => { asking = false; }, 1000); }
}

follow(batchId, (state) => {
  by("bar").value = state.progress;
  by("percent").textContent = `${state.progress} %`;
  by("step").textContent = state.current_step || "";
  if (!chip.classList.contains(`s-${state.status}`)) {
    chip.className = `state s-${state.status}`;
    chip.textContent = statuses[state.status] || state.status;
  }
  if (ENDED.includes(state.status)) location.reload();
  else count();
});
