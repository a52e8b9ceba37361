/** Where time and depth lie on the screen, and how the window of time moves. */

import { need } from "./dom.js";
import { changed, state } from "./state.js";

/** Space for axes and labels around the picture [CSS px]. */
const MARGIN = { left: 52, right: 146, top: 22, bottom: 24 };
/** Letters are larger on very large screens, see the style sheet. */
const LARGE = { above: 2200, right: 184, left: 60 };
const LEAST_SECONDS = 2;

export const frame = { left: 0, top: 0, width: 1, height: 1, total: { width: 1, height: 1 } };

/** Measure the space that the picture has. */
export function measure() {
  const box = need("picture", HTMLElement).getBoundingClientRect();
  const large = window.innerWidth >= LARGE.above;
  const right = large ? LARGE.right : MARGIN.right;
  frame.left = large ? LARGE.left : MARGIN.left;
  frame.top = MARGIN.top;
  frame.width = Math.max(50, box.width - frame.left - right);
  frame.height = Math.max(50, box.height - MARGIN.top - MARGIN.bottom);
  frame.total = { width: box.width, height: box.height };
}

/** Depth of the upper and the lower edge [cm]. */
export function depths() {
  const all = state.study.shown_cm ?? state.study.depth_cm;
  return { top: all[0], bottom: all[all.length - 1] };
}

/** @param {number} time */
export function xOf(time) {
  const { start, end } = state.view;
  return frame.left + ((time - start) / (end - start)) * frame.width;
}

/** @param {number} x */
export function timeOf(x) {
  const { start, end } = state.view;
  return start + ((x - frame.left) / frame.width) * (end - start);
}

/** @param {number} cm */
export function yOf(cm) {
  const { top, bottom } = depths();
  return frame.top + ((cm - top) / (bottom - top)) * frame.height;
}

/** @param {number} y */
export function cmOf(y) {
  const { top, bottom } = depths();
  return top + ((y - frame.top) / frame.height) * (bottom - top);
}

/**
 * Show a window of time, kept inside the recording.
 * @param {number} start
 * @param {number} end
 */
export function show(start, end) {
  const whole = state.study.duration_s;
  const span = Math.min(whole, Math.max(LEAST_SECONDS, end - start));
  const first = Math.min(Math.max(0, start), whole - span);
  state.view = { start: first, end: first + span };
  changed("view");
}

/** @param {number} seconds */
export function pan(seconds) {
  show(state.view.start + seconds, state.view.end + seconds);
}

/**
 * Make the window longer or shorter about a time that stays where it is.
 * @param {number} factor
 * @param {number} [about]
 */
export function zoom(factor, about) {
  const { start, end } = state.view;
  const fixed = about ?? (start + end) / 2;
  const span = Math.min(state.study.duration_s, Math.max(LEAST_SECONDS, (end - start) * factor));
  const share = (fixed - start) / (end - start);
  show(fixed - share * span, fixed + (1 - share) * span);
}

/**
 * A window of fixed length about what is looked at.
 * @param {number} seconds
 */
export function fixedWindow(seconds) {
  const chosen = state.marks.swallows.find((each) => each.key === state.selected);
  const { start, end } = state.view;
  const visible = chosen && chosen.onset_s >= start && chosen.onset_s <= end;
  const center = visible ? chosen.onset_s + Math.min(7, seconds / 4) : (start + end) / 2;
  show(center - seconds / 2, center + seconds / 2);
}

/**
 * Bring a time into the picture without changing how much is shown.
 * @param {number} time
 */
export function reveal(time) {
  const { start, end } = state.view;
  const span = end - start;
  if (time < start + 0.05 * span || time > end - 0.35 * span) show(time - span / 4, time + (3 * span) / 4);
}
