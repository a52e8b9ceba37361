/** Diagnosis with its reasons, the study's numbers, landmarks and quality. */

import { act } from "./api.js";
import { button, element, need, toast } from "./dom.js";
import { ask } from "./dialogs.js";
import { explainMetric } from "./explain.js";
import { number, plain, sentence, words } from "./format.js";
import { commit, settings, step as send } from "./live.js";
import { LANDMARKS } from "./marks.js";
import { state } from "./state.js";

/** @typedef {import("./types.js").Row} Row */

/** Write the side panel. */
export function drawSummary() {
  const { result } = state;
  problems();
  if (!result) return;
  need("diagnosis", HTMLElement).replaceChildren(tree("ccv4", "Chicago Classification v4.0"), tree("ccv3", "Chicago Classification v3.0"), ...difference(result), ...limits(result));
  need("study-rows", HTMLElement).replaceChildren(...studyRows(result));
  need("quality", HTMLElement).replaceChildren(...quality(result));
  need("side", HTMLElement).toggleAttribute("data-draft", state.draft);
}

function problems() {
  const all = [...state.study.problems];
  if (document.documentElement.hasAttribute("data-lost")) all.unshift("hrm does not answer, so that nothing is kept. What was confirmed is in the log: start hrm again and open its new link.");
  const box = need("problems", HTMLElement);
  box.hidden = all.length === 0;
  box.replaceChildren(...all.map((text) => element("p", {}, text)));
  if (state.study.broken_log) box.append(button("Keep the log aside and go on", setAside));
}

function setAside() {
  const text = "The log is kept as it is under another name, and hrm audit goes on telling what is wrong with it. What of it is sound, if only its last line was not finished, goes on in the log; otherwise a new log begins, and edits of the old one count no more.";
  ask("Keep the review log aside", [element("p", {}, text)], "Keep aside", () => void act("set_aside").then(() => location.reload(), (fault) => toast(String(fault.message ?? fault), "fault")));
}

/**
 * @param {"ccv4"|"ccv3"} version
 * @param {string} title
 */
function tree(version, title) {
  const found = state.result?.classification[version];
  const known = document.querySelector(`#diagnosis details[data-version="${version}"]`);
  const open = known ? known.hasAttribute("open") : version === "ccv4";
  const box = element("section", { class: "classification", "data-version": version }, element("h2", { class: "quiet" }, title));
  if (!found) return box;
  if (found.hidden) {
    box.append(element("p", { class: "sure" }, "hidden from this reader"));
    return box;
  }
  const sure = version === "ccv3" ? "by its rules" : found.conclusive ? "conclusive" : "not conclusive";
  box.append(element("p", { class: "label" }, found.diagnosis ? words(found.diagnosis, "diagnosis") : "No label"));
  const asked = version === "ccv4" ? askStability(found) : [];
  box.append(element("p", { class: "sure" }, `${sure}${found.limited ? "; limited: few evaluable swallows" : ""}`, ...stability(found), " ", ...asked));
  for (const each of found.considerations) box.append(element("p", { class: "consider" }, `Note: ${words(each, "consideration")}`));
  for (const each of found.warnings) box.append(element("p", { class: "consider warning" }, `⚠ ${sentence(words(each))}`));
  const steps = element("ol", {}, ...found.rationale.map(stepOf));
  const path = element("details", { open, "data-version": version }, element("summary", {}, `Path through the tree (${found.rationale.length} rules)`), steps);
  box.append(path);
  return box;
}

/** @param {Row} found */
function stability(found) {
  const stable = found.stability ?? /** @type {any} */ (state.result)?.stability;
  if (!stable) return [];
  if (stable.agreement === null) return [`; how firm it is is not known: ${words(stable.status, "consideration")}`];
  const other = stable.runner_up ? `, otherwise mostly ${words(stable.runner_up, "diagnosis").toLowerCase()}` : "";
  return [`; holds in ${Math.round(stable.agreement * stable.draws)} of ${stable.draws} perturbed readings${other}`];
}

/**
 * What the stability takes a second to tell is told when it is asked for.
 * @param {Row} found
 */
function askStability(found) {
  if (found.stability || state.draft || !found.diagnosis) return [];
  return [button("How firm is it?", () => send("stability"), { class: "explain", title: "Measures 500 times with landmarks, onsets and zero a little off" })];
}

const SIGNS = new Map([[">=", "≥"], ["<=", "≤"]]);

/** @param {number} value */
function round(value) {
  return number(value, Number.isInteger(value) ? 0 : 1);
}

