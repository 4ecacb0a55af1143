// One batch that waits or runs: the bar moves, and the page is fetched anew when it has ended.
import { ENDED, follow } from "./follow.js";

const by = (id) => document.getElementById(id), batchId = by("batch").dataset.id;
let asking = false;

async function count() {
  if (asking) return;
  asking = true;
  try {
    const response = await fetch(`/api/batch/${batchId}/status?results=false`);
    if (response.ok) by("done").textContent = (await response.json()).completed_items.toLocaleString();
  } catch { /* the next change asks again */ } finally { setTimeout(() => { asking = false; }, 1000); }
}

follow(batchId, (state) => {
  by("bar").value = state.progress;
  by("percent").textContent = `${state.progress} %`;
  by("step").textContent = state.current_step || "";
  if (ENDED.includes(state.status)) location.reload();
  else count();
});
