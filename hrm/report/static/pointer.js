/** Panning and zooming by mouse and touchpad. */

import { need } from "./dom.js";
import { frame, pan, show, timeOf, zoom } from "./frame.js";
import { select, state } from "./state.js";

/**
 * Listen to the picture.
 * @param {(event: WheelEvent) => boolean} taken Whether a turn of the wheel is for the picture, and not for the page.
 */
export function initPointer(taken = () => true) {
  const picture = need("picture", HTMLElement);
  const turned = (/** @type {WheelEvent} */ event) => {
    if (taken(event)) wheel(event, picture);
  };
  picture.addEventListener("wheel", turned, { passive: false });
  picture.addEventListener("pointerdown", (event) => grab(event, picture));
  picture.addEventListener("dblclick", (event) => {
    const time = timeOf(event.clientX - picture.getBoundingClientRect().left);
    const inside = state.marks.swallows.find(({ window_s: [from, to] }) => time >= from - 2 && time <= to + 5);
    if (inside) select(inside.key);
  });
}

/**
 * A wheel zooms about the pointer; sideways, or with Shift, it pans.
 * @param {WheelEvent} event
 * @param {HTMLElement} picture
 */
function wheel(event, picture) {
  event.preventDefault();
  const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  const perPixel = (state.view.end - state.view.start) / frame.width;
  if (event.shiftKey || (Math.abs(event.deltaX) > Math.abs(event.deltaY) && !event.ctrlKey)) {
    pan(sideways * pixels * perPixel);
    return;
  }
  const about = timeOf(event.clientX - picture.getBoundingClientRect().left);
  // A pinch arrives as a wheel with Ctrl and small steps.
  zoom(Math.exp(event.deltaY * pixels * (event.ctrlKey ? 0.01 : 0.0018)), about);
}

/**
 * @param {PointerEvent} event
 * @param {HTMLElement} picture
 */
function grab(event, picture) {
  if (event.button !== 0) return;
  picture.focus({ preventScroll: true });
  const { start, end } = state.view;
  const from = event.clientX;
  const move = (/** @type {PointerEvent} */ moved) => {
    const shift = ((moved.clientX - from) / frame.width) * (end - start);
    show(start - shift, end - shift);
  };
  const stop = () => {
    picture.removeEventListener("pointermove", move);
    picture.removeEventListener("pointerup", stop);
    picture.removeEventListener("pointercancel", stop);
    picture.classList.remove("grabbed");
  };
  picture.setPointerCapture(event.pointerId);
  picture.classList.add("grabbed");
  picture.addEventListener("pointermove", move);
  picture.addEventListener("pointerup", stop);
  picture.addEventListener("pointercancel", stop);
}
