/** The live connection: edits go out, results come back. */

import { study } from "./api.js";
import { toast } from "./dom.js";
import { changed, state } from "./state.js";

/** @typedef {import("./types.js").Edit} Edit */

const RECONNECT_MS = 2000;
/** Without an answer for so long, the next draft goes out all the same. */
const PATIENCE_MS = 3000;

/** @type {WebSocket|null} */
let socket = null;
let sequence = 0;
/** Number of the draft that is being computed; 0 if none is. */
let underway = 0;
let sentAt = 0;
/** @type {Edit[]|null} */
let waiting = null;
/** What the server last confirmed: where an edit that fails goes back to. */
const confirmed = { result: state.result, marks: state.marks };
/** Rows as the server last sent them: what it leaves out is as there, drafts included. */
let received = /** @type {import("./types.js").Row[]} */ ([]);
/** Values under the hand: an older answer must not pull the handle back. @type {Edit[]} */
let held = [];

/** Times from sending an edit to having its result, newest last (for measurements) [ms]. */
export const latencies = /** @type {number[]} */ ([]);
/** @type {Map<number, number>} */
const sent = new Map();

/** Whether nothing is under the hand, and every message was answered. */
export function idle() {
  return sent.size === 0 && held.length === 0 && waiting === null && !state.draft;
}

