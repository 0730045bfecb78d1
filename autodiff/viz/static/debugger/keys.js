// The keyboard: everything that the mouse can do.

import { byId, html } from "./dom.js";

const PAN = 60;

export function createKeys(model, player, { graph, search, transport, jumps, theme, folds }) {
  const help = byId("help");
  const keys = [
    ["→  ←", "one step on, one step back"],
    ["Home  End", "to the start, to the end"],
    ["PageDown  PageUp", "a tenth of all steps on, back"],
    ["Ctrl →  Ctrl ←", "on, or back, to the next breakpoint"],
    ["Space", "play, pause"],
    ["↓  ↑", "in the graph or the source: next and previous box or line"],
    ["Shift and an arrow", "in the graph: the nearest box on that side"],
    ["Enter", "choose a node; fold or unfold a module"],
    ["N", "next step of the chosen node"],
    ["/", "search"],
    ["G", "go into the graph"],
    ["+  −  F", "zoom in, zoom out, show all"],
    ["W A S D", "move the view of the graph"],
    ["R", "draw the graph downwards, or to the right"],
    ["T", "light or dark"],
    ["?", "this list"],
  ];
  byId("help-list").append(...keys.flatMap(([key, what]) => [html("dt", {}, key), html("dd", {}, what)]));
  byId("help-button").addEventListener("click", () => help.showModal());

  const anywhere = {
    ArrowRight: player.next,
    ArrowLeft: player.back,
    Home: () => player.go(0),
    End: () => player.go(model.steps.length),
    PageDown: () => player.go(player.t + transport.page),
    PageUp: () => player.go(player.t - transport.page),
    " ": transport.toggle,
    n: jumps.nextOfChosen,
    "/": search.focus,
    g: () => graph.focus(graph.focused),
    "+": () => graph.camera.zoom(1.25),
    "=": () => graph.camera.zoom(1.25),
    "-": () => graph.camera.zoom(0.8),
    f: graph.fit,
    w: () => graph.camera.pan(0, PAN),
    a: () => graph.camera.pan(PAN, 0),
    s: () => graph.camera.pan(0, -PAN),
    d: () => graph.camera.pan(-PAN, 0),
    r: graph.turn,
    t: theme.toggle,
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || help.open || event.altKey || event.metaKey) return;
    const { target, key } = event;
    if (key === "Escape") return closeMenus(target);
    if (target.matches("input:not([type=range]), textarea, select")) return;
    if (target.closest("#drawing") && inGraph(event)) return event.preventDefault();
    if (event.ctrlKey) {
      const direction = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!direction) return;
      player.pause();
      player.run(direction);
      return event.preventDefault();
    }
    if (key === " " && target.matches("button, summary")) return; // the key that presses it
    const act = anywhere[key.length === 1 ? key.toLowerCase() : key];
    if (!act || (event.shiftKey && key.startsWith("Arrow"))) return;
    event.preventDefault();
    act();
  });

  function closeMenus(target) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      if (menu.contains(target)) menu.querySelector("summary").focus();
    }
  }
  for (const elsewhere of ["pointerdown", "focusin"]) {
    document.addEventListener(elsewhere, ({ target }) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
    });
  }

  // True if the key meant something in the graph.
  function inGraph(event) {
    const { key } = event;
    if (event.shiftKey && key.startsWith("Arrow")) graph.focus(nearest(key));
    else if (key === "ArrowDown") walk(1);
    else if (key === "ArrowUp") walk(-1);
    else if (key === "Enter") press(graph.focused);
    else return false;
    return true;
  }

  function walk(step) {
    const stops = graph.stops();
    const k = stops.indexOf(graph.focused) + step;
    graph.focus(stops[Math.max(0, Math.min(stops.length - 1, k))]);
  }

  function press(id) {
    if (folds.isScope(id)) graph.toggle(id);
    else player.choose(id);
  }

  // The nearest box on one side; what lies off the straight way counts double.
  function nearest(key) {
    const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    const from = graph.placeOf(graph.focused);
    let best = { id: graph.focused, far: Infinity };
    for (const id of graph.stops()) {
      const place = graph.placeOf(id);
      const [x, y] = [place.x - from.x, place.y - from.y];
      const along = x * dx + y * dy;
      const far = along + 2 * Math.abs(x * dy - y * dx);
      if (id !== graph.focused && along > 1 && far < best.far) best = { id, far };
    }
    return best.id;
  }
}