/** @param {Row} step */
function stepOf(step) {
  // What nobody asked for or did is not met, but not for a reason of the patient's.
  const open = step.met === null || (!step.met && /unknown|not asked/.test(String(step.value)));
  const sign = open ? "?" : step.met ? "✓" : "✗";
  const word = open ? "not known" : step.met ? "met" : "not met";
  const unit = step.unit && step.unit !== "1" ? ` ${step.unit}` : "";
  const known = step.limit !== null && step.limit !== undefined;
  const compared = known ? ` (rule: ${SIGNS.get(step.comparator) ?? step.comparator} ${round(step.limit)})` : "";
  const value = step.value === null || step.value === undefined ? "–" : typeof step.value === "number" ? `${round(step.value)}${unit}` : plain(String(step.value));
  return element(
    "li",
    { class: step.met ? "met" : "unmet" },
    element("span", { class: "sign", role: "img", "aria-label": word }, sign),
    element("span", {}, value === "–" && !known ? sentence(words(step.rule, "consideration")) : `${step.rule}: ${value}${compared}`),
    element("small", {}, `${step.row ?? ""}${step.citation ? `, ${step.citation}` : ""}${step.confidence ? ` (${words(step.confidence)})` : ""}`),
  );
}

/** @param {import("./types.js").Result} result */
function difference(result) {
  const text = result.classification.difference;
  return text ? [element("p", { class: "consider" }, `The versions differ: ${text}`)] : [];
}

/** @param {import("./types.js").Result} result */
function limits(result) {
  if (!result.engine.limit_ids.length) return [];
  const open = document.querySelector("#limits")?.hasAttribute("open") ?? false;
  const names = result.engine.limit_ids.map((/** @type {string} */ id) => element("li", {}, id));
  return [element("details", { id: "limits", open }, element("summary", {}, `Limits used (${names.length})`), element("ul", {}, ...names))];
}

/** @param {import("./types.js").Result} result */
function studyRows(result) {
  const { study, egj } = result;
  const rows = [pair("Evaluable swallows", `${study.n_evaluable} of ${study.n_swallows}`)];
  for (const posture of ["supine", "upright", "unknown"]) {
    const key = `irp4s_median_${posture}_mmhg`;
    if (study[key] !== null && study[key] !== undefined) rows.push(pair(`Median IRP4s, ${posture === "unknown" ? "posture unknown" : posture}`, `${number(study[key])} mmHg`, key, state.marks.beyond?.[key]));
  }
  for (const [name, share] of Object.entries(study.percent)) if (share) rows.push(pair(sentence(plain(name)), `${number(Number(share), 0)}%`));
  for (const { field, name } of LANDMARKS) rows.push(landmarkRow(field, name, "cm"));
  rows.push(landmarkRow("gastric_reference_mmhg", "Gastric reference", "mmHg"));
  rows.push(pair("EGJ basal, end-expiratory", `${number(egj.basal_end_expiratory_mmhg)} mmHg`, "basal_end_expiratory_mmhg"));
  rows.push(pair("EGJ-CI", `${number(egj.egj_ci_mmhg_cm)} mmHg·cm`, "egj_ci_mmhg_cm"));
  rows.push(pair("EGJ-CI, all breaths", `${number(egj.egj_ci_total_mmhg_cm)} mmHg·cm`, "egj_ci_total_mmhg_cm"));
  rows.push(pair("EGJ morphology", egj.morphology ? words(egj.morphology) : "–"));
  return rows;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string|null} metric To be explained.
 * @param {string} [limit] Row of the limit that it lies beyond.
 */
function pair(name, value, metric = null, limit = "") {
  const said = `${name} ${value}${limit ? ", abnormal" : ""}; explain`;
  const shown = metric ? button(limit ? `${value} ▲` : value, () => void explainMetric(metric, null), { class: limit ? "explain abnormal" : "explain", "aria-label": said, title: limit ? `beyond ${limit}` : null }) : value;
  return element("tr", { "data-name": name }, element("th", { scope: "row" }, name), element("td", { class: "number" }, shown));
}

/**
 * @param {string} field
 * @param {string} name
 * @param {string} unit
 */
function landmarkRow(field, name, unit) {
  const mark = state.marks.study[field];
  const value = mark?.value ?? null;
  const shown = button(value === null ? "– set" : `${number(value)} ${unit}${mark?.reviewed ? " ✎" : ""}`, () => setLandmark(field, name, unit), {
    class: "explain",
    "aria-label": `${name} ${value === null ? "not known" : `${number(value)} ${unit}`}; change`,
    disabled: state.study.locked,
  });
  return element("tr", { "data-name": name }, element("th", { scope: "row" }, name), element("td", { class: "number" }, shown));
}

/**
 * @param {string} field
 * @param {string} name
 * @param {string} unit
 */
function setLandmark(field, name, unit) {
  const mark = state.marks.study[field];
  const input = /** @type {HTMLInputElement} */ (element("input", { type: "number", step: "0.1", required: true, value: mark?.value === null || mark === undefined ? "" : mark.value.toFixed(2) }));
  const shown = mark?.automatic === null || mark === undefined ? "not found automatically" : `automatic: ${number(mark.automatic, 2)} ${unit}`;
  const label = element("label", { class: "field" }, element("span", {}, `${unit === "cm" ? "Depth, cm from the first sensor or the nares" : "Pressure, mmHg"} (${shown})`), input);
  const automatic = button("Automatic again", () => {
    dialog.close();
    commit([{ object: "landmarks", field, new: null }]);
  });
  const dialog = ask(name, [label], "Keep", () => commit([{ object: "landmarks", field, new: Number(input.value) }]), [automatic]);
  input.focus();
}

