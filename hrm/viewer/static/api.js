/** Requests to the server; all of them on the origin that the page came from. */

/** What the server refused, in its own words. */
export class Refused extends Error {}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (cause) {
    throw new Refused("The server does not answer; it may have been stopped.", { cause });
  }
  if (!answer.ok) throw new Refused(await reasonOf(answer));
  return answer;
}

/** @param {Response} answer */
async function reasonOf(answer) {
  const text = await answer.text();
  try {
    const content = JSON.parse(text);
    return String(content.message ?? content.error ?? `The server said ${answer.status}.`);
  } catch {
    return text || `The server said ${answer.status}.`;
  }
}

/** @returns {Promise<import("./types.js").Study>} */
export async function study() {
  return (await request("api/study")).json();
}

/**
 * @param {number} level
 * @param {number} index
 * @param {string} kind
 */
export async function tile(level, index, kind) {
  const answer = await request(`api/tile/${level}/${index}?kind=${kind}`);
  return new Float32Array(await answer.arrayBuffer());
}

/**
 * @param {string} metric
 * @param {number|null} swallow
 */
export async function explain(metric, swallow) {
  const query = new URLSearchParams({ metric });
  if (swallow !== null) query.set("swallow", String(swallow));
  return (await request(`api/explain?${query}`)).json();
}

/** @param {string} action What is not said over the live connection. */
export async function act(action) {
  await request("api/action", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ action }) });
}
