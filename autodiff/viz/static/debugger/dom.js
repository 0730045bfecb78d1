// Small helpers for building the page.  Text is only ever set as text, so no label can become markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Say something to who cannot see it.  Each time the text is a new one, so that the same is said again.
export function announce(text) {
  byId("announced").replaceChildren(text);
}

// Set an attribute, or take it away where there is nothing to say.
export function mark(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// A text with its middle left out if it has more than `most` characters; never half an emoji.
export function shorten(text, most) {
  const characters = [...text.slice(0, 4 * most), ...(text.length > 4 * most ? text.slice(-2 * most) : "")];
  if (characters.length <= most) return characters.join("");
  const head = Math.floor(most / 2);
  return `${characters.slice(0, head).join("")}…${characters.slice(head + 1 - most).join("")}`;
}

// Numbers for the data-* attributes: one number as itself, an array by what describes it.
export function dataOf(stats) {
  if (!stats) return null;
  if (stats.isNumber) return stats.label === null ? String(stats.number) : stats.label;
  const { min, max, mean } = stats;
  return JSON.stringify({ min, max, mean, nan: stats.nan, inf: stats.inf });
}
