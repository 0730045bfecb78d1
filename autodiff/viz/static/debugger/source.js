// The user's program on the left: its files as tabs, the expression of the step marked, lines that made nodes to click.

import { byId, html } from "./dom.js";

const ENOUGH = 90; // pixels of an expression from which one knows it

export function createSource(model, player, places) {
  const root = byId("source");
  const sources = model.view.sources;
  if (!sources.length) {
    root.append(...howToGetLines());
    byId("panes").classList.add("sourceless");
    return;
  }

  const tabs = html("div", { class: "tabs", role: "tablist", "aria-label": "Files" });
  const panels = sources.map((source, k) => panelOf(source, k));
  const buttons = sources.map((source, k) => tabOf(source, k));
  tabs.append(...buttons);
  root.append(tabs, ...panels.map((panel) => panel.element));
  let shown = null;
  let target = null; // the line that the Tab key leads to

  function tabOf(source, k) {
    const about = { type: "button", role: "tab", id: `tab${k}`, "aria-controls": `file${k}` };
    const tab = html("button", about, source.name);
    tab.addEventListener("click", () => open(k));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      open((k + step + sources.length) % sources.length);
      buttons[shown].focus();
    });
    return tab;
  }

  function panelOf(source, k) {
    const lines = new Map();
    const list = html("ol", { class: "lines" });
    let before = null;
    for (const [number, text] of source.lines) {
      const gap = before !== null && number > before + 1;
      if (gap) list.append(html("li", { class: "gap", "aria-hidden": "true" }, "⋯"));
      before = number;
      const nodes = places.nodesOn(k, number);
      const code = html(nodes.length ? "button" : "span", { class: "code" });
      if (nodes.length) {
        code.type = "button";
        code.tabIndex = -1;
        code.setAttribute("aria-label", `Line ${number}: ${text.trim()}`);
      }
      code.append(text || " ");
      const place = { "data-line": number, "data-source": k };
      const item = html("li", place, html("span", { class: "number" }, number), code);
      lines.set(number, { item, code, text });
      list.append(item);
    }
    const about = { class: "file", role: "tabpanel", id: `file${k}`, "aria-labelledby": `tab${k}` };
    const element = html("div", about, list);
    return { element, lines };
  }

  function open(k) {
    shown = k;
    panels.forEach((panel, i) => (panel.element.hidden = i !== k));
    buttons.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === k));
      tab.tabIndex = i === k ? 0 : -1;
    });
    aim(panels[k].element.querySelector(".now button, button.code"));
  }

  function aim(code) {
    if (target) target.tabIndex = -1;
    target = code;
    if (target) target.tabIndex = 0;
  }

  let marked = []; // lines with a mark in them
  function showStep() {
    for (const line of marked) {
      line.item.classList.remove("now", "via", "back");
      line.code.replaceChildren(line.text || " ");
    }
    marked = [];
    const step = player.t ? model.steps[player.t - 1] : null;
    const at = step && model.actor(step)?.at;
    if (!at) return;
    if (at.source !== shown) open(at.source);
    for (const [source, number] of at.via) note(panels[source].lines.get(number), "via");
    for (let number = at.line; number <= at.last; number++) {
      const line = panels[at.source].lines.get(number);
      note(line, "now");
      if (line) markExpression(line, at, number);
      line?.item.classList.toggle("back", step.kind !== "forward");
    }
    const first = panels[at.source].lines.get(at.line);
    if (first) scrollTo(panels[at.source].element, first.item, first.code.querySelector("mark"));
  }

  function note(line, what) {
    if (!line) return;
    line.item.classList.add(what);
    marked.push(line);
  }

  function showHover() {
    const { at } = places.litBy(player.hovered);
    for (const item of root.querySelectorAll("li.lit")) item.classList.remove("lit");
    for (let number = at?.line; at && number <= at.last; number++) {
      panels[at.source].lines.get(number)?.item.classList.add("lit");
    }
  }

  const lineOf = (event) => {
    const item = event.target.closest("li[data-line]");
    return item && { source: Number(item.dataset.source), line: Number(item.dataset.line) };
  };
  root.addEventListener("pointerover", (event) => {
    const place = lineOf(event);
    player.hover(place && places.nodesOn(place.source, place.line).length ? place : null);
  });
  root.addEventListener("pointerleave", () => player.hover(null));
  root.addEventListener("focusin", (event) => {
    if (event.target.matches("button.code")) player.hover(lineOf(event));
  });
  // A click chooses the result of the line; more clicks go through the other nodes that it made.
  root.addEventListener("click", (event) => {
    if (!event.target.closest("button.code")) return;
    const { source, line } = lineOf(event);
    const nodes = places.nodesOn(source, line);
    const k = nodes.indexOf(player.chosen);
    player.choose(nodes[k > 0 ? k - 1 : nodes.length - 1]);
    aim(event.target.closest("button.code"));
    player.hover({ source, line });
  });
  root.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches("button.code")) return;
    event.preventDefault();
    const all = [...panels[shown].element.querySelectorAll("button.code")];
    aim(all[Math.max(0, Math.min(all.length - 1, all.indexOf(event.target) + step))]);
    target.focus();
  });

  player.on("step", showStep);
  player.on("hover", showHover);
  open(0);
}

// Put a mark around the part of an expression that stands on a line.
function markExpression({ code, text }, at, number) {
  if (at.column === null || at.end_column === null) return;
  const start = number === at.line ? place(text, at.column) : text.length - text.trimStart().length;
  const end = number === at.last ? place(text, at.end_column) : text.length;
  code.replaceChildren(text.slice(0, start), html("mark", {}, text.slice(start, end)), text.slice(end));
}

// Python counts columns in bytes of UTF-8.
function place(text, column) {
  let bytes = 0;
  let at = 0;
  for (const character of text) {
    if (bytes >= column) break;
    bytes += new TextEncoder().encode(character).length;
    at += character.length;
  }
  return at;
}

// Only within its own pane: scrollIntoView would move the page around a notebook's frame too.
function scrollTo(pane, item, expression) {
  const top = item.offsetTop - pane.offsetTop;
  if (top < pane.scrollTop + 20 || top + item.offsetHeight > pane.scrollTop + pane.clientHeight - 20) {
    pane.scrollTop = top - pane.clientHeight / 2;
  }
  if (!expression) return;
  // To the side only if hardly any of the expression could be seen: lines are read from their beginning.
  const left = expression.offsetLeft - pane.offsetLeft;
  const seen = pane.clientWidth - left;
  pane.scrollLeft = seen < Math.min(expression.offsetWidth, ENOUGH) ? left - ENOUGH : 0;
}

function howToGetLines() {
  const why = "This tape does not know where its nodes were made.";
  const what = "Record it inside a trace, and the lines of your program stand here:";
  const code = ["with ad.trace():", "    loss = …", "ad.debug(loss)"].join("\n");
  return [html("h2", {}, "Source lines"), html("p", {}, `${why} ${what}`), html("pre", {}, code)];
}
