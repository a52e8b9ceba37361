/** Numbers and codes as people read them. */

import { state } from "./state.js";

/**
 * Words of a code of the contract.
 * @param {string|null|undefined} code
 * @param {string} section Where the same code means several things.
 */
export function words(code, section = "") {
  if (!code) return "";
  return state.study.words[`${section}.${code}`] ?? state.study.words[code] ?? code.replaceAll("_", " ");
}

/**
 * A code of the contract that stands for itself.
 * @param {string|null|undefined} code
 */
export function plain(code) {
  return code ? code.replaceAll("_", " ") : "";
}

/** @param {string} text */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Minutes and seconds from the start of the recording.
 * @param {number} seconds
 * @param {number} digits
 */
export function clock(seconds, digits = 0) {
  const sign = seconds < 0 ? "−" : "";
  const factor = 10 ** digits;
  const rounded = Math.round(Math.abs(seconds) * factor) / factor;
  const minutes = Math.floor(rounded / 60);
  const rest = (rounded - 60 * minutes).toFixed(digits);
  return `${sign}${minutes}:${rest.padStart(digits ? digits + 3 : 2, "0")}`;
}

/**
 * @param {number|null|undefined} value
 * @param {number} digits
 */
export function number(value, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value.toFixed(digits).replace("-", "−");
}

/** Where the file counts depth from, in words. */
export function reference() {
  const code = state.result?.recording.depth_reference ?? "";
  return code === "nares" ? "from the nares" : "from the first sensor";
}

/** Depth of the upper border of the LES, when depth is shown relative to it. */
export function depthOrigin() {
  const border = state.marks.study.les_upper_cm?.value;
  return state.look.relative && border !== null && border !== undefined ? border : 0;
}

/** @param {number} cm */
export function depth(cm) {
  return `${number(cm - depthOrigin(), 1)} cm`;
}
