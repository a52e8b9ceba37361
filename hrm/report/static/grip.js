/** What can be taken hold of: in the viewer a mark is moved, in a report it only stands there. */

import { assign } from "./dom.js";
import { editable } from "./state.js";

/**
 * @typedef {Object} Handle
 * @property {string} object Of the edit.
 * @property {string} field
 * @property {() => number} value
 * @property {() => [number, number]} range
 * @property {(event: PointerEvent) => number} read Value under the pointer.
 * @property {number} [grain] What a value is a multiple of; 0.01 where nothing is said.
 * @property {number} step Of an arrow key.
 * @property {number} leap Of Page up and down, and of arrows with Shift.
 * @property {1|-1} up What ArrowUp does to the value.
 * @property {(value: number) => import("./types.js").Edit[]} [edits] Where a value is not one edit of the field.
 * @property {(from: number, way: number) => number} [next] Where a step has no fixed size.
 */

/** @type {((target: SVGElement, handle: Handle) => void)|null} */
let hold = null;

/**
 * Say how a mark is moved; without, none is.
 * @param {(target: SVGElement, handle: Handle) => void} attaching
 */
export function holdWith(attaching) {
  hold = attaching;
}

/** Whether marks can be moved on this page. */
export function movable() {
  return hold !== null;
}

/**
 * Make an element a handle, where marks can be moved.
 * @param {SVGElement} target
 * @param {Handle} handle
 */
export function attach(target, handle) {
  hold?.(target, handle);
}

/**
 * Say to assistive technology what a mark stands at.
 * @param {SVGElement} target
 * @param {Handle} handle
 * @param {string} label
 * @param {string} text
 * @param {"vertical"|"horizontal"} orientation
 */
export function describe(target, handle, label, text, orientation) {
  if (!hold) {
    assign(target, { role: "img", "aria-label": `${label}: ${text}` });
    return;
  }
  const [low, high] = handle.range();
  assign(target, {
    role: "slider",
    tabindex: "0",
    "aria-label": label,
    "aria-orientation": orientation,
    "aria-valuemin": low.toFixed(2),
    "aria-valuemax": high.toFixed(2),
    "aria-valuenow": handle.value().toFixed(2),
    "aria-valuetext": text,
    "aria-disabled": editable() ? null : "true",
  });
}
