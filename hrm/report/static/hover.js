/** Time, depth and pressure under the pointer. */

import { need } from "./dom.js";
import { clock, depth, number } from "./format.js";
import { cmOf, frame, timeOf, xOf, yOf } from "./frame.js";
import { at } from "./interpolate.js";
import { changed, state } from "./state.js";
import { sampleColumns } from "./tiles.js";

/** Listen to the pointer. */
export function initHover() {
  const picture = need("picture", HTMLElement);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const inside = x >= frame.left && x <= frame.left + frame.width && y >= frame.top && y <= frame.top + frame.height;
    state.hover = inside ? { time: timeOf(x), cm: cmOf(y) } : null;
    changed("hover");
  });
  picture.addEventListener("pointerleave", () => {
    state.hover = null;
    changed("hover");
  });
}

/** Write the read-out, and draw the cross. */
export function drawHover() {
  const { hover } = state;
  const out = need("readout", HTMLElement);
  const cross = need("cross", SVGElement);
  cross.toggleAttribute("hidden", hover === null);
  if (!hover) {
    out.textContent = "Point at the picture to read time, depth and pressure.";
    cross.setAttribute("d", "");
    return;
  }
  const [x, y] = [xOf(hover.time), yOf(hover.cm)];
  cross.setAttribute("d", `M${frame.left} ${y} H${frame.left + frame.width} M${x} ${frame.top} V${frame.top + frame.height}`);
  const { value, highest, averaged } = pressureAt(hover.time, hover.cm);
  const how = highest ? "up to " : averaged ? "mean " : "";
  out.textContent = `${clock(hover.time, 2)} · ${depth(hover.cm)} · ${how}${number(value)} mmHg`;
}

/**
 * Pressure at a point of what is shown: the highest of the samples that share a column.
 * @param {number} time
 * @param {number} cm
 */
export function pressureAt(time, cm) {
  const sensors = state.study.depth_cm;
  const values = new Float32Array(sensors.length);
  const half = (state.view.end - state.view.start) / frame.width / 2;
  const { level, used } = sampleColumns(values, 1, time - half, time + half, "pressure");
  return { value: at(values, sensors, cm), highest: level > 0, averaged: level === 0 && used > 0 };
}
