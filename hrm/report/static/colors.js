/** Color scales, computed from control points; the range can be changed by the reader. */

/**
 * The ramp that physicians know, by pressure [mmHg] over its own range of -10 to 150:
 * dark blue at 0 and below, light blue about 15-20, green 30-40, yellow 60, red 100,
 * magenta from 150. The same numbers as in the figures of `hrm.plot`.
 * @type {[number, string][]}
 */
const RAINBOW = [
  [-10, "#00004d"], [0, "#000080"], [8, "#0a45d0"], [17.5, "#58bcff"], [25, "#25cfc0"],
  [35, "#14ad3a"], [47, "#8fd41c"], [60, "#ffee00"], [80, "#ff8c00"], [100, "#e60f0f"],
  [125, "#d1087f"], [150, "#d400d4"],
];

const EVEN = {
  // Nunez et al. 2018 (doi 10.1371/journal.pone.0199239): one order for every kind of color vision.
  cividis: "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846 fee838",
  turbo: "30123b 4040a2 466be3 4294ff 28bceb 18ddc2 32f298 6dfe62 a4fc3c cdec34 eecf3a fdac34 fb7e21 eb500e d02f05 a91601 7a0403",
  grey: "000000 ffffff",
};

/** Name, words, and the color that lines are seen on. */
export const PALETTES = [
  { id: "rainbow", name: "HRM rainbow", contour: "#000000" },
  { id: "cividis", name: "Cividis (color-blind safe)", contour: "#ffffff" },
  { id: "turbo", name: "Turbo", contour: "#000000" },
  { id: "grey", name: "Gray", contour: "#ff9d00" },
];

/** No pressure has this color: a gap must not be taken for one. */
const MISSING = [184, 184, 184];
const STEPS = 512;

/** @param {string} hex */
function rgb(hex) {
  const value = Number.parseInt(hex.replace("#", ""), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * Control points of a palette as shares of its range.
 * @param {string} id
 * @returns {[number, number[]][]}
 */
function stops(id) {
  if (id === "cividis" || id === "turbo" || id === "grey") {
    const colors = EVEN[id].split(" ");
    return colors.map((color, index) => [index / (colors.length - 1), rgb(color)]);
  }
  return RAINBOW.map(([level, color]) => [(level + 10) / 160, rgb(color)]);
}

/**
 * Color at a share of the range.
 * @param {[number, number[]][]} points
 * @param {number} share
 */
function mixed(points, share) {
  let upper = 1;
  while (upper < points.length - 1 && points[upper][0] < share) upper += 1;
  const [low, from] = points[upper - 1];
  const [high, to] = points[upper];
  const weight = Math.min(1, Math.max(0, (share - low) / (high - low)));
  return from.map((part, index) => Math.round(part + weight * (to[index] - part)));
}

/** @param {number[]} color */
function packed(color) {
  // Little-endian, as every processor that runs a browser today: alpha is the highest byte.
  return ((255 << 24) | (color[2] << 16) | (color[1] << 8) | color[0]) >>> 0;
}

/**
 * A table from pressure to pixel.
 * @param {string} id
 */
export function lookup(id) {
  const points = stops(id);
  const table = new Uint32Array(STEPS + 1);
  for (let step = 0; step < STEPS; step += 1) table[step] = packed(mixed(points, step / (STEPS - 1)));
  table[STEPS] = packed(MISSING);
  return table;
}

/**
 * Pixels of pressures.
 * @param {Float32Array} values
 * @param {Uint32Array} out
 * @param {Uint32Array} table
 * @param {number} low [mmHg]
 * @param {number} high [mmHg]
 */
export function paint(values, out, table, low, high) {
  const scale = (STEPS - 1) / (high - low);
  for (let index = 0; index < out.length; index += 1) {
    const value = values[index];
    const step = (value - low) * scale;
    if (value !== value) out[index] = table[STEPS];
    else out[index] = table[step <= 0 ? 0 : step >= STEPS - 1 ? STEPS - 1 : step | 0];
  }
}

/**
 * CSS color of a share of the range, for the legend.
 * @param {string} id
 * @param {number} share
 */
export function css(id, share) {
  return `rgb(${mixed(stops(id), share).join(" ")})`;
}

/** @param {string} id */
export function contourColor(id) {
  return PALETTES.find((each) => each.id === id)?.contour ?? "#000000";
}
