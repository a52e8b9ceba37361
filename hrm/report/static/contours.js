/** Isobaric contours by marching squares. */

/**
 * Edges that a contour crosses, by which corners of a cell are above the level:
 * corners 1 upper left, 2 upper right, 4 lower right, 8 lower left;
 * edges 0 top, 1 right, 2 bottom, 3 left.
 */
const CROSSED = [
  [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
  [2, 3], [2, 0], [0, 1, 2, 3], [2, 1], [1, 3], [1, 0], [0, 3], [],
];

/**
 * Segments of a contour, in cells of the grid, four numbers each.
 * @param {Float32Array} grid `grid[row * columns + column]`; cells with NaN have none.
 * @param {number} columns
 * @param {number} rows
 * @param {number} level
 * @param {number} stride Only each n-th point is looked at.
 * @returns {number[]}
 */
export function segments(grid, columns, rows, level, stride = 1) {
  /** @type {number[]} */
  const found = [];
  for (let row = 0; row + stride < rows; row += stride) {
    for (let column = 0; column + stride < columns; column += stride) {
      const start = row * columns + column;
      const a = grid[start];
      const b = grid[start + stride];
      const c = grid[start + stride * columns + stride];
      const d = grid[start + stride * columns];
      const kind = (a > level ? 1 : 0) | (b > level ? 2 : 0) | (c > level ? 4 : 0) | (d > level ? 8 : 0);
      if (kind === 0 || kind === 15 || Number.isNaN(a + b + c + d)) continue;
      for (const edge of CROSSED[kind]) push(found, edge, row, column, stride, [a, b, c, d], level);
    }
  }
  return found;
}

/**
 * Where the contour crosses an edge.
 * @param {number[]} found
 * @param {number} edge
 * @param {number} row
 * @param {number} column
 * @param {number} stride
 * @param {number[]} corners
 * @param {number} level
 */
function push(found, edge, row, column, stride, corners, level) {
  const [a, b, c, d] = corners;
  if (edge === 0) found.push(column + stride * share(a, b, level), row);
  else if (edge === 1) found.push(column + stride, row + stride * share(b, c, level));
  else if (edge === 2) found.push(column + stride * share(d, c, level), row + stride);
  else found.push(column, row + stride * share(a, d, level));
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} level
 */
function share(from, to, level) {
  return (level - from) / (to - from);
}
