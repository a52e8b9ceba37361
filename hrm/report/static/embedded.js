/** Samples that a report carries in itself, as tiles. */

/**
 * @typedef {Object} Part
 * @property {string} kind "mean" or "max"
 * @property {number} level A column stands for 2 ** level samples.
 * @property {number} first Column of the level that the part begins with.
 * @property {number} columns
 *
 * @typedef {Part & {values: Float32Array}} Known Row by row, one row for each sensor.
 */

/** What is written where nothing was measured. */
const MISSING = -32768;

/**
 * Unpack what `hrm.report.samples` packed.
 * @param {string} text Base64 of the deflated parts.
 * @param {Part[]} parts
 * @param {number} rows
 * @param {number} step Size of one count [mmHg].
 * @returns {Promise<Known[]>}
 */
export async function unpack(text, parts, rows, step) {
  const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let offset = 0;
  return parts.map((part) => {
    const count = rows * part.columns;
    const values = valuesOf(bytes.subarray(offset, offset + 2 * count), part.columns, step);
    offset += 2 * count;
    return { ...part, values };
  });
}

/**
 * Sums of differences; all low bytes come first, then all high ones.
 * @param {Uint8Array} bytes
 * @param {number} columns
 * @param {number} step
 */
function valuesOf(bytes, columns, step) {
  const count = bytes.length / 2;
  const values = new Float32Array(count);
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    if (index % columns === 0) sum = 0;
    // 16 bits that wrap around, as they were written.
    sum = ((sum + (bytes[index] | (bytes[count + index] << 8))) << 16) >> 16;
    values[index] = sum === MISSING ? NaN : sum * step;
  }
  return values;
}

/**
 * Give tiles from parts, and the highest values of coarser levels from finer ones.
 * @param {Known[]} parts
 * @param {number} rows
 * @param {number} width Columns of a tile.
 * @param {number} samples Of the whole recording.
 * @returns {(level: number, index: number, kind: string) => Float32Array|null}
 */
export function tilesOf(parts, rows, width, samples) {
  /** @type {Map<string, Known[]>} */
  const made = new Map();
  /** @param {string} kind @param {number} level @returns {Known[]} */
  const known = (kind, level) => {
    const key = `${kind}/${level}`;
    const found = made.get(key);
    if (found) return found;
    const own = parts.filter((part) => part.level === level && (part.kind === kind || level === 0));
    const finer = kind === "max" && level > 0 ? known(kind, level - 1) : [];
    const all = [...own, ...finer.map((part) => halved(part, rows))];
    made.set(key, all);
    return all;
  };
  return (level, index, kind) => {
    const end = Math.min((index + 1) * width, Math.ceil(samples / 2 ** level));
    for (const part of known(kind, level)) {
      if (part.first <= index * width && end <= part.first + part.columns) {
        return cut(part, rows, index * width - part.first, end - part.first);
      }
    }
    return null;
  };
}

/**
 * @param {Known} part
 * @param {number} rows
 * @param {number} from
 * @param {number} to
 */
function cut(part, rows, from, to) {
  const out = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row += 1) {
    out.set(part.values.subarray(row * part.columns + from, row * part.columns + to), row * (to - from));
  }
  return out;
}

/**
 * The higher of every two columns; a part begins with an even one.
 * @param {Known} part
 * @param {number} rows
 * @returns {Known}
 */
function halved(part, rows) {
  const columns = Math.ceil(part.columns / 2);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = row * part.columns + 2 * column;
      const one = part.values[at];
      const other = 2 * column + 1 < part.columns ? part.values[at + 1] : one;
      // Not Math.max: what is missing must not hide what is there.
      values[row * columns + column] = other > one || one !== one ? other : one;
    }
  }
  return { kind: "max", level: part.level + 1, first: part.first / 2, columns, values };
}
