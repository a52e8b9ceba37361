/** The pressure topography: image and contours on a canvas. */

import { contourColor, lookup, paint } from "./colors.js";
import { segments } from "./contours.js";
import { need } from "./dom.js";
import { depths, frame } from "./frame.js";
import { interpolate, rowsOf } from "./interpolate.js";
import { state } from "./state.js";
import { sampleColumns } from "./tiles.js";

/** More pixels than this show nothing new of sensors a centimeter apart. */
const MOST_COLUMNS = 1920;
const MOST_ROWS = 620;
const CONTOUR_STRIDE = 2;

/** What is drawn now, for the read-out and for tests. */
export const drawn = { complete: false, level: 0, kind: "mean", milliseconds: 0 };

const image = document.createElement("canvas");

/** Draw image, contours and impedance for the window of time. */
export function drawField() {
  const began = performance.now();
  const canvas = need("field", HTMLCanvasElement);
  const context = fitted(canvas);
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  const columns = Math.max(1, Math.min(MOST_COLUMNS, Math.round(frame.width * ratio)));
  const rows = Math.max(1, Math.min(MOST_ROWS, Math.round(frame.height * ratio)));
  const grid = gridOf("pressure", state.study.depth_cm, columns, rows);
  putImage(grid.values, columns, rows);
  context.imageSmoothingEnabled = true;
  context.drawImage(image, frame.left, frame.top, frame.width, frame.height);
  drawContours(context, grid.values, columns, rows);
  if (state.look.impedance && state.study.impedance) drawImpedance(context);
  Object.assign(drawn, { complete: grid.complete, level: grid.level, kind: grid.kind });
  drawn.milliseconds = performance.now() - began;
}

/**
 * Size a canvas to the pixels of the screen; drawing stays in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 */
export function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const box = canvas.getBoundingClientRect();
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, box.width, box.height);
  return context;
}

/** @type {Map<string, Float32Array>} */
const buffers = new Map();

/**
 * Memory that is used again in the next frame.
 * @param {string} name
 * @param {number} length
 */
function buffer(name, length) {
  const known = buffers.get(name);
  if (known?.length === length) return known;
  const made = new Float32Array(length);
  buffers.set(name, made);
  return made;
}

/**
 * @param {import("./types.js").Signal} signal
 * @param {number[]} sensors Depths [cm].
 * @param {number} columns
 * @param {number} rows
 */
function gridOf(signal, sensors, columns, rows) {
  const { start, end } = state.view;
  const { top, bottom } = depths();
  const samples = buffer(`${signal} samples`, columns * sensors.length);
  const source = sampleColumns(samples, columns, start, end, signal);
  const values = buffer(`${signal} grid`, columns * rows);
  interpolate(samples, columns, rowsOf(sensors, rows, top, bottom), values);
  return { ...source, values };
}

/**
 * @param {Float32Array} values
 * @param {number} columns
 * @param {number} rows
 */
function putImage(values, columns, rows) {
  const { palette, low_mmhg, high_mmhg } = state.look;
  image.width = columns;
  image.height = rows;
  const context = image.getContext("2d");
  if (!context) return;
  const pixels = new ImageData(columns, rows);
  paint(values, new Uint32Array(pixels.data.buffer), lookup(palette), low_mmhg, high_mmhg);
  context.putImageData(pixels, 0, 0);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} values
 * @param {number} columns
 * @param {number} rows
 */
function drawContours(context, values, columns, rows) {
  const { look } = state;
  const color = contourColor(look.palette);
  /** @type {[number|null, number[]][]} */
  const wanted = [
    [look.contour20 ? 20 : null, [4, 3]],
    [look.contour30 ? 30 : null, []],
    [look.contourFree, [1, 2]],
  ];
  for (const [level, dashes] of wanted) {
    if (level !== null) stroke(context, segments(values, columns, rows, level, CONTOUR_STRIDE), { columns, rows, color, dashes });
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} points
 * @param {{columns: number, rows: number, color: string, dashes: number[]}} how
 */
function stroke(context, points, how) {
  const across = frame.width / how.columns;
  const down = frame.height / how.rows;
  // Dashes along short segments do not show: thinner lines tell the levels apart too.
  context.lineWidth = how.dashes.length ? 0.8 : 1.5;
  context.strokeStyle = how.color;
  context.beginPath();
  for (let index = 0; index < points.length; index += 4) {
    if (how.dashes.length && (index / 4) % (how.dashes[0] + how.dashes[1]) >= how.dashes[0]) continue;
    context.moveTo(frame.left + (points[index] + 0.5) * across, frame.top + (points[index + 1] + 0.5) * down);
    context.lineTo(frame.left + (points[index + 2] + 0.5) * across, frame.top + (points[index + 3] + 0.5) * down);
  }
  context.stroke();
}

/**
 * Low impedance is liquid: a veil where it is below half of the channel's own level.
 * @param {CanvasRenderingContext2D} context
 */
function drawImpedance(context) {
  const segmentsOf = state.study.impedance;
  if (!segmentsOf) return;
  const columns = Math.round(frame.width / 2);
  const rows = Math.round(frame.height / 2);
  const { values } = gridOf("impedance", segmentsOf.depth_cm, columns, rows);
  const pixels = new ImageData(columns, rows);
  const packed = new Uint32Array(pixels.data.buffer);
  for (let row = 0; row < rows; row += 1) veil(values.subarray(row * columns, (row + 1) * columns), packed, row * columns);
  image.width = columns;
  image.height = rows;
  image.getContext("2d")?.putImageData(pixels, 0, 0);
  context.drawImage(image, frame.left, frame.top, frame.width, frame.height);
}

/**
 * @param {Float32Array} line
 * @param {Uint32Array} out
 * @param {number} offset
 */
function veil(line, out, offset) {
  const known = line.filter((value) => value === value).sort();
  const usual = known.length ? known[Math.floor(known.length * 0.6)] : NaN;
  for (let column = 0; column < line.length; column += 1) {
    // Lilac, half transparent, is in none of the ramps' low ends.
    if (line[column] < usual / 2) out[offset + column] = 0x90ff80d0;
  }
}
