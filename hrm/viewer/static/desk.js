/** A study of a worklist: its code, the way to the others, and readings beside each other. */

import { element, need, toast } from "./dom.js";
import { compared } from "./compare.js";
import { on, state } from "./state.js";

/** How long nothing changes before the comparison is asked for again [ms]. */
const REST_MS = 400;

let waiting = 0;

/** @param {string} path */
async function ask(path) {
  const answer = await fetch(path, { credentials: "same-origin" });
  const content = await answer.json();
  if (!answer.ok) throw new Error(String(content.message ?? answer.status));
  return content;
}

/**
 * @param {string} text
 * @param {string|null} id
 */
function link(text, id) {
  if (id === null) return element("span", { class: "quiet" }, text);
  return element("a", { href: `/study/${id}/` }, text);
}

/** Show where the study is in the list; outside a worklist there is none. */
export async function initDesk() {
  const code = state.study?.code;
  if (code) document.title = `hrm ${code}`;
  const bar = need("desk", HTMLElement);
  if (!location.pathname.startsWith("/study/")) {
    bar.hidden = !code;
    bar.replaceChildren(...(code ? [element("strong", {}, code)] : []));
    on(["result"], soon);
    soon();
    return;
  }
  try {
    const place = await ask("api/place");
    bar.hidden = false;
    bar.replaceChildren(
      element("a", { href: "/" }, "Worklist"),
      link("← Previous", place.previous),
      element("strong", {}, code ?? ""),
      element("span", {}, `${place.position} of ${place.of}`),
      link("Next →", place.next),
      link("Next to read", place.next_to_read),
    );
    await showReadings();
  } catch (fault) {
    toast(fault instanceof Error ? fault.message : String(fault), "fault");
  }
}

/** A single study: what was found automatically beside what stands now, while it is edited. */
function soon() {
  if (state.draft) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => void showReview().catch(() => undefined), REST_MS);
}

async function showReview() {
  const box = need("readings", HTMLElement);
  box.hidden = !state.result || !/** @type {any} */ (state.result).review;
  if (box.hidden) return;
  const open = box.querySelector("details")?.open ?? false;
  need("readings-table", HTMLElement).replaceChildren(compared(await ask("api/readings")));
  for (const same of box.querySelectorAll("details")) same.open = open;
}

/** Show the readings again, as they are now. */
export async function showReadings() {
  const box = need("readings", HTMLElement);
  const again = element("button", { type: "button" }, "Compare again");
  again.addEventListener("click", () => void showReadings());
  const found = await ask("api/readings");
  box.hidden = found.sides.length < 2;
  // Who settles what others disagree on looks there first.
  if (found.sides.length > 2) need("diagnosis", HTMLElement).before(box);
  need("readings-table", HTMLElement).replaceChildren(compared(found), again);
}
