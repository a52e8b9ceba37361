/** What the page shows: one object, and who wants to hear of a change. */

/**
 * @typedef {"view"|"look"|"result"|"marks"|"selection"|"study"|"tiles"|"hover"} Topic
 *
 * @typedef {Object} Look
 * @property {string} palette
 * @property {number} low_mmhg
 * @property {number} high_mmhg
 * @property {boolean} contour20
 * @property {boolean} contour30
 * @property {number|null} contourFree
 * @property {boolean} relative Depth relative to the upper border of the LES.
 * @property {boolean} lines
 * @property {boolean} impedance
 * @property {boolean} boxes
 * @property {boolean} landmarks
 * @property {boolean} own Landmarks are those of the selected swallow alone.
 */

export const state = {
  /** @type {import("./types.js").Study} */
  study: /** @type {any} */ (null),
  /** @type {import("./types.js").Result|null} */
  result: null,
  /** @type {import("./types.js").Marks} */
  marks: { study: {}, swallows: [], protocol: [] },
  draft: false,
  view: { start: 0, end: 30 },
  /** @type {string|null} */
  selected: null,
  /** @type {{time: number, cm: number}|null} */
  hover: null,
  /** @type {Look} */
  look: {
    palette: "rainbow",
    low_mmhg: -10,
    high_mmhg: 150,
    contour20: false,
    contour30: true,
    contourFree: null,
    relative: false,
    lines: false,
    impedance: false,
    boxes: true,
    landmarks: true,
    own: false,
  },
};

/** @type {Map<Topic, Set<() => void>>} */
const listeners = new Map();
/** @type {Set<Topic>} */
const pending = new Set();
let scheduled = false;

/**
 * Call a function once per frame in which one of the topics changed.
 * @param {Topic[]} topics
 * @param {() => void} listener
 */
export function on(topics, listener) {
  for (const topic of topics) {
    const known = listeners.get(topic) ?? new Set();
    known.add(listener);
    listeners.set(topic, known);
  }
}

/**
 * Say that something changed; everybody hears it in the next frame, once.
 * @param {...Topic} topics
 */
export function changed(...topics) {
  for (const topic of topics) pending.add(topic);
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(deliver);
}

function deliver() {
  scheduled = false;
  /** @type {Set<() => void>} */
  const due = new Set();
  for (const topic of pending) for (const each of listeners.get(topic) ?? []) due.add(each);
  pending.clear();
  for (const each of due) each();
}

/** Marks of the selected swallow, if there is one. */
export function selectedMarks() {
  return state.marks.swallows.find((each) => each.key === state.selected) ?? null;
}

/**
 * Row of the result of a swallow.
 * @param {import("./types.js").SwallowMarks|null} marks
 */
export function rowOf(marks) {
  if (!marks || !state.result) return null;
  return state.result.swallows.find((row) => row.id === marks.number) ?? null;
}

/** @param {string|null} key */
export function select(key) {
  state.selected = key;
  changed("selection");
}

/** Whether something can be changed: an analyzed study that nobody signed. */
export function editable() {
  return !state.study.locked && state.result !== null;
}
