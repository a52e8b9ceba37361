/** The handles on the picture: landmarks, the onset and the deceleration point. */

import { assign, need, svg } from "./dom.js";
import { clock, depth, number } from "./format.js";
import { cmOf, depths, frame, timeOf, xOf, yOf } from "./frame.js";
import { attach, describe, movable } from "./grip.js";
import { alone, markOf, objectOf, otherwise, shown } from "./own.js";
import { select, state } from "./state.js";

/** Order of the list is from the mouth down; `short` is written beside the line. */
export const LANDMARKS = [
  { field: "ues_upper_cm", name: "UES upper border", short: "UES upper", group: "ues" },
  { field: "ues_lower_cm", name: "UES lower border", short: "UES lower", group: "ues" },
  { field: "transition_zone_cm", name: "Transition zone", short: "TZ", group: "tz" },
  { field: "les_upper_cm", name: "LES upper border", short: "LES upper", group: "les" },
  { field: "pressure_inversion_point_cm", name: "Pressure inversion point", short: "PIP", group: "pip" },
  { field: "crural_diaphragm_cm", name: "Crural diaphragm", short: "CD", group: "cd" },
  { field: "les_lower_cm", name: "LES lower border", short: "LES lower", group: "les" },
];
/** Depths go in steps of the grid that pressures are read on; the server measures the next ones ahead. */
const GRAIN_CM = 0.1;
const LABEL_GAP = 14;
const MOST_WITH_LINES_S = 300;

/** @type {Map<string, SVGElement>} */
const made = new Map();

/** Draw the handles where the marks are. */
export function drawMarks() {
  const wanted = new Set();
  if (state.look.landmarks) drawLandmarks(wanted);
  if (state.look.boxes) drawSwallows(wanted);
  for (const [id, node] of made) {
    if (wanted.has(id)) continue;
    node.remove();
    made.delete(id);
  }
}

/**
 * A group that is made once: redrawing it would take the focus away.
 * @param {string} id
 * @param {string} layer
 * @param {() => SVGElement} make
 */
function once(id, layer, make) {
  const known = made.get(id);
  if (known) return known;
  const fresh = make();
  made.set(id, fresh);
  need(layer, SVGElement).append(fresh);
  return fresh;
}

/** @param {Set<string>} wanted */
function drawLandmarks(wanted) {
  const found = LANDMARKS.filter(({ field }) => shown(field));
  const labels = spread(found.map(({ field }) => yOf(Number(markOf(field)?.value))));
  found.forEach((landmark, index) => {
    wanted.add(landmark.field);
    const group = once(landmark.field, "landmarks", () => landmarkHandle(landmark));
    placeLandmark(group, landmark, labels[index]);
  });
}

/** @param {(typeof LANDMARKS)[number]} landmark */
function landmarkHandle(landmark) {
  const group = svg(
    "g",
    { class: `mark landmark ${landmark.group}`, "data-field": landmark.field },
    svg("line", { class: "halo" }),
    svg("line", { class: "stroke" }),
    // Dashes of a line hold for its hit area too: a solid, transparent one is grabbed.
    svg("line", { class: "grab" }),
    svg("polyline", { class: "leader" }),
    svg("rect", { class: "plate" }),
    svg("text", {}),
  );
  attach(group, handleOf(landmark));
  return group;
}

/** @param {(typeof LANDMARKS)[number]} landmark @returns {import("./grip.js").Handle} */
function handleOf(landmark) {
  return {
    get object() {
      return objectOf();
    },
    field: landmark.field,
    value: () => Number(markOf(landmark.field)?.value ?? 0),
    range: () => [depths().top, depths().bottom],
    read: (event) => cmOf(event.clientY - need("picture", HTMLElement).getBoundingClientRect().top),
    grain: GRAIN_CM,
    step: GRAIN_CM,
    leap: 1,
    up: -1,
  };
}

/**
 * @param {SVGElement} group
 * @param {(typeof LANDMARKS)[number]} landmark
 * @param {number} labelY
 */
