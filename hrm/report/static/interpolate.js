/** Pressure between the sensors: PCHIP on their true depths, as the engine interpolates. */

/**
 * @typedef {Object} Rows For each row of the picture, between which sensors it lies.
 * @property {Int32Array} interval −1 outside the catheter.
 * @property {Float32Array} share From 0 at the upper sensor to 1 at the lower.
 * @property {Float64Array} gaps Distances of the sensors [cm].
 */

/**
 * @param {number[]} depths Increasing [cm].
 * @param {number} count Rows of the picture.
 * @param {number} top Depth of the upper edge [cm].
 * @param {number} bottom
 * @returns {Rows}
 */
export function rowsOf(depths, count, top, bottom) {
  const interval = new Int32Array(count).fill(-1);
  const share = new Float32Array(count);
  let sensor = 0;
  for (let row = 0; row < count; row += 1) {
    const cm = top + ((row + 0.5) * (bottom - top)) / count;
    while (sensor < depths.length - 2 && depths[sensor + 1] <= cm) sensor += 1;
    if (cm < depths[0] || cm > depths[depths.length - 1] || depths.length < 2) continue;
    interval[row] = sensor;
    share[row] = (cm - depths[sensor]) / (depths[sensor + 1] - depths[sensor]);
  }
  const gaps = new Float64Array(Math.max(0, depths.length - 1));
  for (let index = 0; index < gaps.length; index += 1) gaps[index] = depths[index + 1] - depths[index];
  return { interval, share, gaps };
}

/**
 * Slopes of PCHIP (Fritsch and Butland 1984): never beyond the values at the sensors.
 * @param {Float32Array} values
 * @param {number} offset
 * @param {Float64Array} gaps
 * @param {Float64Array} slopes Filled.
 */
function fillSlopes(values, offset, gaps, slopes) {
  const last = gaps.length;
  for (let k = 1; k < last; k += 1) {
    const before = (values[offset + k] - values[offset + k - 1]) / gaps[k - 1];
    const after = (values[offset + k + 1] - values[offset + k]) / gaps[k];
    if (!(before * after > 0)) slopes[k] = 0;
    else {
      const first = 2 * gaps[k] + gaps[k - 1];
      const second = gaps[k] + 2 * gaps[k - 1];
      slopes[k] = (first + second) / (first / before + second / after);
    }
  }
  if (last < 2) {
    slopes[0] = (values[offset + 1] - values[offset]) / gaps[0];
    slopes[1] = slopes[0];
    return;
  }
  const rise = (/** @type {number} */ k) => (values[offset + k + 1] - values[offset + k]) / gaps[k];
  slopes[0] = edge(gaps[0], gaps[1], rise(0), rise(1));
  slopes[last] = edge(gaps[last - 1], gaps[last - 2], rise(last - 1), rise(last - 2));
}

/**
 * Slope at an end, from three points, kept monotone.
 * @param {number} near Distance to the neighbor.
 * @param {number} far Distance between the neighbor and the next.
 * @param {number} first Rise over the near distance.
 * @param {number} second Rise over the far distance.
 */
function edge(near, far, first, second) {
  const slope = ((2 * near + far) * first - near * second) / (near + far);
  if (!(slope * first > 0)) return 0;
  return first * second < 0 && Math.abs(slope) > 3 * Math.abs(first) ? 3 * first : slope;
}

/**
 * Interpolate columns of sensors to the rows of a picture.
 * @param {Float32Array} columns `columns[column * sensors + sensor]`
 * @param {number} count Columns.
 * @param {Rows} rows
 * @param {Float32Array} out `out[row * count + column]`; NaN where nothing was measured.
 */
export function interpolate(columns, count, rows, out) {
  const { interval, share, gaps } = rows;
  const sensors = gaps.length + 1;
  const slopes = new Float64Array(sensors);
  for (let column = 0; column < count; column += 1) {
    const offset = column * sensors;
    fillSlopes(columns, offset, gaps, slopes);
    for (let row = 0; row < interval.length; row += 1) {
      const k = interval[row];
      const at = row * count + column;
      out[at] = k < 0 ? NaN : cubic(columns[offset + k], columns[offset + k + 1], slopes[k], slopes[k + 1], gaps[k], share[row]);
    }
  }
}

/**
 * Cubic Hermite polynomial.
 * @param {number} from
 * @param {number} to
 * @param {number} leaving
 * @param {number} arriving
 * @param {number} gap
 * @param {number} t
 */
function cubic(from, to, leaving, arriving, gap, t) {
  const u = 1 - t;
  return u * u * ((1 + 2 * t) * from + t * gap * leaving) + t * t * ((3 - 2 * t) * to - u * gap * arriving);
}

/**
 * Pressure at one depth of one column.
 * @param {Float32Array} values One value for each sensor.
 * @param {number[]} depths
 * @param {number} cm
 */
export function at(values, depths, cm) {
  const rows = rowsOf(depths, 1, cm - 1e-6, cm + 1e-6);
  const out = new Float32Array(1);
  interpolate(values, 1, rows, out);
  return out[0];
}
