/** What the viewer and a report do alike: keys that move the picture, and its drawing again. */

import { drawAxes, drawLegend } from "./axes.js";
import { drawBoxes } from "./boxes.js";
import { need } from "./dom.js";
import { drawField } from "./field.js";
import { fixedWindow, measure, pan, show, zoom } from "./frame.js";
import { drawHover } from "./hover.js";
import { drawLines } from "./lines.js";
import { drawMarks } from "./marks.js";
import { drawOverview, drawWindow } from "./overview.js";
import { changed, on, state } from "./state.js";

/** @param {number} share Of what is shown. */
function move(share) {
  pan(share * (state.view.end - state.view.start));
}

/**
 * What a key does to the stretch of time that is shown.
 * @param {number[]} windows Lengths that the keys 1, 2, … choose [s].
 * @returns {Object<string, () => void>}
 */
export function moves(windows) {
  const keys = windows.map((seconds, index) => [String(index + 1), () => fixedWindow(seconds)]);
  return {
    ArrowLeft: () => move(-0.1),
    ArrowRight: () => move(0.1),
    PageUp: () => move(-0.9),
    PageDown: () => move(0.9),
    Home: () => pan(-state.study.duration_s),
    End: () => pan(state.study.duration_s),
    "+": () => zoom(1 / 1.5),
    "=": () => zoom(1 / 1.5),
    "-": () => zoom(1.5),
    0: () => show(0, state.study.duration_s),
    ...Object.fromEntries(keys),
  };
}

/** Draw the picture again when what it shows changes. */
export function drawAgain() {
  on(["view", "look", "tiles"], drawField);
  on(["view", "look", "tiles"], drawLines);
  on(["look", "tiles"], drawOverview);
  on(["view", "marks", "selection"], drawWindow);
  on(["view", "look", "marks"], drawAxes);
  on(["view", "look", "marks", "selection", "study"], drawMarks);
  on(["view", "look", "marks", "selection", "result"], drawBoxes);
  on(["look"], drawLegend);
  on(["hover", "view", "look", "tiles"], drawHover);
  const resized = () => {
    measure();
    changed("view", "look");
  };
  new ResizeObserver(resized).observe(need("picture", HTMLElement));
  new ResizeObserver(resized).observe(need("lines-panel", HTMLElement));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed("look"));
}
