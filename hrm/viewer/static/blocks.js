/** The edges of a block of rapid swallows: which swallows belong to the test. */

import { assign, need, svg } from "./dom.js";
import { clock, plain } from "./format.js";
import { frame, timeOf, xOf } from "./frame.js";
import { attach, describe } from "./grip.js";
import { busy } from "./handles.js";
import { confirmedMarks, confirmedRow } from "./live.js";
import { state } from "./state.js";

/** @typedef {{time_s: [number, number], what: string, of: string}} Band */

/** Tests that are a block; of solid swallows each stands for itself. */
const TESTS = ["mrs", "rdc"];
const SIDES = /** @type {const} */ ([0, 1]);
/** A band ends a little after its last onset [s]. */
const AFTER_S = 1;

/** @type {Map<string, SVGElement>} */
const made = new Map();
/** Where the hand holds an edge: it snaps to the swallows only when it is let go. @type {{id: string, time: number}|null} */
let held = null;

/**
 * Blocks with their names, which stay the same as long as nothing is kept.
 * @param {Band[]} bands
 */
function blocks(bands) {
  const tests = bands.filter(({ what, of }) => of === "protocol" && TESTS.includes(what));
  return tests.map((band, index) => ({ id: `${band.what} ${index}`, band }));
}

/** Draw the handles at the edges. */
export function drawBlocks() {
  if (!busy()) held = null;
  const wanted = new Set();
  const found = state.look.boxes ? blocks(busy() ? confirmedMarks().protocol : state.marks.protocol) : [];
  for (const { id, band } of found) for (const side of SIDES) place(`${id} ${side}`, id, band, side, wanted);
  for (const [id, node] of made) {
    if (wanted.has(id)) continue;
    node.remove();
    made.delete(id);
  }
}

/**
 * @param {string} id
 * @param {string} block
 * @param {Band} band
 * @param {0|1} side
 * @param {Set<string>} wanted
 */
function place(id, block, band, side, wanted) {
  const time = held?.id === id ? held.time : band.time_s[side];
  const x = xOf(time);
  if (x < frame.left || x > frame.left + frame.width) return;
  wanted.add(id);
  const handle = edgeOf(id, block, side);
  let group = made.get(id);
  if (!group) {
    group = svg("g", { class: "mark block" }, svg("title", {}, "Edge of the test: drag it over the swallows that belong to it"), svg("line", { class: "halo" }), svg("line", { class: "stroke" }), svg("line", { class: "grab" }));
    attach(group, handle);
    need("edges", SVGElement).append(group);
    made.set(id, group);
  }
  // As high as the band whose edge it is.
  const bottom = frame.top + frame.height - 15;
  for (const line of group.querySelectorAll("line")) assign(line, { x1: x, x2: x, y1: bottom - 15, y2: bottom });
  describe(group, handle, `${side ? "End" : "Begin"} of the test: ${plain(band.what)}`, clock(time, 2), "horizontal");
}

/**
 * @param {string} block
 * @returns {Band|undefined}
 */
function bandOf(block) {
  return blocks(confirmedMarks().protocol).find(({ id }) => id === block)?.band;
}

/**
 * @param {string} id
 * @param {string} block
 * @param {0|1} side
 * @returns {import("./grip.js").Handle}
 */
function edgeOf(id, block, side) {
  return {
    object: "",
    field: "protocol",
    value: () => edge(bandOf(block), side),
    range: () => [0, state.study.duration_s],
    read: (event) => {
      const time = timeOf(event.clientX - need("picture", HTMLElement).getBoundingClientRect().left);
      held = { id, time };
      return time;
    },
    step: 1,
    leap: 1,
    up: 1,
    edits: (time) => edits(bandOf(block), side, time),
    next: (from, way) => beyond(from, way),
  };
}

/**
 * Onset of the first or last swallow of a test.
 * @param {Band|undefined} band
 * @param {0|1} side
 */
function edge(band, side) {
  return band ? band.time_s[side] - (side ? AFTER_S : 0) : 0;
}

/**
 * Who joins the test, and who leaves it, with an edge at a time.
 * @param {Band|undefined} band
 * @param {0|1} side
 * @param {number} time
 * @returns {import("./types.js").Edit[]}
 */
function edits(band, side, time) {
  if (!band) return [];
  const old = [edge(band, 0), edge(band, 1)];
  const now = side ? [old[0], time] : [time, old[1]];
  const out = [];
  let left = 0;
  for (const swallow of confirmedMarks().swallows) {
    const was = within(swallow.onset_s, old);
    const is = within(swallow.onset_s, now);
    left += Number(is);
    // One that belongs to another test is not taken from it. In a draft it may belong to this one.
    const other = !was && TESTS.includes(confirmedRow(swallow)?.protocol);
    if (was !== is && !other) out.push({ object: swallow.key, field: "protocol", new: is ? band.what : "single" });
  }
  // The last swallows of a test are taken from it in the table, one by one.
  return left ? out : [];
}

/**
 * @param {number} onset
 * @param {number[]} span
 */
function within(onset, [from, to]) {
  return onset >= from - 1e-6 && onset <= to + 1e-6;
}

/**
 * By a key an edge goes to the next swallow.
 * @param {number} from
 * @param {number} way
 */
function beyond(from, way) {
  const onsets = confirmedMarks().swallows.map((each) => each.onset_s);
  const further = way > 0 ? onsets.find((at) => at > from + 1e-6) : onsets.filter((at) => at < from - 1e-6).at(-1);
  return further ?? from;
}
