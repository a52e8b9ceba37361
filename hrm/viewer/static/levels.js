/** Pressures that can be moved: handles on the color scale. */

import { assign, need, sizeOf, svg } from "./dom.js";
import { number } from "./format.js";
import { attach, describe } from "./grip.js";
import { markOf, objectOf, otherwise } from "./own.js";
import { selectedMarks, state } from "./state.js";

/** @typedef {import("./grip.js").Handle} Handle */

/**
 * @typedef {Object} Level
 * @property {string} name
 * @property {string} kind Class of the mark.
 * @property {string} short
 * @property {Handle} handle
 * @property {() => number|null} value
 * @property {() => boolean} reviewed
 * @property {() => string} without What it is where no reader set it.
 * @property {(y: number, width: number) => string} path
 */

/**
 * @param {string} field
 * @param {() => string} object
 * @param {() => number|null} value
 * @returns {Handle}
 */
function handleOf(field, object, value) {
  return {
    get object() {
      return object();
    },
    field,
    value: () => value() ?? 0,
    range: () => [state.look.low_mmhg, state.look.high_mmhg],
    read: (event) => {
      const box = need("legend-marks", SVGElement).getBoundingClientRect();
      const share = (box.bottom - event.clientY) / box.height;
      return state.look.low_mmhg + share * (state.look.high_mmhg - state.look.low_mmhg);
    },
    step: 0.5,
    leap: 5,
    up: 1,
  };
}

const GASTRIC = "gastric_reference_mmhg";
const gastric = () => markOf(GASTRIC)?.value ?? null;
const front = () => (state.look.boxes ? (selectedMarks()?.contour_mmhg ?? null) : null);

/** @type {Level[]} */
const LEVELS = [
  {
    name: "Gastric reference",
    kind: "gastric",
    short: "gastric",
    handle: handleOf(GASTRIC, objectOf, gastric),
    value: gastric,
    reviewed: () => markOf(GASTRIC)?.reviewed ?? false,
    without: otherwise,
    path: (y, width) => `M0 ${y} H${width} M0 ${y - 5} L7 ${y} L0 ${y + 5} Z`,
  },
  {
    name: "Contour of the wavefront, of the selected swallow",
    kind: "front",
    short: "front",
    handle: handleOf("contour_mmhg", () => selectedMarks()?.key ?? "", front),
    value: front,
    reviewed: () => selectedMarks()?.own?.includes("contour_mmhg") ?? false,
    without: () => "automatic",
    path: (y, width) => `M0 ${y} H${width} M${width} ${y - 5} L${width - 7} ${y} L${width} ${y + 5} Z`,
  },
];

/** @type {Map<string, SVGElement>} */
const made = new Map();

/** Draw the handles where the pressures are. */
export function drawLevels() {
  const words = LEVELS.map(draw).filter(Boolean);
  need("level-values", HTMLElement).textContent = words.join("\n");
}

/** @param {Level} level */
function draw(level) {
  const value = level.value();
  if (value === null) {
    made.get(level.kind)?.remove();
    made.delete(level.kind);
    return "";
  }
  const layer = need("legend-marks", SVGElement);
  const group = made.get(level.kind) ?? fresh(level, layer);
  const box = sizeOf(layer);
  const share = (value - state.look.low_mmhg) / (state.look.high_mmhg - state.look.low_mmhg);
  const y = box.height * (1 - share);
  const grab = group.querySelector("rect");
  if (grab) assign(grab, { x: 0, y: y - 8, width: box.width, height: 16 });
  for (const path of group.querySelectorAll("path")) assign(path, { d: level.path(y, box.width) });
  const said = `${number(value)} mmHg, ${level.reviewed() ? "set by the reader" : level.without()}`;
  describe(group, level.handle, level.name, said, "vertical");
  return `${level.short} ${number(value, level.kind === "front" ? 0 : 1)}${level.reviewed() ? " ✎" : ""}`;
}

/**
 * @param {Level} level
 * @param {SVGElement} layer
 */
function fresh(level, layer) {
  const group = svg("g", { class: `mark level ${level.kind}` }, svg("title", {}, level.name), svg("rect", { class: "grab" }), svg("path", { class: "halo" }), svg("path", { class: "stroke" }));
  attach(group, level.handle);
  layer.append(group);
  made.set(level.kind, group);
  return group;
}
