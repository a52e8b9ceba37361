/** A landmark holds for the study or, where a reader set it so, for one swallow alone. */

import { selectedMarks, state } from "./state.js";

/** Of one swallow there is no such landmark. */
const OF_STUDY_ONLY = new Set(["pressure_inversion_point_cm"]);

/** The swallow whose landmarks are shown and moved; null while they are those of the study. */
export function alone() {
  return state.look.own ? selectedMarks() : null;
}

/**
 * Whether a landmark is shown now.
 * @param {string} field
 */
export function shown(field) {
  return !(alone() && OF_STUDY_ONLY.has(field)) && typeof markOf(field)?.value === "number";
}

/**
 * Where a landmark is, of the study or of the swallow.
 * @param {string} field
 * @returns {import("./types.js").Mark|undefined}
 */
export function markOf(field) {
  const mark = state.marks.study[field];
  const swallow = alone();
  if (!swallow) return mark;
  const value = swallow.landmarks?.[field] ?? mark?.value ?? null;
  return { value, automatic: mark?.value ?? null, reviewed: swallow.own?.includes(field) ?? false };
}

/** What an edit of a landmark is an edit of. */
export function objectOf() {
  return alone()?.key ?? "landmarks";
}

/** What a landmark falls back to, in words. */
export function otherwise() {
  return alone() ? "of the study" : "automatic";
}
