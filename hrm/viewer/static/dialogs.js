/** Dialogs: what a reader says of a swallow, with a reason for the log. */

import { button, element } from "./dom.js";
import { clock, plain } from "./format.js";
import { commit, isConnected } from "./live.js";
import { editable, state } from "./state.js";

/** @typedef {import("./types.js").Edit} Edit */

const POSTURES = ["supine", "upright", "unknown"];
const PROTOCOLS = ["single", "mrs", "rdc", "solid", "unknown"];

/**
 * Ask with a form; the dialog of the browser keeps the focus and closes with Escape.
 * @param {string} title
 * @param {HTMLElement[]} fields
 * @param {string} yes
 * @param {() => void} done
 * @param {HTMLElement[]} others More buttons.
 */
export function ask(title, fields, yes, done, others = []) {
  const accept = element("button", { type: "submit", class: "primary" }, yes);
  const cancel = button("Cancel", () => dialog.close());
  const form = element("form", { method: "dialog" }, element("h2", { id: "dialog-title" }, title), ...fields, element("div", { class: "row end" }, ...others, cancel, accept));
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { "aria-labelledby": "dialog-title" }, form));
  const fault = element("p", { class: "warning", role: "alert" });
  form.append(fault);
  form.addEventListener("submit", (event) => {
    if (isConnected()) return done();
    // What was typed stays until it can be kept.
    event.preventDefault();
    fault.textContent = "hrm does not answer, so that this cannot be kept. Copy what you typed, or wait.";
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 */
function labelled(label, input) {
  return element("label", { class: "field" }, element("span", {}, label), input);
}

function reasonField() {
  const input = /** @type {HTMLInputElement} */ (element("input", { type: "text", maxlength: "1000", name: "reason", list: "reasons", autocomplete: "off" }));
  const list = element("datalist", { id: "reasons" });
  for (const each of ["double swallow", "cough", "artifact", "no bolus", "onset misplaced", "catheter moved"]) list.append(element("option", { value: each }));
  const field = labelled("Reason (kept in the review log; no names)", input);
  field.append(list);
  return { input, field };
}

/**
 * @param {string[]} options
 * @param {string} chosen
 */
function selection(options, chosen) {
  const made = element("select");
  for (const value of options) {
    const option = element("option", { value, selected: value === chosen }, plain(value));
    made.append(option);
  }
  return /** @type {HTMLSelectElement} */ (made);
}

/**
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {boolean} back Count it again.
 */
export function excludeSwallow(swallow, back) {
  if (!editable()) return;
  const { input, field } = reasonField();
  const verb = back ? "Include" : "Exclude";
  const title = `${verb} swallow ${swallow.number ?? ""} at ${clock(swallow.onset_s, 1)}`;
  input.required = true;
  input.pattern = ".*\\S.*";
  input.title = "Say why, in a few words";
  ask(title, [field], verb, () => {
    commit([{ object: swallow.key, field: "include", new: back, reason: input.value }]);
  });
  input.focus();
}

/**
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {import("./types.js").Row} row
 */
export function editSwallow(swallow, row) {
  if (!editable()) return;
  const posture = selection(POSTURES, row.posture);
  const protocol = selection(PROTOCOLS, row.protocol);
  const onset = /** @type {HTMLInputElement} */ (element("input", { type: "number", step: "0.01", value: swallow.onset_s.toFixed(2) }));
  const { input, field } = reasonField();
  const wasOnset = onset.value;
  const said = state.study.comments?.[swallow.key]?.text ?? "";
  const comment = /** @type {HTMLInputElement} */ (element("input", { type: "text", maxlength: "1000", name: "comment", autocomplete: "off", value: said }));
  const fields = [labelled("Posture", posture), labelled("Protocol", protocol), labelled("Onset, s from the start", onset), labelled("Comment (kept in the review log; no names)", comment), field];
  const remove = button("Delete swallow", () => {
    dialog.close();
    deleteSwallow(swallow);
  });
  const automatic = button("All automatic again", () => {
    dialog.close();
    commit(["onset_s", "posture", "protocol", "include", "cdp_cm"].map((name) => ({ object: swallow.key, field: name, new: null, reason: input.value })));
  });
  const dialog = ask(`Swallow ${swallow.number ?? ""} at ${clock(swallow.onset_s, 1)}`, fields, "Keep", () => {
    /** @type {Edit[]} */
    const edits = [];
    const keep = (/** @type {string} */ name, /** @type {string|number} */ value) =>
      edits.push({ object: swallow.key, field: name, new: value, reason: input.value });
    if (posture.value !== row.posture) keep("posture", posture.value);
    if (protocol.value !== row.protocol) keep("protocol", protocol.value);
    if (onset.value !== wasOnset && onset.value !== "") keep("onset_s", Number(onset.value));
    const remark = comment.value.trim();
    if (remark !== said) edits.push({ object: swallow.key, field: "comment", new: remark || null, reason: input.value });
    if (edits.length) commit(edits);
  }, [remove, automatic]);
}

/**
 * A swallow that was added is taken away; one that was found does not count any more.
 * @param {import("./types.js").SwallowMarks} swallow
 */
export function deleteSwallow(swallow) {
  if (!editable()) return;
  const row = state.result?.swallows.find((each) => each.id === swallow.number);
  if (row?.onset_method === "reader" && isAdded(swallow)) commit([{ object: swallow.key, field: "added", new: null }]);
  else excludeSwallow(swallow, false);
}

/** @param {import("./types.js").SwallowMarks} swallow */
function isAdded(swallow) {
  const review = /** @type {any} */ (state.result)?.review;
  return Boolean(review?.applied?.some((/** @type {any} */ each) => each.object === swallow.key && each.field === "added"));
}

/**
 * Say that there is a swallow at a time.
 * @param {number} time
 */
export function addSwallow(time) {
  if (!editable()) return;
  const onset = /** @type {HTMLInputElement} */ (element("input", { type: "number", step: "0.01", min: "0", value: time.toFixed(2) }));
  const { input, field } = reasonField();
  ask("Add a swallow", [labelled("Onset, s from the start", onset), field], "Add", () => {
    const key = `swallow@${Number(onset.value).toFixed(2)}`;
    commit([{ object: key, field: "added", new: true, reason: input.value }]);
  });
  onset.focus();
}
