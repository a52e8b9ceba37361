/** The picture in a report: to be moved in time and enlarged, with nothing to be changed. */

import { PALETTES } from "./colors.js";
import { element, need, within } from "./dom.js";
import { tilesOf, unpack } from "./embedded.js";
import { drawn } from "./field.js";
import { fixedWindow, measure, show, zoom } from "./frame.js";
import { initHover } from "./hover.js";
import { drawAgain, moves } from "./moves.js";
import { initOverview, nextSwallow } from "./overview.js";
import { initPointer } from "./pointer.js";
import { changed, on, select, state } from "./state.js";
import { bringWith } from "./tiles.js";

/** What is shown first, and about a swallow that is asked for [s]. */
const WINDOW_S = 30;
const BEFORE_ONSET_S = 6;

/** @typedef {"contour20"|"contour30"|"relative"|"lines"|"boxes"|"landmarks"} Toggle */

/** @type {[string, Toggle][]} */
const TOGGLES = [
  ["toggle-20", "contour20"],
  ["toggle-30", "contour30"],
  ["toggle-landmarks", "landmarks"],
  ["toggle-boxes", "boxes"],
  ["toggle-lines", "lines"],
  ["toggle-relative", "relative"],
];

/**
 * @typedef {Object} Given What a report carries of a study.
 * @property {import("./types.js").Study} study
 * @property {import("./embedded.js").Part[]} parts
 * @property {number} step_mmhg
 * @property {string} palette
 * @property {number|null} first Number of the swallow that is shown first.
 */

/**
 * Show the picture of a study.
 * @param {ShadowRoot} root
 * @param {Given} given
 * @param {string} samples Base64.
 * @returns {Promise<{show: (number: number) => boolean, state: typeof state, drawn: typeof drawn}>}
 */
export async function start(root, given, samples) {
  within(root);
  const { study, parts, step_mmhg: step } = given;
  const rows = study.depth_cm.length;
  const known = await unpack(samples, parts, rows, step);
  bringWith(tilesOf(known, rows, study.tile_columns, study.n_samples));
  Object.assign(state, { study, result: study.result, marks: study.marks });
  state.look.palette = given.palette;
  state.selected = state.marks.swallows[0]?.key ?? null;
  state.view = { start: 0, end: Math.min(study.duration_s, WINDOW_S) };
  if (given.first !== null) showSwallow(given.first);
  measure();
  initBar();
  initOverview();
  initPointer((event) => event.ctrlKey || event.shiftKey || need("picture", HTMLElement).contains(root.activeElement));
  initHover();
  need("stage", HTMLElement).addEventListener("keydown", key);
  listen();
  changed("study", "view", "look", "marks", "result", "selection", "hover");
  return { show: showSwallow, state, drawn };
}

function listen() {
  drawAgain();
  on(["look", "view"], drawBar);
}

/**
 * Bring a swallow into the picture.
 * @param {number} number As in the table.
 */
function showSwallow(number) {
  const wanted = state.marks.swallows.find((each) => each.number === number);
  if (!wanted) return false;
  select(wanted.key);
  show(wanted.onset_s - BEFORE_ONSET_S, wanted.onset_s - BEFORE_ONSET_S + WINDOW_S);
  return true;
}

/** @param {number} by */
function walk(by) {
  const next = nextSwallow(by);
  if (next?.number) showSwallow(next.number);
  need("announcer", HTMLElement).textContent = next ? `Swallow ${next.number}` : "No swallow";
}

function initBar() {
  for (const made of buttons("data-window")) {
    const seconds = Number(made.getAttribute("data-window"));
    made.addEventListener("click", () => fixedWindow(seconds || state.study.duration_s));
  }
  for (const made of buttons("data-zoom")) made.addEventListener("click", () => zoom(Number(made.getAttribute("data-zoom"))));
  for (const made of buttons("data-walk")) made.addEventListener("click", () => walk(Number(made.getAttribute("data-walk"))));
  for (const [id, name] of TOGGLES) need(id, HTMLButtonElement).addEventListener("click", () => toggle(name));
  const palette = need("palette", HTMLSelectElement);
  for (const { id, name } of PALETTES) palette.append(element("option", { value: id }, name));
  palette.value = state.look.palette;
  palette.addEventListener("change", () => {
    state.look.palette = palette.value;
    changed("look");
  });
}

/** @param {string} attribute */
function buttons(attribute) {
  return need("stage", HTMLElement).querySelectorAll(`button[${attribute}]`);
}

/** @param {Toggle} name */
function toggle(name) {
  state.look[name] = !state.look[name];
  changed("look");
}

function drawBar() {
  for (const [id, name] of TOGGLES) need(id, HTMLButtonElement).setAttribute("aria-pressed", String(state.look[name]));
  const span = state.view.end - state.view.start;
  for (const made of buttons("data-window")) {
    const seconds = Number(made.getAttribute("data-window")) || state.study.duration_s;
    made.setAttribute("aria-pressed", String(Math.abs(span - seconds) < 0.5));
  }
}

/** What a key does in the picture. @type {Object<string, () => void>} */
const KEYS = {
  ...moves([30, 120]),
  n: () => walk(1),
  p: () => walk(-1),
  c: () => toggle("contour30"),
  v: () => toggle("contour20"),
  r: () => toggle("relative"),
  l: () => toggle("lines"),
  b: () => toggle("boxes"),
  m: () => toggle("landmarks"),
};

/** @param {KeyboardEvent} event */
function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof Element && event.target.closest("select")) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  act();
  event.preventDefault();
}
