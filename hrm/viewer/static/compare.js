/** Readings beside each other in a table, with what differs marked. */

import { element } from "./dom.js";
import { clock, number, plain, words } from "./format.js";
import { LANDMARKS } from "./marks.js";

/**
 * @typedef {{what: string, swallow: number|null, values: (number|string|boolean|null)[], differs: boolean}} Row
 * @typedef {{side: string, object: string, text: string}} Comment
 * @typedef {{sides: string[], rows: Row[], comments?: Comment[]}} Beside
 */

/** What is laid beside each other, as people call it; landmarks have names of their own. */
const NAMES = new Map([
  ["diagnosis_ccv4", "Chicago v4.0"],
  ["diagnosis_ccv3", "Chicago v3.0"],
  ["n_evaluable", "Evaluable swallows"],
  ["evaluable", "counts"],
  ["type", "type"],
  ["irp4s_mmhg", "IRP4s, mmHg"],
  ["dci_mmhg_s_cm", "DCI, mmHg·s·cm"],
  ["distal_latency_s", "DL, s"],
  ["gastric_reference_mmhg", "Gastric reference, mmHg"],
  ...LANDMARKS.map(({ field, name }) => /** @type {[string, string]} */ ([field, `${name}, cm`])),
]);
const WHOLE = new Set(["n_evaluable", "dci_mmhg_s_cm"]);

/**
 * @param {number|string|boolean|null} value
 * @param {string} what
 */
function shown(value, what) {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return number(value, WHOLE.has(what) ? 0 : 1);
  return what.startsWith("diagnosis") ? words(value, "diagnosis") : plain(value);
}

/** @param {Row} row */
function line(row) {
  const name = NAMES.get(row.what) ?? plain(row.what);
  const head = row.swallow === null ? name : `Swallow ${row.swallow}: ${name}`;
  const cells = row.values.map((value) => element("td", {}, shown(value, row.what)));
  const mark = element("td", { class: "mark" }, ...(row.differs ? ["≠", element("span", { class: "hidden" }, " differs")] : []));
  return element("tr", { class: row.differs ? "differs" : null }, element("th", { scope: "row" }, head), ...cells, mark);
}

/** @param {Comment} said */
function comment(said) {
  const at = Number(said.object.split("@")[1]);
  const where = Number.isFinite(at) ? ` on the swallow at ${clock(at, 1)}` : "";
  return element("p", { class: "comment" }, `${said.side}${where}: “${said.text}”`);
}

/**
 * @param {Beside} found
 * @returns {HTMLElement}
 */
export function compared(found) {
  const differing = found.rows.filter((row) => row.differs);
  const same = found.rows.filter((row) => !row.differs);
  const head = element("tr", {}, element("th", { scope: "col" }, ""), ...found.sides.map((side) => element("th", { scope: "col" }, side)), element("th", { scope: "col" }, element("span", { class: "hidden" }, "Difference")));
  const table = (/** @type {Row[]} */ rows, /** @type {string} */ caption) => element("table", { class: "compared" }, element("caption", { class: "hidden" }, caption), element("thead", {}, head.cloneNode(true)), element("tbody", {}, ...rows.map(line)));
  const first = differing.length ? table(differing, "What differs") : element("p", {}, "Nothing differs.");
  const rest = element("details", {}, element("summary", {}, `What is the same (${same.length})`), table(same, "What is the same"));
  const comments = (found.comments ?? []).map(comment);
  return element("div", {}, element("p", {}, `${differing.length} of ${found.rows.length} values differ.`), first, rest, ...comments);
}
