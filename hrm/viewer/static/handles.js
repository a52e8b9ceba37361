/** What every handle can do: be dragged, be moved by keys, be put back. */

import { holdWith } from "./grip.js";
import { abandon, commit, draft, near } from "./live.js";
import { editable } from "./state.js";

/** @typedef {import("./grip.js").Handle} Handle */

/** So long after the last key an edit is kept [ms]: a log with every keystroke helps nobody. */
const QUIET_MS = 800;

/**
 * Make an element a handle.
 * @param {SVGElement} target With role="slider".
 * @param {Handle} handle
 */
function attach(target, handle) {
  target.addEventListener("pointerdown", (event) => grab(/** @type {PointerEvent} */ (event), target, handle));
  target.addEventListener("keydown", (event) => key(/** @type {KeyboardEvent} */ (event), handle));
  target.addEventListener("blur", () => keep());
  for (const comes of ["pointerenter", "focus"]) target.addEventListener(comes, () => approach(handle));
}

holdWith(attach);

/** @param {Handle} handle */
function approach(handle) {
  // Where a handle snaps to the swallows nothing is known of it before.
  if (editable() && !dragging && !handle.edits) near(edits(handle, handle.value()));
}

/** @type {{handle: Handle, value: number, timer: number}|null} */
let typed = null;
let dragging = false;

/** Whether a handle is under the pointer: then it must not be redrawn away. */
export function busy() {
  return dragging;
}

/**
 * @param {Handle} handle
 * @param {number} value
 * @returns {import("./types.js").Edit[]}
 */
function edits(handle, value) {
  const [low, high] = handle.range();
  const grain = handle.grain ?? 0.01;
  if (handle.edits) return handle.edits(Math.min(high, Math.max(low, value)));
  const kept = Math.min(high, Math.max(low, Math.round(value / grain) * grain));
  return [{ object: handle.object, field: handle.field, new: Math.round(kept * 100) / 100 }];
}

/**
 * @param {PointerEvent} event
 * @param {SVGElement} target
 * @param {Handle} handle
 */
function grab(event, target, handle) {
  if (event.button !== 0 || !editable()) return;
  event.preventDefault();
  event.stopPropagation();
  keep();
  target.focus();
  target.setPointerCapture(event.pointerId);
  // Where in the handle it was grabbed: it must not jump.
  const slip = handle.value() - handle.read(event);
  const drag = { moved: false, last: handle.value() };
  dragging = true;
  const move = (/** @type {Event} */ moved) => {
    drag.moved = true;
    drag.last = handle.read(/** @type {PointerEvent} */ (moved)) + slip;
    tryOut(edits(handle, drag.last));
  };
  const stop = (/** @type {Event} */ last) => {
    target.removeEventListener("pointermove", move);
    target.removeEventListener("pointerup", stop);
    target.removeEventListener("pointercancel", stop);
    document.removeEventListener("keydown", escape, true);
    dragging = false;
    if (last.type !== "pointerup") abandon();
    else if (drag.moved) settle(edits(handle, drag.last));
  };
  const escape = (/** @type {KeyboardEvent} */ pressed) => {
    if (pressed.key !== "Escape") return;
    pressed.stopPropagation();
    stop(new Event("pointercancel"));
  };
  target.addEventListener("pointermove", move);
  target.addEventListener("pointerup", stop);
  target.addEventListener("pointercancel", stop);
  document.addEventListener("keydown", escape, true);
}

/**
 * @param {KeyboardEvent} event
 * @param {Handle} handle
 */
function key(event, handle) {
  if (!editable() || event.ctrlKey || event.metaKey || event.altKey) return;
  const moved = moveOf(event, handle);
  if (moved !== 0) type(handle, moved);
  else if (event.key === "Enter") keep();
  else if (event.key === "Escape" && typed) forget();
  else if (event.key === "Delete" || event.key === "Backspace") {
    forget();
    // What is many edits has no value of its own to go back to.
    if (!handle.edits) commit([{ object: handle.object, field: handle.field, new: null }]);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/**
 * @param {KeyboardEvent} event
 * @param {Handle} handle
 */
function moveOf(event, handle) {
  const size = event.shiftKey ? handle.leap : handle.step;
  if (event.key === "ArrowUp") return handle.up * size;
  if (event.key === "ArrowDown") return -handle.up * size;
  if (event.key === "ArrowRight") return size;
  if (event.key === "ArrowLeft") return -size;
  if (event.key === "PageUp") return handle.up * handle.leap;
  if (event.key === "PageDown") return -handle.up * handle.leap;
  return 0;
}

/**
 * Measure what the hand holds; nothing, if it is where it was.
 * @param {import("./types.js").Edit[]} made
 */
function tryOut(made) {
  if (made.length) draft(made);
  else abandon();
}

/** @param {import("./types.js").Edit[]} made */
function settle(made) {
  if (made.length) commit(made);
  else abandon();
}

/**
 * @param {Handle} handle
 * @param {number} moved
 */
function type(handle, moved) {
  const from = typed?.handle.field === handle.field && typed.handle.object === handle.object ? typed.value : handle.value();
  if (typed) clearTimeout(typed.timer);
  const value = handle.next ? handle.next(from, Math.sign(moved)) : from + moved;
  typed = { handle, value, timer: window.setTimeout(keep, QUIET_MS) };
  tryOut(edits(handle, value));
}

/** Keep what was typed. */
export function keep() {
  if (!typed) return;
  clearTimeout(typed.timer);
  const { handle, value } = typed;
  typed = null;
  settle(edits(handle, value));
}

function forget() {
  if (!typed) return;
  clearTimeout(typed.timer);
  typed = null;
  abandon();
}
