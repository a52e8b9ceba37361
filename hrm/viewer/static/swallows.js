/** The table of the swallows, linked with the picture. */

import { assign, button, element, need } from "./dom.js";
import { editSwallow, excludeSwallow } from "./dialogs.js";
import { explainMetric } from "./explain.js";
import { clock, number, plain, words } from "./format.js";
import { reveal } from "./frame.js";
import { select, state } from "./state.js";

/** @typedef {import("./types.js").Row} Row */

/** Columns with a number that can be explained. */
const NUMBERS = [
  { key: "irp4s_mmhg", name: "IRP4s", unit: "mmHg", digits: 1, whole: "Integrated relaxation pressure, 4 s" },
  { key: "dci_mmhg_s_cm", name: "DCI", unit: "mmHg·s·cm", digits: 0, whole: "Distal contractile integral" },
  { key: "distal_latency_s", name: "DL", unit: "s", digits: 2, whole: "Distal latency, from the onset to the deceleration point" },
  { key: "break_cm", name: "Break", unit: "cm", digits: 1, whole: "Longest break in the 20 mmHg contour" },
  { key: "ibp_mmhg", name: "IBP", unit: "mmHg", digits: 1, whole: "Intrabolus pressure ahead of the front" },
  { key: "ues_residual_mmhg", name: "UES RP", unit: "mmHg", digits: 1, whole: "Residual pressure of the upper esophageal sphincter" },
];

/** Which number a swallow of this type is called abnormal for, and to which side. */
const MARKED = new Map([
  ["failed dci_mmhg_s_cm", "▼"],
  ["weak dci_mmhg_s_cm", "▼"],
  ["hypercontractile dci_mmhg_s_cm", "▲"],
  ["premature distal_latency_s", "▼"],
  ["fragmented break_cm", "▲"],
]);

/** Write the table. */
export function drawTable() {
  const body = need("swallow-rows", HTMLElement);
  const focused = document.activeElement?.getAttribute("data-cell");
  const rows = state.marks.swallows.map(line);
  body.replaceChildren(...rows);
  if (!rows.length) body.append(element("tr", {}, element("td", { colspan: 13 }, "No swallow was found.")));
  // Where the keyboard was, it stays.
  if (focused) body.querySelector(`[data-cell="${CSS.escape(focused)}"]`)?.dispatchEvent(new Event("refocus"));
  need("swallow-table", HTMLElement).toggleAttribute("data-draft", state.draft);
}

/** Write the head of the table, once. */
export function initTable() {
  const head = need("swallow-head", HTMLElement);
  const names = ["#", "Onset", "Posture", "Type"];
  const cells = names.map((name) => element("th", { scope: "col" }, name));
  for (const { name, unit, whole } of NUMBERS) {
    const said = `${whole} [${unit}]`;
    cells.push(element("th", { scope: "col", class: "number", title: said, "aria-label": said }, name, element("small", {}, ` ${unit}`)));
  }
  const pressurization = "Pressurization of the esophagus";
  cells.push(element("th", { scope: "col", title: pressurization, "aria-label": pressurization }, "Pressur."), element("th", { scope: "col" }, "Remarks"), element("th", { scope: "col" }, "Edit"));
  head.replaceChildren(element("tr", {}, ...cells));
}

/** @param {import("./types.js").SwallowMarks} swallow */
function line(swallow) {
  const row = state.result?.swallows.find((each) => each.id === swallow.number) ?? {};
  const chosen = swallow.key === state.selected;
  const made = element("tr", { "data-key": swallow.key, class: row.evaluable === false ? "excluded" : null, "aria-current": chosen ? "true" : null });
  made.addEventListener("click", (event) => {
    if (!(event.target instanceof HTMLButtonElement)) choose(swallow);
  });
  const name = swallow.number === null ? "×" : String(swallow.number);
  const pick = button(name, () => choose(swallow), { "data-cell": `pick ${swallow.key}`, "aria-label": `Show swallow ${name}`, "aria-pressed": String(chosen) });
  pick.addEventListener("refocus", () => pick.focus());
  made.append(element("th", { scope: "row" }, pick));
  const test = row.protocol && !["single", "unknown"].includes(row.protocol) ? `, ${plain(row.protocol)}` : "";
  made.append(setCell(clock(swallow.onset_s, 1), swallow, "onset_s"), setCell(`${plain(row.posture)}${test}`, swallow, "posture", "protocol"));
  made.append(typeCell(row), ...NUMBERS.map((column) => numberCell(column, row, swallow)));
  made.append(pressurizationCell(row), element("td", { class: "remarks" }, remarks(row, swallow)), editCell(swallow, row));
  return made;
}

/**
 * What a reader set, and what it was before; empty if nobody did.
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {...string} fields
 */
function setBy(swallow, ...fields) {
  const said = fields.filter((name) => swallow.set?.[name]).map((name) => {
    const { before, reason } = swallow.set?.[name] ?? { before: null, reason: "" };
    const was = name === "onset_s" ? clock(swallow.automatic_onset_s, 1) : typeof before === "number" ? number(before) : plain(before ?? "–");
    return `set by the reader (${reason}); before: ${was}`;
  });
  return said.join("; ");
}

/**
 * @param {string} text
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {...string} fields
 */