function placeLandmark(group, landmark, labelY) {
  const mark = markOf(landmark.field);
  if (!mark) return;
  const value = Number(mark.value);
  const y = yOf(value);
  const right = frame.left + frame.width;
  const [x1, x2] = alone()?.window_s.map(within) ?? [frame.left, right];
  for (const line of group.querySelectorAll("line")) assign(line, { x1, x2, y1: y, y2: y });
  const [leader, plate, text] = [group.querySelector("polyline"), group.querySelector("rect"), group.querySelector("text")];
  if (leader) assign(leader, { points: `${right},${y} ${right + 8},${labelY} ${right + 12},${labelY}` });
  if (plate) assign(plate, { x: right + 12, y: labelY - 7, width: 134, height: 14, rx: 3 });
  if (text) {
    assign(text, { x: right + 16, y: labelY + 4 });
    text.textContent = `${landmark.short} ${depth(value)}${mark.reviewed ? " ✎" : ""}`;
  }
  const found = mark.automatic === null ? "not found automatically" : `${otherwise()} ${depth(mark.automatic)}`;
  const said = mark.reviewed ? `${depth(value)}, set by the reader, ${found}` : `${depth(value)}, ${otherwise()}`;
  const name = alone() ? `${landmark.name} of swallow ${alone()?.number}` : landmark.name;
  group.classList.toggle("reviewed", mark.reviewed);
  describe(group, handleOf(landmark), name, said, "vertical");
  const how = movable() ? " Drag it, or use the arrow keys; Delete puts it back." : "";
  tooltip(group, `${name}: ${said}.${how}`);
}

/** @param {number} time */
function within(time) {
  return Math.min(frame.left + frame.width, Math.max(frame.left, xOf(time)));
}

/**
 * @param {SVGElement} group
 * @param {string} words
 */
function tooltip(group, words) {
  const known = group.querySelector("title");
  if (known) known.textContent = words;
  else group.prepend(svg("title", {}, words));
}

/**
 * Places for labels: as near to the lines as they can be without covering each other.
 * @param {number[]} wanted In order from top to bottom is not needed.
 */
export function spread(wanted) {
  const order = wanted.map((_, index) => index).sort((one, other) => wanted[one] - wanted[other]);
  const placed = wanted.slice();
  for (let pass = 0; pass < 60; pass += 1) {
    for (let index = 1; index < order.length; index += 1) {
      const overlap = LABEL_GAP - (placed[order[index]] - placed[order[index - 1]]);
      if (overlap <= 0) continue;
      placed[order[index]] += overlap / 2;
      placed[order[index - 1]] -= overlap / 2;
    }
  }
  const low = frame.top + frame.height - 4;
  for (let index = order.length - 1; index >= 0; index -= 1) {
    placed[order[index]] = Math.min(placed[order[index]], low - (order.length - 1 - index) * LABEL_GAP);
  }
  return placed;
}

/** @param {Set<string>} wanted */
function drawSwallows(wanted) {
  let free = -Infinity;
  const close = state.view.end - state.view.start > MOST_WITH_LINES_S;
  for (const swallow of state.marks.swallows) {
    const x = xOf(swallow.onset_s);
    if (x < frame.left - 1 || x > frame.left + frame.width + 1) continue;
    const id = `onset ${swallow.key}`;
    wanted.add(id);
    const group = once(id, "onsets", () => onsetHandle(swallow.key));
    placeOnset(group, swallow, x);
    const chosen = swallow.key === state.selected;
    // Where the numbers would cover each other, or lines the picture, some are left out.
    group.classList.toggle("unnamed", !chosen && x < free);
    group.classList.toggle("short", !chosen && close);
    if (chosen || x >= free) free = x + 24;
    if (swallow.key === state.selected && swallow.cdp) drawPoint(swallow, wanted);
  }
}

/** @param {string} key */
function swallowOf(key) {
  return state.marks.swallows.find((each) => each.key === key);
}

