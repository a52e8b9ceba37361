/** What the numbers were measured in, and what is known of the recording: never to be grabbed. */

import { need, svg } from "./dom.js";
import { plain } from "./format.js";
import { frame, xOf, yOf } from "./frame.js";
import { selectedMarks, state } from "./state.js";

/** A region that is narrower has no room for its name [px]. */
const LEAST_LABELLED = 55;

/** Draw bands, notes of the file, and the regions of the selected swallow. */
export function drawBoxes() {
  const layer = need("boxes", SVGElement);
  const chosen = state.look.boxes ? selectedMarks() : null;
  layer.replaceChildren(...bands(), ...notes(), ...(chosen ? regions(chosen) : []), ...ownBorders(), ...sensors());
}

/** @param {number} time */
function inside(time) {
  return Math.min(frame.left + frame.width, Math.max(frame.left, xOf(time)));
}

/**
 * @param {[number, number]} time
 * @param {[number, number]} cm
 * @param {string} kind
 * @param {string} label
 * @param {string} words
 */
function region(time, cm, kind, label, words) {
  const [left, right] = [inside(time[0]), inside(time[1])];
  const [top, bottom] = [Math.max(frame.top, yOf(cm[0])), Math.min(frame.top + frame.height, yOf(cm[1]))];
  if (right <= left || bottom <= top) return [];
  const at = { x: left, y: top, width: right - left, height: bottom - top };
  const name = kind === "sleeve" ? { x: left + 4, y: top - 4 } : { x: right - 4, y: top + 13, "text-anchor": "end" };
  return [
    svg("rect", { class: `region ${kind} halo`, ...at }),
    svg("rect", { class: `region ${kind}`, ...at }, svg("title", {}, words)),
    ...(right - left < LEAST_LABELLED ? [] : [svg("text", { class: "haloed", ...name }, label)]),
  ];
}

/** @param {import("./types.js").SwallowMarks} swallow */
function regions(swallow) {
  const made = [];
  const { dci_box: box, esleeve: sleeve } = swallow;
  if (box) made.push(...region(box.time_s, box.cm, "dci", "DCI", "Region of the distal contractile integral"));
  if (sleeve) {
    made.push(...region(sleeve.time_s, sleeve.cm, "sleeve", "e-sleeve", "Electronic sleeve in the relaxation window"));
    const y = Math.min(frame.top + frame.height, yOf(sleeve.cm[1])) - 3;
    for (const [from, to] of sleeve.used) {
      const [left, right] = [inside(from), inside(to)];
      if (right > left) made.push(svg("rect", { class: "used", x: left, y, width: right - left, height: 5 }, svg("title", {}, "Samples that the IRP is the mean of")));
    }
  }
  return made;
}

/** Landmarks that hold for one swallow alone, over its window. */
function ownBorders() {
  /** @type {SVGElement[]} */
  const made = [];
  if (!state.look.landmarks || state.look.own) return made;
  for (const swallow of state.marks.swallows) {
    for (const field of swallow.own ?? []) {
      const value = swallow.landmarks?.[field];
      const [left, right] = swallow.window_s.map(inside);
      if (!field.endsWith("_cm") || typeof value !== "number" || right <= left) continue;
      const words = `${plain(field.replace(/_cm$/, ""))} of swallow ${swallow.number} alone`;
      made.push(svg("line", { class: "own-border", x1: left, x2: right, y1: yOf(value), y2: yOf(value) }, svg("title", {}, words)));
    }
  }
  return made;
}

/** Postures and protocols along the lower edge of the picture. */
function bands() {
  const made = [];
  for (const { time_s: [from, to], what, of } of state.marks.protocol) {
    const y = frame.top + frame.height - (of === "protocol" ? 30 : 15);
    const [left, right] = [inside(from), inside(to)];
    if (right <= left) continue;
    made.push(svg("rect", { class: "band", x: left, y, width: right - left, height: 15 }));
    if (right - left > 30) made.push(svg("text", { class: "band-name", x: left + 4, y: y + 11 }, plain(what)));
  }
  return made;
}

/** Notes of the file: a tick each, in words where there is room. */
function notes() {
  const made = [];
  let free = -Infinity;
  for (const { time_s: time, text } of state.study.annotations) {
    const x = xOf(time);
    if (x < frame.left || x > frame.left + frame.width) continue;
    made.push(svg("line", { class: "note", x1: x, x2: x, y1: frame.top, y2: frame.top + 14 }, svg("title", {}, text)));
    if (x <= free) continue;
    const shown = text.length > 24 ? `${text.slice(0, 23)}…` : text;
    made.push(svg("text", { class: "haloed note-text", x: x + 3, y: frame.top + 12 }, shown, svg("title", {}, text)));
    free = x + 7 * shown.length;
  }
  return made;
}

/** Sensors on the depth axis; one that failed is crossed out. */
function sensors() {
  const found = state.result?.quality?.sensors ?? [];
  return state.study.depth_cm.map((cm, index) => {
    const known = found[index];
    const bad = known && known.usable === false;
    const y = yOf(cm);
    const words = bad ? `Sensor ${index + 1}: ${plain(known.status)}, not used` : `Sensor ${index + 1}`;
    const [x1, x2] = bad ? [frame.left - 4, frame.left + 8] : [frame.left - 3, frame.left];
    return svg("line", { class: bad ? "sensor bad" : "sensor", x1, x2, y1: y, y2: y }, svg("title", {}, words));
  });
}
