/** The whole study in one strip, with the window that the picture shows. */

import { lookup, paint } from "./colors.js";
import { assign, need, sizeOf, svg } from "./dom.js";
import { fitted } from "./field.js";
import { clock } from "./format.js";
import { frame, show } from "./frame.js";
import { interpolate, rowsOf } from "./interpolate.js";
import { select, state } from "./state.js";
import { sampleColumns } from "./tiles.js";

const ROWS = 48;
const image = document.createElement("canvas");

/** Draw the strip. */
export function drawOverview() {
  const canvas = need("overview", HTMLCanvasElement);
  const context = fitted(canvas);
  if (!context) return;
  const columns = Math.max(1, Math.min(1024, Math.round(frame.width)));
  const { depth_cm: sensors, duration_s: whole } = state.study;
  const samples = new Float32Array(columns * sensors.length);
  sampleColumns(samples, columns, 0, whole, "pressure");
  const grid = new Float32Array(columns * ROWS);
  interpolate(samples, columns, rowsOf(sensors, ROWS, sensors[0], sensors[sensors.length - 1]), grid);
  const pixels = new ImageData(columns, ROWS);
  const { palette, low_mmhg: low, high_mmhg: high } = state.look;
  paint(grid, new Uint32Array(pixels.data.buffer), lookup(palette), low, high);
  image.width = columns;
  image.height = ROWS;
  image.getContext("2d")?.putImageData(pixels, 0, 0);
  context.drawImage(image, frame.left, 0, frame.width, canvas.getBoundingClientRect().height);
}

/** Draw the window, and where the swallows are. */
export function drawWindow() {
  const layer = need("overview-marks", SVGElement);
  const { height } = sizeOf(layer);
  const ticks = state.marks.swallows.map((swallow) => {
    const x = stripX(swallow.onset_s);
    const kind = swallow.key === state.selected ? "tick selected" : "tick";
    return svg("path", { class: kind, d: `M${x - 4} 0 h8 l-4 8 z` }, svg("title", {}, `Swallow ${swallow.number ?? ""}`));
  });
  const [left, right] = [stripX(state.view.start), stripX(state.view.end)];
  // A page that is being printed has no strip, and so no height.
  const box = { x: left, y: 1, width: Math.max(3, right - left), height: Math.max(0, height - 2) };
  layer.replaceChildren(
    svg("rect", { class: "shade", x: frame.left, y: 0, width: Math.max(0, left - frame.left), height }),
    svg("rect", { class: "shade", x: right, y: 0, width: Math.max(0, frame.left + frame.width - right), height }),
    svg("rect", { class: "window halo", ...box }),
    svg("rect", { class: "window", ...box }),
    ...ticks,
  );
  const { start, end } = state.view;
  assign(need("strip", HTMLElement), {
    "aria-valuemin": "0",
    "aria-valuemax": state.study.duration_s.toFixed(1),
    "aria-valuenow": start.toFixed(1),
    "aria-valuetext": `${clock(start)} to ${clock(end)} of ${clock(state.study.duration_s)}`,
  });
}

/** @param {number} time */
function stripX(time) {
  return frame.left + (time / state.study.duration_s) * frame.width;
}

/** Let the window be dragged, and jump to where the strip is clicked. */
export function initOverview() {
  const strip = need("strip", HTMLElement);
  strip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    strip.setPointerCapture(event.pointerId);
    const slip = slipOf(event);
    const move = (/** @type {PointerEvent} */ moved) => {
      const span = state.view.end - state.view.start;
      const start = timeAt(moved) - slip;
      show(start, start + span);
    };
    move(event);
    const stop = () => {
      strip.removeEventListener("pointermove", move);
      strip.removeEventListener("pointerup", stop);
      strip.removeEventListener("pointercancel", stop);
    };
    strip.addEventListener("pointermove", move);
    strip.addEventListener("pointerup", stop);
    strip.addEventListener("pointercancel", stop);
  });
}

/**
 * Inside the window it is held where it was touched, outside by its middle.
 * @param {PointerEvent} event
 */
function slipOf(event) {
  const { start, end } = state.view;
  const time = timeAt(event);
  return time >= start && time <= end ? time - start : (end - start) / 2;
}

/** @param {PointerEvent} event */
function timeAt(event) {
  const box = need("strip", HTMLElement).getBoundingClientRect();
  return ((event.clientX - box.left - frame.left) / frame.width) * state.study.duration_s;
}

/** @param {number} by How many swallows on. */
export function nextSwallow(by) {
  const all = state.marks.swallows;
  if (!all.length) return null;
  const now = all.findIndex((each) => each.key === state.selected);
  const index = now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + by));
  select(all[index].key);
  return all[index];
}
