/**
 * Shapes of what the server sends; see PROTOCOL.md beside the server.
 *
 * @typedef {Object<string, any>} Row A swallow of the result contract, or another block of it.
 *
 * @typedef {Object} Result
 * @property {Row[]} swallows
 * @property {Row} study
 * @property {Row} landmarks
 * @property {Row} recording
 * @property {Row} engine
 * @property {Row} classification
 * @property {Row} egj
 * @property {Row} quality
 * @property {string[]} warnings
 * @property {Row|null} [stability]
 *
 * @typedef {Object} Mark
 * @property {number|null} value
 * @property {number|null} automatic
 * @property {boolean} reviewed
 *
 * @typedef {Object} SwallowMarks
 * @property {string} key Name in the review log, like "swallow@31.20".
 * @property {number|null} number As in the result; null if it is not measured.
 * @property {number} onset_s
 * @property {number} automatic_onset_s
 * @property {[number, number]} window_s
 * @property {{time_s: number, cm: number}|null} cdp
 * @property {{cm: [number, number], time_s: [number, number], used: [number, number][]}|null} esleeve
 * @property {{time_s: [number, number], cm: [number, number]}|null} dci_box
 * @property {number|null} contour_mmhg
 * @property {Object<string, number|null>} [landmarks] That hold for it.
 * @property {string[]} [own] Fields that a reader set for it alone.
 * @property {Object<string, {reason: string, before: any}>} [set] What a reader set of it.
 * @property {Object<string, string>} [beyond] Numbers beyond a limit, with its row.
 *
 * @typedef {Object} Marks
 * @property {Object<string, Mark>} study
 * @property {SwallowMarks[]} swallows
 * @property {{time_s: [number, number], what: string, of: string}[]} protocol
 * @property {Object<string, string>} [beyond] Medians beyond a limit, with its row.
 *
 * @typedef {Object} Study
 * @property {string} id
 * @property {string|null} [code] What a worklist calls it.
 * @property {number} duration_s
 * @property {number} sampling_rate_hz
 * @property {number} n_samples
 * @property {number} start_s
 * @property {number[]} depth_cm
 * @property {[number, number]} [shown_cm] Ends of the depth axis, where they are not those of the catheter.
 * @property {number} tile_columns
 * @property {number} levels
 * @property {{depth_cm: number[], levels: number, sampling_rate_hz: number, n_samples: number, start_s: number}|null} impedance
 * @property {{time_s: number, text: string}[]} annotations
 * @property {string|null} reader
 * @property {boolean} locked Signed off.
 * @property {number} [signatures] How often it was signed off.
 * @property {Object<string, {text: string, reader: string}>} [comments] By object of the review log.
 * @property {boolean} [broken_log] The review log is not sound, and can be kept aside.
 * @property {{undo: boolean, redo: boolean}} can
 * @property {{system: string, posture: string, irp_limit: number|string|null}|null} settings
 * @property {string[]} problems
 * @property {{id: string, name: string}[]} systems
 * @property {Result|null} result
 * @property {Marks} marks
 * @property {Object<string, string>} words
 *
 * @typedef {Object} Edit
 * @property {string} object
 * @property {string} field
 * @property {number|string|boolean|null} new
 * @property {string} [reason]
 *
 * @typedef {"pressure"|"impedance"} Signal
 */

export {};
