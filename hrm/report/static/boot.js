/** What begins when a report is opened: each picture in a tree of its own, and links to it. */

/**
 * @typedef {typeof import("./report.js")} Picture
 * @typedef {Awaited<ReturnType<Picture["start"]>>} Shown
 */

/**
 * Start every picture of the page.
 * @param {() => Picture} make Gives the modules of a picture anew, as each keeps its own state.
 */
export function boot(make) {
  const places = [...document.querySelectorAll("[data-tracing]")];
  const all = Promise.all(places.map((place) => open(place, make())));
  all.then(
    (shown) => {
      // What tests and measurements look at; nothing of the page depends on it.
      Object.assign(window, { hrmReport: { shown } });
      document.documentElement.setAttribute("data-ready", "yes");
    },
    () => {
      // The pictures that need no script stay where they are.
      document.documentElement.setAttribute("data-ready", "failed");
    },
  );
}

/**
 * @param {Element} place
 * @param {Picture} picture
 */
async function open(place, picture) {
  const name = place.getAttribute("data-tracing") ?? "";
  const template = document.getElementById("tracing");
  if (!(template instanceof HTMLTemplateElement)) throw new Error("the page has no tracing");
  const root = place.attachShadow({ mode: "open" });
  root.append(template.content.cloneNode(true));
  // The other way round nothing could be measured: what is hidden has no size.
  document.documentElement.classList.add("live");
  try {
    const shown = await picture.start(root, JSON.parse(textOf(`study-${name}`)), textOf(`samples-${name}`));
    link(name, place, shown);
    return shown;
  } catch (fault) {
    document.documentElement.classList.remove("live");
    throw fault;
  }
}

/** @param {string} id */
function textOf(id) {
  return document.getElementById(id)?.textContent ?? "";
}

/**
 * Let the numbers of swallows lead to the picture.
 * @param {string} name
 * @param {Element} place
 * @param {Shown} shown
 */
function link(name, place, shown) {
  for (const each of document.querySelectorAll(`[data-of="${name}"]`)) {
    const made = document.createElement("button");
    const number = Number(each.getAttribute("data-swallow"));
    made.type = "button";
    made.className = "link";
    made.title = `Show swallow ${number} in the tracing`;
    made.append(...each.childNodes);
    made.addEventListener("click", () => {
      if (!shown.show(number)) return;
      place.scrollIntoView({ block: "start" });
      const picture = place.shadowRoot?.getElementById("picture");
      picture?.focus({ preventScroll: true });
    });
    each.append(made);
  }
}
