/** Tiles of samples: asked for once, kept, and dropped when there are too many. */

import { changed, state } from "./state.js";

/**
 * @typedef {Object} Tile
 * @property {Float32Array} values Row by row, one row for each sensor.
 * @property {number} columns
 */

const MOST_TILES = 160;
/** @type {Map<string, Tile>} */
const kept = new Map();
/** @typedef {(level: number, index: number, kind: string) => Promise<Float32Array>|Float32Array|null} Load */

/** Who brings tiles, and who hears that one could not be brought. @type {{load: Load, failed: (fault: unknown) => void}} */
let bringer = { load: () => null, failed: () => {} };

/**
 * Say where tiles come from.
 * @param {Load} load At once, later, or null where there is none.
 * @param {(fault: unknown) => void} fault
 */
export function bringWith(load, fault = () => {}) {
  bringer = { load, failed: fault };
}

/** @type {Set<string>} */
const asked = new Set();
/** @type {Set<string>} */
const failed = new Set();

/**
 * Level with about as many columns as pixels, so that little is sent and none is lost.
 * @param {number} seconds
 * @param {number} pixels
 * @param {number} levels
 * @param {number} rate
 */
export function levelFor(seconds, pixels, levels, rate) {
  const samples = (seconds * rate) / Math.max(1, pixels);
  const level = Math.floor(Math.log2(Math.max(1, samples)));
  return Math.min(levels - 1, Math.max(0, level));
}

/**
 * A tile if it is here; otherwise it is asked for.
 * @param {number} level
 * @param {number} index
 * @param {string} kind
 * @returns {boolean} False while it is on its way.
 */
export function have(level, index, kind) {
  const key = `${kind}/${level}/${index}`;
  const found = kept.get(key);
  if (found) {
    // The newest last: a Map remembers the order.
    kept.delete(key);
    kept.set(key, found);
    return true;
  }
  if (asked.has(key) || failed.has(key)) return false;
  const brought = bringer.load(level, index, kind);
  // Where none is, a coarser one stands in for it.
  if (brought === null) return level + 1 >= state.study.levels || have(level + 1, index >> 1, kind);
  if (brought instanceof Float32Array) keep(key, kind, brought);
  else void ask(key, kind, brought);
  return brought instanceof Float32Array;
}

/**
 * @param {string} key
 * @param {string} kind
 * @param {Float32Array} values
 */
function keep(key, kind, values) {
  const rows = kind === "impedance" ? state.study.impedance?.depth_cm.length : null;
  kept.set(key, { values, columns: values.length / (rows ?? state.study.depth_cm.length) });
  for (const old of kept.keys()) {
    if (kept.size <= MOST_TILES) break;
    kept.delete(old);
  }
}

/**
 * @param {string} key
 * @param {string} kind
 * @param {Promise<Float32Array>} brought
 */
async function ask(key, kind, brought) {
  asked.add(key);
  try {
    keep(key, kind, await brought);
    changed("tiles");
  } catch (fault) {
    // Asked again when the picture moves on, not in a loop.
    failed.add(key);
    setTimeout(() => failed.delete(key), 5000);
    bringer.failed(fault);
  } finally {
    asked.delete(key);
  }
}

/** Wait for the requests under way (tests and measurements). */
export function settled() {
  return asked.size === 0;
}

/**
 * @typedef {Object} Source
 * @property {number} level
 * @property {string} kind "mean" or "max"
 * @property {number} columnSeconds
 */

/**
 * Fill columns of a picture from the best tiles that are here.
 *
 * @param {Float32Array} out Column by column: `out[column * rows + row]`.
 * @param {number} columns
 * @param {number} start Time of the left edge [s].
 * @param {number} end
 * @param {import("./types.js").Signal} signal
 * @returns {{complete: boolean, level: number, kind: string, used: number}} `used` is the coarsest level in it.
 */
export function sampleColumns(out, columns, start, end, signal) {
  const source = sourceFor(start, end, columns, signal);
  const { rows, rate, level, kind, width, samples, shift } = source;
  const step = 2 ** level / rate;
  let complete = true;
  let used = level;
  const last = Math.min(Math.ceil(samples / 2 ** level), Math.ceil((end - shift) / step) + 1);
  const first = Math.max(0, Math.floor((start - shift) / step / width));
  for (let index = first; index * width < last; index += 1) {
    if (!have(level, index, kind)) complete = false;
  }
  for (let column = 0; column < columns; column += 1) {
    const time = start - shift + ((column + 0.5) * (end - start)) / columns;
    used = Math.max(used, fillColumn(out, column * rows, time, source));
  }
  return { complete, level, kind, used };
}

/**
 * @param {number} start
 * @param {number} end
 * @param {number} columns
 * @param {import("./types.js").Signal} signal
 */
function sourceFor(start, end, columns, signal) {
  const { study } = state;
  const impedance = signal === "impedance" ? study.impedance : null;
  const { sampling_rate_hz: rate, levels, n_samples: samples } = impedance ?? study;
  const shift = impedance ? impedance.start_s - study.start_s : 0;
  const level = levelFor(end - start, columns, levels, rate);
  const rows = impedance ? impedance.depth_cm.length : study.depth_cm.length;
  // Peaks stay as high as they are when several samples share a column.
  const kind = impedance ? "impedance" : level === 0 ? "mean" : "max";
  return { rows, rate, level, levels, kind, samples, shift, width: study.tile_columns };
}

/**
 * One column from its tile, or from a coarser one while that is on its way.
 * @param {Float32Array} out
 * @param {number} offset
 * @param {number} time
 * @param {ReturnType<typeof sourceFor>} source
 * @returns {number} Level that it came from.
 */
function fillColumn(out, offset, time, source) {
  const { rows, rate, kind, width } = source;
  for (let level = source.level; level < source.levels; level += 1) {
    const position = Math.floor((time * rate) / 2 ** level);
    const key = `${level === 0 && kind === "max" ? "mean" : kind}/${level}/${Math.floor(position / width)}`;
    const found = position >= 0 ? kept.get(key) : undefined;
    const inside = position % width;
    if (found && inside < found.columns) {
      for (let row = 0; row < rows; row += 1) {
        out[offset + row] = found.values[row * found.columns + inside];
      }
      return level;
    }
  }
  out.fill(NaN, offset, offset + rows);
  return source.level;
}