/** Who looks without a code of a reader. */
function nobody() {
  if (state.study.broken_log) return "Nothing is kept until the log was seen to.";
  if (location.pathname.startsWith("/study/")) return "Coordinator: this is what was found automatically, and what is tried here is not kept. Readings shows what the readers made of it.";
  return "No reader code: changes can be tried but are not kept. Start hrm view with --reviewer CODE.";
}

/** @param {import("./types.js").Result} result */
function quality(result) {
  const { quality: found, study } = result;
  const lines = [];
  const bad = found.sensors.filter((/** @type {Row} */ each) => each.usable === false);
  lines.push(bad.length ? `⚠ ${bad.length} of ${found.sensors.length} sensors not used: ${bad.map((/** @type {Row} */ each) => `${number(each.depth_cm)} cm (${plain(each.status)})`).join(", ")}` : `All ${found.sensors.length} sensors without a fault`);
  const { drift } = found;
  if (drift.mode === "none") lines.push("Drift not corrected: offsets were not measured");
  else lines.push(`Drift corrected (${plain(drift.mode)}); mean ${number(drift.mean_mmhg)}, greatest ${number(drift.max_mmhg)} mmHg`);
  if (drift.rest_change_mean_mmhg !== null) lines.push(`Pressure at rest changed by ${number(drift.rest_change_mean_mmhg)} mmHg on average`);
  lines.push(`Catheter ${found.egj_crossed === null ? "may or may not cross" : found.egj_crossed ? "crosses" : "does not cross"} the EGJ`);
  lines.push(`Noise ${number(study.noise_mmhg)} mmHg${study.filtered ? ", filtered" : ""}`);
  for (const each of result.warnings) lines.push(`⚠ ${sentence(words(each))}`);
  return [...lines.map((text) => element("li", {}, text)), ...driftSwitch(drift)];
}

/**
 * Drift that is known can be left uncorrected, to see what the correction does.
 * @param {Row} drift
 */
function driftSwitch(drift) {
  if (drift.mean_mmhg === null || state.study.locked) return [];
  const off = drift.mode === "none";
  const change = () => settings({ drift: off ? "auto" : "none" });
  return [element("li", {}, button(off ? "Correct the drift" : "Show without drift correction", change, { id: "drift-switch" }))];
}

/** Fill the choices of the system, once. */
export function initSettings() {
  const system = need("system", HTMLSelectElement);
  system.append(element("option", { value: "" }, "unknown (no IRP limit)"));
  for (const { id, name } of state.study.systems) system.append(element("option", { value: id }, name));
  system.addEventListener("change", () => settings({ system: system.value || null }));
  const posture = need("posture", HTMLSelectElement);
  posture.addEventListener("change", () => settings({ posture: posture.value || null }));
  const limit = need("irp-limit", HTMLInputElement);
  limit.addEventListener("change", () => {
    const text = limit.value.trim();
    settings({ irp_limit: text === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text });
  });
  need("sign", HTMLButtonElement).addEventListener("click", signOff);
}

/** Show what is set. */
export function drawSettings() {
  const set = state.study.settings;
  need("system", HTMLSelectElement).value = set?.system ?? "";
  need("posture", HTMLSelectElement).value = set?.posture === "unknown" ? "" : (set?.posture ?? "");
  const limit = need("irp-limit", HTMLInputElement);
  if (document.activeElement !== limit) limit.value = String(set?.irp_limit ?? "");
  const sign = need("sign", HTMLButtonElement);
  sign.disabled = !state.study.reader || !state.result;
  sign.textContent = state.study.locked ? "Reopen" : "Sign off";
  const who = state.study.reader ? `Reader ${state.study.reader}` : nobody();
  const version = (state.study.signatures ?? 0) > 1 ? `, version ${state.study.signatures}` : "";
  const connected = document.documentElement.hasAttribute("data-connected");
  need("who", HTMLElement).textContent = `${who}${state.study.locked ? ` · signed off${version}, nothing can be changed` : ""}${connected ? "" : " · not connected"}${state.draft ? " · preview" : ""}`;
}

function signOff() {
  const { locked } = state.study;
  const text = locked
    ? "The study can be changed again; the review log keeps that it was signed off before."
    : "After that nothing can be changed until it is reopened. The review log keeps who signed, and when.";
  const title = locked ? "Reopen this study" : "Sign off this study";
  const reason = /** @type {HTMLInputElement} */ (element("input", { type: "text", maxlength: "1000", required: true, name: "reason", autocomplete: "off" }));
  const field = element("label", { class: "field" }, element("span", {}, "Reason (kept in the review log; no names)"), reason);
  ask(title, [element("p", {}, text), ...(locked ? [field] : [])], locked ? "Reopen" : "Sign off", () => (locked ? send("reopen", reason.value) : send("sign_off")));
  if (locked) reason.focus();
}
