/** Small helpers around the document; no markup is ever made from text. */

/** Where elements are looked up: two pictures of one report have a tree each. @type {Document|ShadowRoot} */
let place = document;

/** @param {ShadowRoot} root */
export function within(root) {
  place = root;
}

/**
 * Element of the page that must be there.
 * @template {Element} T
 * @param {string} id
 * @param {new (...args: any[]) => T} kind
 * @returns {T}
 */
export function need(id, kind) {
  const found = place.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/**
 * @param {string} tag
 * @param {Object<string, string|number|boolean|null|undefined>} attributes
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  assign(made, attributes);
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Object<string, string|number|boolean|null|undefined>} attributes
 * @param {...(Node|string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  assign(made, attributes);
  made.append(...children);
  return /** @type {SVGElement} */ (made);
}

/**
 * Set attributes; null, undefined and false take one away.
 * @param {Element} target
 * @param {Object<string, string|number|boolean|null|undefined>} attributes
 */
export function assign(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Sizes since they changed last: asked for anew, they would lay out what was just written. @type {WeakMap<Element, {width: number, height: number}>} */
const sizes = new WeakMap();
/** @type {WeakSet<Element>} */
const watched = new WeakSet();
const watcher = new ResizeObserver((entries) => {
  for (const entry of entries) sizes.delete(entry.target);
});

/**
 * Width and height of an element [CSS px].
 * @param {Element} target
 */
export function sizeOf(target) {
  const known = sizes.get(target);
  if (known) return known;
  const { width, height } = target.getBoundingClientRect();
  sizes.set(target, { width, height });
  if (!watched.has(target)) watcher.observe(target);
  watched.add(target);
  return { width, height };
}

/**
 * A button that does something.
 * @param {string} label
 * @param {() => void} action
 * @param {Object<string, string|boolean|null>} attributes
 */
export function button(label, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", action);
  return made;
}

/** @param {string} message */
export function say(message) {
  need("announcer", HTMLElement).textContent = message;
}

/** Toasts that are up, with the timer that takes them away. @type {WeakMap<Element, number>} */
const fading = new WeakMap();

/**
 * Show a message that goes away by itself, and say it to screen readers.
 * @param {string} message
 * @param {"note"|"fault"} kind
 */
export function toast(message, kind = "note") {
  const all = need("toasts", HTMLElement);
  // What is said again while it is up stays a little longer; it is not read out again.
  const up = [...all.querySelectorAll(".toast")].find((old) => old.textContent === message);
  const shown = up ?? element("div", { class: `toast ${kind}` }, message);
  if (!up) all.append(shown);
  clearTimeout(fading.get(shown));
  fading.set(shown, window.setTimeout(() => shown.remove(), kind === "fault" ? 8000 : 5000));
}