function setCell(text, swallow, ...fields) {
  const said = setBy(swallow, ...fields);
  return element("td", { title: said || null }, said ? `${text} ✎` : text);
}

/** Fields that a number of a swallow follows when they are set for it alone. @type {Object<string, string[]>} */
const FOLLOWS = {
  irp4s_mmhg: ["les_upper_cm", "les_lower_cm", "gastric_reference_mmhg"],
  dci_mmhg_s_cm: ["transition_zone_cm", "les_upper_cm", "contour_mmhg"],
  distal_latency_s: ["cdp_cm", "contour_mmhg"],
  break_cm: ["ues_lower_cm", "les_upper_cm"],
  ibp_mmhg: ["cdp_cm", "contour_mmhg"],
  ues_residual_mmhg: ["ues_upper_cm", "ues_lower_cm"],
};

/** @param {import("./types.js").SwallowMarks} swallow */
function choose(swallow) {
  select(swallow.key);
  reveal(swallow.onset_s);
}

/** @param {Row} row */
function typeCell(row) {
  const odd = row.evaluable !== false && row.type && row.type !== "normal";
  return element("td", { class: odd ? "abnormal" : null }, row.type ? `${odd ? "● " : ""}${plain(row.type)}` : "–");
}

/** @param {Row} row */
function pressurizationCell(row) {
  const odd = row.pressurization && row.pressurization !== "none";
  return element("td", { class: odd ? "abnormal" : null }, odd ? `● ${plain(row.pressurization)}` : plain(row.pressurization));
}

/**
 * @param {(typeof NUMBERS)[number]} column
 * @param {Row} row
 * @param {import("./types.js").SwallowMarks} swallow
 */
function numberCell(column, row, swallow) {
  const value = row[column.key];
  const cell = element("td", { class: "number", "data-metric": column.key });
  if (value === null || value === undefined) {
    const why = words(row.status?.[column.key]);
    cell.append(element("span", { title: why || "not measured" }, "–"));
    return cell;
  }
  const sign = row.evaluable === false ? "" : markOf(column.key, row, swallow);
  const set = setBy(swallow, ...(FOLLOWS[column.key] ?? []));
  const limit = swallow.beyond?.[column.key];
  const close = row.borderline?.includes(column.key) ? " ≈" : "";
  const said = `${column.name} ${number(value, column.digits)} ${column.unit}${sign ? ", abnormal" : ""}${close ? ", close to a limit" : ""}${set ? ", follows the reader" : ""}; explain`;
  const id = `${column.key} ${swallow.key}`;
  const pressed = button(`${number(value, column.digits)}${close}${sign ? ` ${sign}` : ""}${set ? " ✎" : ""}`, () => {
    choose(swallow);
    void explainMetric(column.key, swallow.number);
  }, { class: sign ? "explain abnormal" : "explain", "aria-label": said, "data-cell": id, title: [limit ? `beyond ${limit}` : "", set].filter(Boolean).join("; ") || null });
  pressed.addEventListener("refocus", () => pressed.focus());
  cell.append(pressed);
  return cell;
}

/**
 * @param {string} key
 * @param {Row} row
 * @param {import("./types.js").SwallowMarks} swallow
 */
function markOf(key, row, swallow) {
  if (swallow.beyond?.[key]) return "▲";
  return MARKED.get(`${row.type} ${key}`) ?? "";
}

/**
 * @param {Row} row
 * @param {import("./types.js").SwallowMarks} swallow
 */
function remarks(row, swallow) {
  const all = [...(row.flags ?? []).filter((/** @type {string} */ flag) => flag !== row.type).map(plain)];
  const said = swallow.set?.include?.reason;
  if (row.evaluable === false) all.unshift(`left out: ${words(row.reason, "reason")}${said ? ` (${said}) ✎` : ""}`);
  else if (said) all.unshift(`counted by the reader (${said}) ✎`);
  const comment = state.study.comments?.[swallow.key];
  if (comment) all.push(`“${comment.text}”`);
  return all.join("; ");
}

/**
 * @param {import("./types.js").SwallowMarks} swallow
 * @param {Row} row
 */
function editCell(swallow, row) {
  const locked = state.study.locked || !state.result;
  const name = swallow.number ?? "";
  const edit = button("Edit", () => editSwallow(swallow, row), { "aria-label": `Edit swallow ${name}`, disabled: locked, "data-cell": `edit ${swallow.key}` });
  const label = row.evaluable === false ? "Include" : "Exclude";
  const leave = button(label, () => excludeSwallow(swallow, row.evaluable === false), { "aria-label": `${label} swallow ${name}`, disabled: locked, "data-cell": `exclude ${swallow.key}` });
  for (const each of [edit, leave]) each.addEventListener("refocus", () => each.focus());
  return element("td", { class: "actions" }, edit, leave);
}

/** Only mark which row is selected: the table itself did not change. */
export function markSelected() {
  for (const row of document.querySelectorAll("#swallow-rows tr")) {
    const chosen = row.getAttribute("data-key") === state.selected;
    assign(row, { "aria-current": chosen ? "true" : null });
    const pick = row.querySelector("th button");
    if (pick) assign(pick, { "aria-pressed": String(chosen) });
    if (chosen) row.scrollIntoView({ block: "nearest" });
  }
}
