// Following a batch: its events as they come; after a lost connection the browser asks again, and gets the state at once.
export const ENDED = ["completed", "failed", "cancelled"];

export function follow(batchId, tell, lost = () => {}) {
  const source = new EventSource(`/api/batch/${batchId}/events`);
  source.onmessage = (event) => {
    const state = JSON.parse(event.data);
    tell(state);
    if (ENDED.includes(state.status)) source.close();
  };
  source.onerror = () => {
    lost();
    // What the server refuses (429, 503) the browser does not ask again.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(batchId, tell, lost), 3000);
  };
  return source;
}

export async function problemOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail || `${response.status} ${response.statusText}`;
}
