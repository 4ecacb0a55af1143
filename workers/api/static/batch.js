// One batch that waits or runs: the bar moves, chunks, failures and log are filled, and at its end the rest of the page.
import { become } from "./become.js";
import { ENDED, follow, pageOf, stepInWords } from "./follow.js";

const by = (id) => document.getElementById(id), batchId = by("batch").dataset.id;
const statuses = JSON.parse(by("batch").dataset.statuses), chip = document.querySelector("#said .state");
const MOVES = ["facts", "chunks", "trouble", "log"];
let busy = false, again = false, ended = false;

function move(progress) {
  by("bar").value = progress;
  by("percent").textContent = `${progress} %`;
}

// At most once a second; what is asked for in between is asked for once more.
async function look() {
  if (busy) { again = true; return; }
  busy = true;
  again = false;
  const page = await pageOf(batchId, !ended).catch(() => null), fresh = page?.getElementById("batch");
  if (fresh && ended && !fresh.dataset.active) { finish(page); return; }
  if (fresh && !ended) {
    for (const id of MOVES) {
      by(id).hidden = page.getElementById(id).hidden;
      become(by(id), page.getElementById(id));
    }
    // The bar is never behind the numbers below it.
    move(Math.max(by("bar").value, page.getElementById("bar").value));
  }
  setTimeout(() => { busy = false; if (again || ended) look(); }, 1000);
}

// The page as it is now, without fetching it anew: the end is heard, and who was in the page stays there.
function finish(page) {
  const focused = document.activeElement, inside = by("main").contains(focused);
  become(by("main"), page.getElementById("main"));
  if (inside && !(focused.isConnected && document.activeElement === focused)) document.querySelector(".actions a, .actions button")?.focus();
}

follow(batchId, (state) => {
  move(Math.max(by("bar").value, state.progress));
  by("step").textContent = stepInWords(state.current_step);
  if (!chip.classList.contains(`s-${state.status}`)) {
    chip.className = `state s-${state.status}`;
    chip.textContent = statuses[state.status] || state.status;
  }
  ended = ENDED.includes(state.status);
  look();
});
