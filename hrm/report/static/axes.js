/** Time, depth and color axes around the picture. */

import { css } from "./colors.js";
import { need, svg } from "./dom.js";
import { clock, depthOrigin, reference } from "./format.js";
import { depths, frame, xOf, yOf } from "./frame.js";
import { state } from "./state.js";

const TIME_STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
const LABEL_PIXELS = 70;

/** Draw both axes. */
export function drawAxes() {
  need("axes", SVGElement).replaceChildren(...timeTicks(), ...depthTicks(), depthTitle());
  const note = need("reference", HTMLElement);
  note.classList.toggle("preview", state.draft);
  if (state.draft) note.textContent = "Preview: let go or press Enter to keep it, Esc to go back";
  else note.textContent = `Depth ${state.look.relative ? "below the upper LES border" : reference()}; time from the start of the recording`;
}

function timeTicks() {
  const { start, end } = state.view;
  const wanted = ((end - start) * LABEL_PIXELS) / frame.width;
  const step = TIME_STEPS.find((each) => each >= wanted) ?? TIME_STEPS[TIME_STEPS.length - 1];
  const bottom = frame.top + frame.height;
  /** @type {SVGElement[]} */
  const made = [];
  for (let time = Math.ceil(start / step) * step; time <= end; time += step) {
    const x = xOf(time);
    made.push(svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 5 }));
    made.push(svg("text", { x, y: bottom + 17, "text-anchor": "middle" }, clock(time, step < 1 ? 1 : 0)));
  }
  return made;
}

function depthTicks() {
  const { top, bottom } = depths();
  const origin = depthOrigin();
  const step = ((bottom - top) * 28) / frame.height > 2 ? 5 : 2;
  /** @type {SVGElement[]} */
  const made = [];
  for (let cm = Math.ceil((top - origin) / step) * step; cm + origin <= bottom + 1e-9; cm += step) {
    const y = yOf(cm + origin);
    made.push(svg("line", { x1: frame.left - 5, x2: frame.left, y1: y, y2: y }));
    made.push(svg("text", { x: frame.left - 8, y: y + 4, "text-anchor": "end" }, String(cm).replace("-", "−")));
  }
  return made;
}

function depthTitle() {
  const y = frame.top + frame.height / 2;
  return svg("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(13 ${y}) rotate(-90)` }, "depth, cm");
}

/** Draw the color scale. */
export function drawLegend() {
  const canvas = need("legend", HTMLCanvasElement);
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  for (let y = 0; y < height; y += 1) {
    context.fillStyle = css(state.look.palette, 1 - y / (height - 1));
    context.fillRect(0, y, width, 1);
  }
  const { low_mmhg: low, high_mmhg: high } = state.look;
  const labels = need("legend-ticks", SVGElement);
  /** @type {SVGElement[]} */
  const made = [];
  const step = high - low > 250 ? 100 : high - low > 120 ? 30 : high - low > 50 ? 20 : 10;
  const size = labels.getBoundingClientRect().height || 1;
  for (let level = Math.ceil(low / step) * step; level <= high; level += step) {
    const y = size - ((level - low) / (high - low)) * size;
    made.push(svg("text", { x: 4, y: Math.min(size - 2, Math.max(10, y + 4)) }, String(level).replace("-", "−")));
  }
  labels.replaceChildren(...made);
}