/** @param {PointerEvent} event */
function timeAt(event) {
  return timeOf(event.clientX - need("picture", HTMLElement).getBoundingClientRect().left);
}

/** @param {string} key @returns {import("./grip.js").Handle} */
function onsetOf(key) {
  return {
    object: key,
    field: "onset_s",
    value: () => swallowOf(key)?.onset_s ?? 0,
    range: () => [0, state.study.duration_s],
    read: timeAt,
    step: 0.05,
    leap: 0.5,
    up: 1,
  };
}

/** @param {string} key */
function onsetHandle(key) {
  const group = svg(
    "g",
    { class: "mark onset", "data-key": key },
    svg("line", { class: "halo" }),
    svg("line", { class: "stroke" }),
    svg("line", { class: "grab" }),
    svg("rect", { class: "plate" }),
    svg("text", { "text-anchor": "middle" }),
  );
  group.addEventListener("pointerdown", () => select(key));
  group.addEventListener("focus", () => select(key));
  attach(group, onsetOf(key));
  return group;
}

/**
 * @param {SVGElement} group
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {number} x
 */
function placeOnset(group, swallow, x) {
  const bottom = frame.top + frame.height;
  for (const line of group.querySelectorAll("line")) assign(line, { x1: x, x2: x, y1: frame.top, y2: bottom });
  const row = state.result?.swallows.find((each) => each.id === swallow.number);
  const name = swallow.number === null ? "×" : String(swallow.number);
  const plate = group.querySelector("rect");
  if (plate) assign(plate, { x: x - 11, y: 2, width: 22, height: 17, rx: 4 });
  const text = group.querySelector("text");
  if (text) {
    assign(text, { x, y: 15 });
    text.textContent = name;
  }
  group.classList.toggle("selected", swallow.key === state.selected);
  group.classList.toggle("excluded", row?.evaluable === false);
  const said = `${clock(swallow.onset_s, 2)}, ${number(swallow.onset_s - swallow.automatic_onset_s, 2)} s from the automatic onset`;
  describe(group, onsetOf(swallow.key), `Onset of swallow ${name}`, said, "horizontal");
  tooltip(group, `Onset of swallow ${name}: ${said}`);
}

/**
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {Set<string>} wanted
 */
function drawPoint(swallow, wanted) {
  if (!swallow.cdp) return;
  const id = `cdp ${swallow.key}`;
  wanted.add(id);
  const group = once(id, "onsets", () => pointHandle(swallow.key));
  const [x, y] = [xOf(swallow.cdp.time_s), yOf(swallow.cdp.cm)];
  for (const circle of group.querySelectorAll("circle")) assign(circle, { cx: x, cy: y });
  const text = group.querySelector("text");
  if (text) assign(text, { x: x + 9, y: y - 7 });
  const said = `${depth(swallow.cdp.cm)} at ${clock(swallow.cdp.time_s, 2)}`;
  describe(group, pointOf(swallow.key), `Contractile deceleration point of swallow ${swallow.number}`, said, "vertical");
  tooltip(group, `Contractile deceleration point: ${said}`);
}

/** @param {string} key @returns {import("./grip.js").Handle} */
function pointOf(key) {
  return {
    object: key,
    field: "cdp_cm",
    value: () => swallowOf(key)?.cdp?.cm ?? 0,
    range: () => [depths().top, depths().bottom],
    read: (event) => cmOf(event.clientY - need("picture", HTMLElement).getBoundingClientRect().top),
    grain: GRAIN_CM,
    step: GRAIN_CM,
    leap: 1,
    up: -1,
  };
}

/** @param {string} key */
function pointHandle(key) {
  const group = svg(
    "g",
    { class: "mark point" },
    svg("circle", { class: "grab", r: 13 }),
    svg("circle", { class: "halo", r: 7 }),
    svg("circle", { class: "stroke", r: 6 }),
    svg("text", { class: "haloed" }, "CDP"),
  );
  attach(group, pointOf(key));
  return group;
}
