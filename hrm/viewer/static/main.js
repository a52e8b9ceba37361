/** Start of the page. */

import { Refused, study, tile } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { initDesk } from "./desk.js";
import { need, toast } from "./dom.js";
import { drawn } from "./field.js";
import { measure } from "./frame.js";
import { initHover } from "./hover.js";
import { drawLevels } from "./levels.js";
import { drawComments } from "./comments.js";
import { explainAgain } from "./explain.js";
import { connect, idle, latencies } from "./live.js";
import { drawAgain } from "./moves.js";
import { initOverview } from "./overview.js";
import { initPointer } from "./pointer.js";
import { changed, on, state } from "./state.js";
import { drawSettings, drawSummary, initSettings } from "./summary.js";
import { drawTable, initTable, markSelected } from "./swallows.js";
import { bringWith, settled } from "./tiles.js";
import { drawToolbar, initToolbar } from "./toolbar.js";

/** What is shown first [s]. */
const FIRST_WINDOW_S = 30;
const BEFORE_ONSET_S = 6;

async function start() {
  try {
    state.study = await study();
  } catch (fault) {
    const box = need("problems", HTMLElement);
    box.hidden = false;
    box.textContent = fault instanceof Refused ? fault.message : "The study could not be shown.";
    void initDesk();
    document.documentElement.setAttribute("data-ready", "failed");
    return;
  }
  state.result = state.study.result;
  state.marks = state.study.marks ?? state.marks;
  bringWith(tile, (fault) => toast(fault instanceof Error ? fault.message : String(fault), "fault"));
  firstWindow();
  measure();
  initTable();
  initSettings();
  initToolbar();
  initOverview();
  initPointer();
  initHover();
  listen();
  changed("study", "view", "look", "marks", "result", "selection", "hover");
  connect();
  void initDesk();
  document.documentElement.setAttribute("data-ready", "yes");
}

function firstWindow() {
  const whole = state.study.duration_s;
  const first = state.marks.swallows[0];
  state.selected = first?.key ?? null;
  const from = Math.max(0, Math.min((first?.onset_s ?? 0) - BEFORE_ONSET_S, whole - FIRST_WINDOW_S));
  state.view = { start: from, end: Math.min(whole, from + FIRST_WINDOW_S) };
}

function listen() {
  drawAgain();
  on(["look", "marks", "selection", "study"], drawLevels);
  on(["view", "look", "marks", "study"], drawBlocks);
  on(["result", "study"], drawTable);
  on(["result"], explainAgain);
  on(["selection"], markSelected);
  on(["result", "study"], drawSummary);
  on(["study", "result"], drawSettings);
  on(["study", "result"], drawComments);
  on(["look", "view", "study"], drawToolbar);
}

// What tests and measurements look at; nothing of the page depends on it.
Object.assign(window, { hrmViewer: { state, drawn, latencies, settled, idle } });

void start();
