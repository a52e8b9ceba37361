/** Remarks of readers on the study and its swallows; they stay in the review log. */

import { button, element, need } from "./dom.js";
import { ask } from "./dialogs.js";
import { clock } from "./format.js";
import { commit } from "./live.js";
import { editable, state } from "./state.js";

const STUDY = "study";

/** @param {string} key Object of the review log. */
export function commentOn(key) {
  return state.study.comments?.[key] ?? null;
}

/** Write what is remarked on the study, and on swallows that are not in the table any more. */
export function drawComments() {
  const known = commentOn(STUDY);
  const lines = [];
  if (known) lines.push(element("p", { class: "comment" }, `“${known.text}” (${known.reader})`));
  for (const [key, { text, reader }] of Object.entries(state.study.comments ?? {})) {
    if (key === STUDY) continue;
    const swallow = state.marks.swallows.find((each) => each.key === key);
    const where = swallow ? `Swallow ${swallow.number ?? ""} at ${clock(swallow.onset_s, 1)}` : key;
    lines.push(element("p", { class: "comment" }, `${where}: “${text}” (${reader})`));
  }
  const change = button(known ? "Change comment" : "Comment on the study", () => edit(known?.text ?? ""), { disabled: state.study.locked || !state.result });
  need("comments", HTMLElement).replaceChildren(...lines, change);
}

/** @param {string} text */
function edit(text) {
  if (!editable()) return;
  const input = textField(text);
  ask("Comment on the study", [labelled("Kept in the review log (no names); empty takes it back", input)], "Keep", () => {
    keep(STUDY, input.value, text);
  });
  input.focus();
}

/** @param {string} text */
export function textField(text) {
  const made = /** @type {HTMLTextAreaElement} */ (element("textarea", { rows: 4, maxlength: "1000", name: "comment" }));
  made.value = text;
  return made;
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 */
function labelled(label, input) {
  return element("label", { class: "field" }, element("span", {}, label), input);
}

/**
 * @param {string} key
 * @param {string} text
 * @param {string} before
 */
function keep(key, text, before) {
  const now = text.trim();
  if (now !== before.trim()) commit([{ object: key, field: "comment", new: now || null, reason: "comment" }]);
}
