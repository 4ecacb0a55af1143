// Following a batch: its events as they come; after a lost connection the browser asks again, and gets the state at once.
export const ENDED = ["completed", "failed", "cancelled"];

// What is said of what moves, in the reader's language.
export const words = JSON.parse(document.getElementById("words").textContent);

export function stepInWords(step) {
  const { steps, risks } = words, [first, ...others] = (step || "").split(" "), rest = others.join(" ");
  if (!step || steps[step] || risks[step]) return steps[step] || risks[step] || "";
  if (steps[first] && risks[rest]) return `${steps[first]}: ${risks[rest]}`;
  return steps[first] && /^\d+$/.test(rest) ? `${steps[first]} ${rest}` : step;
}

export function follow(batchId, tell, lost = () => {}) {
  let source = null, closed = false;
  const close = () => { closed = true; source.close(); };
  const open = () => {
    source = new EventSource(`/api/batch/${batchId}/events`);
    source.onmessage = (event) => {
      const state = JSON.parse(event.data);
      tell(state);
      if (ENDED.includes(state.status)) close();
    };
    source.onerror = () => {
      lost();
      // What the server refuses (401, 429, 503) the browser does not ask again, and it does not tell which it was.
      if (source.readyState === EventSource.CLOSED) setTimeout(again, 3000);
    };
  };
  const again = async () => {
    const answer = await fetch(`/api/batch/${batchId}/status?results=false`).catch(() => null);
    if (!closed && !(answer && loggedOut(answer))) open();
  };
  open();
  return { close };
}

// A session that has ended: only a key helps.
export function loggedOut(response) {
  if (response.status === 401) location.assign("/login");
  return response.status === 401;
}

export async function problemOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail || `${response.status} ${response.statusText}`;
}

// The page of a batch as the server writes it now, in the reader's language; `live`: what moves alone.
export async function pageOf(batchId, live) {
  const response = await fetch(`/batch/${batchId}${live ? "?live=true" : ""}`);
  if (loggedOut(response) || !response.ok) throw new Error(response.statusText);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
