/** The list of studies: where each stands, and the way into it. */

import { element, need } from "./dom.js";

/**
 * @typedef {Object} Listed
 * @property {string} id
 * @property {string} code
 * @property {string} status
 * @property {string|null} own
 * @property {Object<string, string|null>} readers
 * @property {string[]} waits_for
 * @property {string|null} fault
 *
 * @typedef {{reader: string|null, blinded: boolean, adjudicates: boolean, studies: Listed[]}} List
 */

const MARKS = new Map([["new", "○"], ["in_review", "◐"], ["signed", "✓"], ["disagreement", "≠"], ["unknown", "!"], ["comparing", "…"]]);
/** While two readings are compared [ms]. */
const AGAIN_MS = 1500;

/** @type {List} */
let list = { reader: null, blinded: false, adjudicates: false, studies: [] };

/** @param {string} code */
function words(code) {
  return code.replace("_", " ");
}

/** @param {string|null} status */
function state(status) {
  const known = status ?? "unknown";
  return element("span", { class: known }, `${MARKS.get(known) ?? ""} ${words(known)}`);
}

/** @param {Listed} row @param {number} number */
function line(row, number) {
  const cells = [element("td", {}, String(number)), element("th", { scope: "row" }, element("a", { href: `/study/${row.id}/` }, row.code)), element("td", {}, state(row.status))];
  if (list.reader && !list.blinded) cells.push(element("td", {}, state(row.own)));
  if (!list.blinded || !list.reader) {
    const readers = Object.entries(row.readers).map(([code, status]) => `${code} ${words(status ?? "new")}`);
    cells.push(element("td", {}, row.fault ?? readers.join(", ")), element("td", {}, row.waits_for.join(", ")));
  } else cells.push(element("td", {}, row.fault ?? ""));
  return element("tr", {}, ...cells);
}

/** @param {Listed} row */
function done(row) {
  return (row.own ?? row.status) === "signed";
}

function draw() {
  const wanted = need("filter", HTMLSelectElement).value;
  const heads = ["", "Study", "Status"];
  if (list.reader && !list.blinded) heads.push("Own reading");
  heads.push(...(list.blinded && list.reader ? ["Remarks"] : ["Readers", "Waits for"]));
  need("head", HTMLTableRowElement).replaceChildren(...heads.map((text) => element("th", { scope: "col" }, text)));
  const all = list.studies.map((row, k) => /** @type {[Listed, number]} */ ([row, k + 1]));
  const shown = all.filter(([row]) => wanted === "" || row.status === wanted);
  need("rows", HTMLTableSectionElement).replaceChildren(...shown.map(([row, number]) => line(row, number)));
  const signed = list.studies.filter(done).length;
  const bar = need("progress", HTMLProgressElement);
  bar.max = Math.max(1, list.studies.length);
  bar.value = signed;
  const comparing = list.studies.filter((row) => row.status === "comparing").length;
  const waiting = comparing ? `; ${comparing} being compared, which takes a moment` : "";
  need("said", HTMLElement).textContent = `${signed} of ${list.studies.length} signed${waiting}${wanted ? `; ${shown.length} shown` : ""}`;
  const who = list.adjudicates ? `Adjudicator ${list.reader}` : list.reader ? `Reader ${list.reader}` : "Coordinator: looks at all, and nothing is kept";
  need("who", HTMLElement).textContent = `${who}${list.blinded ? " · blinded" : ""}`;
  const next = list.studies.find((row) => !done(row) && row.status !== "unknown");
  const link = need("next", HTMLAnchorElement);
  link.hidden = !next || !list.reader;
  if (next) link.href = `/study/${next.id}/`;
}

async function load() {
  const said = need("said", HTMLElement);
  try {
    const answer = await fetch("/api/worklist", { credentials: "same-origin" });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.message);
    list = content;
  } catch (fault) {
    said.textContent = fault instanceof Error ? fault.message : "The server does not answer.";
    document.documentElement.setAttribute("data-ready", "failed");
    return;
  }
  draw();
  document.documentElement.setAttribute("data-ready", "yes");
  if (list.studies.some((row) => row.status === "comparing")) setTimeout(() => void load(), AGAIN_MS);
}

need("filter", HTMLSelectElement).addEventListener("change", draw);
// A page that the browser brings back as it was shows what was.
addEventListener("pageshow", (event) => {
  if (event.persisted) void load();
});
void load();
