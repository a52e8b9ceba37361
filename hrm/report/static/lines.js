/** Line tracings, one for each sensor, stacked; pressure against time. */

import { fitted } from "./field.js";
import { need } from "./dom.js";
import { depthOrigin, number } from "./format.js";
import { frame } from "./frame.js";
import { state } from "./state.js";
import { sampleColumns } from "./tiles.js";

/** A tracing may be this many rows high before it is cut. */
const ROWS_HIGH = 3;

/** Draw the tracings, if they are wanted. */
export function drawLines() {
  const panel = need("lines-panel", HTMLElement);
  panel.hidden = !state.look.lines;
  if (panel.hidden) return;
  const canvas = need("lines", HTMLCanvasElement);
  const context = fitted(canvas);
  if (!context) return;
  const columns = Math.max(1, Math.round(frame.width));
  const sensors = state.study.depth_cm;
  const samples = new Float32Array(columns * sensors.length);
  sampleColumns(samples, columns, state.view.start, state.view.end, "pressure");
  const height = canvas.getBoundingClientRect().height;
  const row = height / (sensors.length + 1);
  const style = getComputedStyle(document.documentElement);
  context.strokeStyle = style.getPropertyValue("--ink");
  context.fillStyle = style.getPropertyValue("--ink");
  context.font = "11px system-ui, sans-serif";
  for (let sensor = 0; sensor < sensors.length; sensor += 1) {
    const base = (sensor + 1) * row + row / 2;
    trace(context, samples, { sensor, sensors: sensors.length, columns, base, row });
    // Each label would cover the next one.
    if (row < 11 && sensor % Math.ceil(11 / row)) continue;
    context.textAlign = "right";
    context.fillText(number(sensors[sensor] - depthOrigin(), 1), frame.left - 6, base + 3);
  }
  scaleBar(context, row);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} samples
 * @param {{sensor: number, sensors: number, columns: number, base: number, row: number}} at
 */
function trace(context, samples, at) {
  const scale = (ROWS_HIGH * at.row) / state.look.high_mmhg;
  context.lineWidth = 1;
  context.beginPath();
  let broken = true;
  for (let column = 0; column < at.columns; column += 1) {
    const value = samples[column * at.sensors + at.sensor];
    if (value !== value) {
      broken = true;
      continue;
    }
    const y = at.base - Math.min(ROWS_HIGH * at.row, value * scale);
    if (broken) context.moveTo(frame.left + column, y);
    else context.lineTo(frame.left + column, y);
    broken = false;
  }
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} row
 */
function scaleBar(context, row) {
  const x = frame.left + frame.width + 12;
  const high = ROWS_HIGH * row;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, 12);
  context.lineTo(x, 12 + high);
  context.stroke();
  context.textAlign = "left";
  context.fillText(`${state.look.high_mmhg} mmHg`, x + 6, 12 + high / 2 + 4);
}
