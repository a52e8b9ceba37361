/** Where a number came from: a panel beside the tables. */

import { Refused, explain } from "./api.js";
import { button, element, need } from "./dom.js";
import { state } from "./state.js";

/** What the panel explains: asked for again when the study changes. A swallow is known by its key: numbers move when one is added. @type {{metric: string, key: string|null, text: HTMLElement, leave: () => void}|null} */
let shown = null;
/** How often was asked: an answer that comes late is of an older study. */
let asked = 0;

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) shown?.leave();
});

/**
 * Show the explanation of a number.
 * @param {string} metric
 * @param {number|null} swallow
 */
export async function explainMetric(metric, swallow) {
  const panel = need("explain", HTMLElement);
  const from = document.activeElement;
  const leave = () => {
    const inside = panel.contains(document.activeElement);
    shown = null;
    panel.hidden = true;
    if (!inside) return;
    if (from instanceof HTMLElement && from.isConnected) from.focus();
    else need("picture", HTMLElement).focus();
  };
  const close = button("Close", leave, { title: "Esc" });
  const text = element("div", { class: "answer", role: "group", tabindex: "0", "aria-label": "Explanation" }, "Looking it up …");
  panel.replaceChildren(element("div", { class: "row between" }, element("h2", {}, "Where this number came from"), close), text);
  panel.hidden = false;
  close.focus();
  const key = state.marks.swallows.find((each) => each.number === swallow)?.key ?? null;
  shown = { metric, key: swallow === null ? null : key, text, leave };
  await write(shown, swallow);
}

/** Explain the number as it is now; that of a swallow that is gone is gone too. */
export function explainAgain() {
  if (!shown || state.draft) return;
  const { key } = shown;
  const number = state.marks.swallows.find((each) => each.key === key)?.number ?? null;
  if (key !== null && number === null) shown.leave();
  else void write(shown, number);
}

/**
 * @param {NonNullable<typeof shown>} about
 * @param {number|null} swallow
 */
async function write({ metric, text }, swallow) {
  asked += 1;
  const mine = asked;
  try {
    const answer = await explain(metric, swallow);
    if (mine === asked) text.replaceChildren(...laidOut(answer.facts));
  } catch (fault) {
    if (mine === asked) text.textContent = fault instanceof Refused ? fault.message : "No explanation could be made.";
  }
}

/**
 * Facts as a list, those about one thing under one name.
 * @param {[string, string][]} facts
 */
function laidOut(facts) {
  const [heading, ...rest] = facts;
  const list = element("dl");
  let about = "";
  for (const [name, words] of rest) {
    if (name !== about) list.append(element("dt", {}, name));
    list.append(element("dd", {}, words));
    about = name;
  }
  return [element("p", {}, element("strong", {}, heading?.[1] ?? "")), list];
}
