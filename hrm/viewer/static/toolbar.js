/** Buttons and choices above the picture, and what the keys do. */

import { PALETTES } from "./colors.js";
import { element, need, say } from "./dom.js";
import { addSwallow, excludeSwallow } from "./dialogs.js";
import { fixedWindow, reveal } from "./frame.js";
import { keep } from "./handles.js";
import { step } from "./live.js";
import { moves } from "./moves.js";
import { nextSwallow } from "./overview.js";
import { changed, rowOf, selectedMarks, state } from "./state.js";

const WINDOWS = [30, 120, 600, 1800];

/** @typedef {"contour20"|"contour30"|"relative"|"lines"|"impedance"|"boxes"|"landmarks"|"own"} Toggle */

/** @type {[string, Toggle][]} */
const TOGGLES = [
  ["toggle-20", "contour20"],
  ["toggle-30", "contour30"],
  ["toggle-relative", "relative"],
  ["toggle-lines", "lines"],
  ["toggle-impedance", "impedance"],
  ["toggle-boxes", "boxes"],
  ["toggle-landmarks", "landmarks"],
  ["toggle-own", "own"],
];

/** Connect buttons and choices. */
export function initToolbar() {
  for (const made of document.querySelectorAll("button[data-window]")) {
    const seconds = Number(made.getAttribute("data-window"));
    made.addEventListener("click", () => fixedWindow(seconds || state.study.duration_s));
  }
  for (const [id, name] of TOGGLES) need(id, HTMLButtonElement).addEventListener("click", () => toggle(name));
  need("toggle-impedance", HTMLButtonElement).hidden = state.study.impedance === null;
  need("undo", HTMLButtonElement).addEventListener("click", () => step("undo"));
  need("redo", HTMLButtonElement).addEventListener("click", () => step("redo"));
  need("add", HTMLButtonElement).addEventListener("click", add);
  need("help-button", HTMLButtonElement).addEventListener("click", help);
  need("theme", HTMLButtonElement).addEventListener("click", theme);
  initScale();
  document.addEventListener("keydown", key);
}

function initScale() {
  const palette = need("palette", HTMLSelectElement);
  for (const { id, name } of PALETTES) palette.append(element("option", { value: id }, name));
  palette.addEventListener("change", () => {
    state.look.palette = palette.value;
    changed("look");
  });
  const low = need("scale-low", HTMLInputElement);
  const high = need("scale-high", HTMLInputElement);
  const range = () => {
    const [from, to] = [low.valueAsNumber, high.valueAsNumber];
    const wrong = !(to - from >= 10);
    for (const input of [low, high]) input.setAttribute("aria-invalid", String(wrong));
    if (wrong) return;
    Object.assign(state.look, { low_mmhg: from, high_mmhg: to });
    changed("look");
  };
  low.addEventListener("change", range);
  high.addEventListener("change", range);
  const free = need("contour-free", HTMLInputElement);
  free.addEventListener("change", () => {
    state.look.contourFree = Number.isFinite(free.valueAsNumber) ? free.valueAsNumber : null;
    changed("look");
  });
}

/** @param {Toggle} name */
function toggle(name) {
  state.look[name] = !state.look[name];
  changed("look");
}

/** Show which buttons are on. */
export function drawToolbar() {
  for (const [id, name] of TOGGLES) need(id, HTMLButtonElement).setAttribute("aria-pressed", String(state.look[name]));
  const span = state.view.end - state.view.start;
  for (const made of document.querySelectorAll("button[data-window]")) {
    const seconds = Number(made.getAttribute("data-window")) || state.study.duration_s;
    made.setAttribute("aria-pressed", String(Math.abs(span - seconds) < 0.5));
  }
  const open = !state.study.locked && state.result !== null;
  need("undo", HTMLButtonElement).disabled = !open || !state.study.can?.undo;
  need("redo", HTMLButtonElement).disabled = !open || !state.study.can?.redo;
  need("add", HTMLButtonElement).disabled = !open;
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  changed("look");
}

function help() {
  const dialog = need("help", HTMLDialogElement);
  if (!dialog.open) dialog.showModal();
}

function add() {
  addSwallow(state.hover?.time ?? (state.view.start + state.view.end) / 2);
}

function exclude() {
  const chosen = selectedMarks();
  if (chosen) excludeSwallow(chosen, rowOf(chosen)?.evaluable === false);
}

/** @param {number} by */
function walk(by) {
  const next = nextSwallow(by);
  if (!next) return;
  reveal(next.onset_s);
  say(`Swallow ${next.number ?? "not measured"}`);
}

/** What a key does anywhere on the page. @type {Object<string, () => void>} */
const KEYS = {
  ...moves(WINDOWS),
  n: () => walk(1),
  p: () => walk(-1),
  a: add,
  x: exclude,
  c: () => toggle("contour30"),
  v: () => toggle("contour20"),
  r: () => toggle("relative"),
  l: () => toggle("lines"),
  i: () => toggle("impedance"),
  b: () => toggle("boxes"),
  m: () => toggle("landmarks"),
  s: () => toggle("own"),
  t: theme,
  "?": help,
};

/** @param {KeyboardEvent} event */
function key(event) {
  const target = event.target instanceof HTMLElement || event.target instanceof SVGElement ? event.target : null;
  if (document.querySelector("dialog[open]") || target?.closest("input, select, textarea")) return;
  const control = event.ctrlKey || event.metaKey;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let done = true;
  if (control && name === "z") history(event.shiftKey ? "redo" : "undo");
  else if (control && name === "y") history("redo");
  else if (control || event.altKey) done = false;
  // What scrolls keeps its keys.
  else if (target?.closest("#side, #table-panel") && !/^[a-z0-9?+=-]$/.test(name)) done = false;
  else if (KEYS[name]) KEYS[name]();
  else done = false;
  if (done) event.preventDefault();
}

/** @param {"undo"|"redo"} type */
function history(type) {
  // What was just typed is the first to be undone.
  keep();
  step(type);
}