/** Remember what the study came with, and connect. */
export function connect() {
  confirm();
  received = state.result?.swallows ?? [];
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${location.pathname}api/live`);
  socket.addEventListener("open", () => show(true));
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", lost);
}

/** Whether a change could be kept now. */
export function isConnected() {
  return socket?.readyState === WebSocket.OPEN;
}

/** @param {boolean} connected */
function show(connected) {
  document.documentElement.toggleAttribute("data-connected", connected);
  if (connected) document.documentElement.removeAttribute("data-lost");
  changed("study");
}

function lost() {
  const was = document.documentElement.hasAttribute("data-connected");
  if (was) toast("The connection to hrm was lost; what was not confirmed is not kept.", "fault");
  document.documentElement.toggleAttribute("data-lost", true);
  show(false);
  abandon();
  setTimeout(connectAgain, RECONNECT_MS);
}

/** What was answered while nobody listened is in the study. */
async function connectAgain() {
  try {
    state.study = await study();
  } catch {
    setTimeout(connectAgain, RECONNECT_MS);
    return;
  }
  state.result = state.study.result;
  state.marks = state.study.marks;
  changed("marks", "result", "study");
  connect();
}

/** Marks as they were kept last, whatever is under the hand. */
export function confirmedMarks() {
  return confirmed.marks;
}

/**
 * What was measured of a swallow with what was kept last, whatever is under the hand.
 * @param {{number: number|null}} swallow
 */
export function confirmedRow({ number }) {
  return confirmed.result?.swallows.find((row) => row.id === number) ?? null;
}

function confirm() {
  confirmed.result = state.result;
  confirmed.marks = state.marks;
}

/** @param {Object<string, unknown>} message */
function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) {
    toast("hrm does not answer: the change was not kept.", "fault");
    abandon();
    return 0;
  }
  sequence += 1;
  sent.set(sequence, performance.now());
  socket.send(JSON.stringify({ seq: sequence, ...message }));
  return sequence;
}

/**
 * Compute what an edit would mean, without keeping it. Only the newest is sent, and
 * one at a time, so that a slow machine skips positions instead of falling behind.
 * @param {Edit[]} edits
 */
export function draft(edits) {
  held = edits;
  hold(state.marks);
  changed("marks");
  waiting = edits;
  requestAnimationFrame(flush);
}

function flush() {
  const late = performance.now() - sentAt > PATIENCE_MS;
  if (!waiting || (underway && !late)) return;
  sentAt = performance.now();
  underway = send({ type: "edit", commit: false, edits: waiting });
  waiting = null;
}

/**
 * Keep an edit: it goes to the review log.
 * @param {Edit[]} edits
 */
export function commit(edits) {
  waiting = null;
  underway = 0;
  send({ type: "edit", commit: true, edits });
}

/**
 * Say that the hand is at a handle: what it may ask for first is measured now. No answer comes.
 * @param {Edit[]} edits
 */
export function near(edits) {
  if (idle() && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ seq: 0, type: "near", edits }));
}

/** Go back to what was confirmed last. */
export function abandon() {
  held = [];
  waiting = null;
  underway = 0;
  state.result = confirmed.result;
  state.marks = confirmed.marks;
  state.draft = false;
  changed("marks", "result");
}

/**
 * @param {"undo"|"redo"|"sign_off"|"reopen"|"stability"} type
 * @param {string} [reason]
 */
export function step(type, reason) {
  send(reason ? { type, reason } : { type });
}

/** @param {Object<string, unknown>} choice */
export function settings(choice) {
  send({ type: "settings", ...choice });
}

/** @param {Object<string, any>} message */
function receive(message) {
  if (message.type === "notice") toast(message.message);
  else if (message.type === "error") refuse(message);
  else if (message.type === "result") take(message);
}

/** @param {Object<string, any>} message */
function refuse(message) {
  sent.delete(message.seq);
  const wasDraft = message.seq === underway;
  underway = 0;
  toast(message.message, "fault");
  // While the hand still holds it, the next position may be a good one.
  if (message.revert && !(wasDraft && held.length)) abandon();
  else flush();
}

/** @param {Object<string, any>} message */
function take(message) {
  const began = sent.get(message.seq);
  // Until the frame that shows it, not only until it is here.
  if (began !== undefined) requestAnimationFrame(() => latencies.push(performance.now() - began));
  for (const known of [...sent.keys()]) if (known <= message.seq) sent.delete(known);
  if (latencies.length > 500) latencies.shift();
  const result = merged(message);
  // Of a drag that was given up: only what the server believes the page has is kept.
  if (message.draft && !held.length) return;
  if (!message.draft) held = [];
  state.result = result;
  state.marks = message.marks ?? state.marks;
  state.draft = Boolean(message.draft);
  if ("locked" in message) state.study.locked = Boolean(message.locked);
  state.study.can = message.can ?? state.study.can;
  state.study.comments = message.comments ?? state.study.comments;
  state.study.signatures = message.signatures ?? state.study.signatures;
  state.study.settings = message.settings ?? state.study.settings;
  if (!state.draft) confirm();
  else hold(state.marks);
  if (message.seq >= underway) underway = 0;
  changed("marks", "result", "study");
  flush();
}

/**
 * Result with the rows that did not change taken from before.
 * @param {Object<string, any>} message
 * @returns {import("./types.js").Result|null}
 */
function merged(message) {
  const news = message.result ?? null;
  if (!news) return null;
  const fresh = new Map((news.swallows_changed ?? []).map((/** @type {any} */ row) => [row.id, row]));
  received = news.swallows ?? received.map((row) => fresh.get(row.id) ?? row);
  const whole = { ...news, swallows: received };
  delete whole.swallows_changed;
  return whole;
}

/**
 * Keep what is under the hand where the hand is.
 * @param {import("./types.js").Marks} marks
 */
function hold(marks) {
  if (!held.length) return;
  const copy = structuredClone(marks);
  for (const edit of held) put(copy, edit);
  state.marks = copy;
}

/**
 * @param {import("./types.js").Marks} marks
 * @param {Edit} edit
 */
function put(marks, edit) {
  if (typeof edit.new !== "number") return;
  if (edit.object === "landmarks") {
    const mark = marks.study[edit.field];
    if (mark) mark.value = edit.new;
    return;
  }
  const swallow = marks.swallows.find((each) => each.key === edit.object);
  if (!swallow) return;
  if (edit.field === "onset_s") swallow.onset_s = edit.new;
  if (edit.field === "cdp_cm" && swallow.cdp) swallow.cdp.cm = edit.new;
  if (edit.field === "contour_mmhg") swallow.contour_mmhg = edit.new;
  if (swallow.landmarks && edit.field in swallow.landmarks) swallow.landmarks[edit.field] = edit.new;
}
