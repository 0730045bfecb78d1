// What if a leaf were another number?  Drag it, and everything follows: forward, and back again.  Beside the true change
// of the result stands what the gradient predicted.

import { byId, html, mark, shorten, svg } from "./dom.js";
import { createMachine, reasonAgainst, showAnew } from "./kernels.js";
import { indexOf, showNumber } from "./numbers.js";

const STOPS = 200; // of the slider, from one end to the other
const POINTS = [12, 60]; // of the curve: at least, at most
const PATIENCE = 60; // ms that it may take
const PLOT = { width: 300, height: 130, pad: 6 };
const PLOTTED = "The result over this number: a curve, and the tangent that the gradient predicts with";

export function createWhatIf(model, player) {
  const root = byId("what-if");
  const changes = html("span", { class: "what-if-changes" });
  root.append(html("summary", {}, "What if? ", changes));
  const leaves = model.view.nodes.filter((node) => node.kind === "leaf");
  const reason = reasonAgainst(model) ?? (leaves.length ? null : "There is no leaf to change.");
  if (reason) {
    root.append(html("p", { class: "quiet" }, `Here you could drag a leaf, and all numbers would follow. ${reason}`));
    return;
  }
  const masks = model.view.nodes.filter((node) => node.kind === "constant" && node.op);
  const machine = createMachine(model);
  const original = machine.values();
  const originalSweep = machine.backward(original);
  let values = new Map(original);
  let start = null; // where the entry that is dragged was taken up: its number, its gradient, and the result

  const leafPicker = html(
    "select",
    { id: "what-if-leaf", "aria-label": "Leaf" },
    ...leaves.map((leaf) => html("option", { value: leaf.id }, shorten(model.title(leaf.id), 30))),
  );
  const entryPicker = html("select", { id: "what-if-entry", "aria-label": "Entry" });
  const slider = html("input", { id: "what-if-slider", type: "range", "aria-label": "Its value" });
  const field = html("input", { id: "what-if-number", type: "number", "aria-label": "Its value as a number", step: "any" });
  const reset = html("button", { id: "what-if-reset", type: "button" }, "Reset");
  const report = html("dl", { class: "what-if-report" });
  const plot = svg("svg", {
    class: "what-if-plot",
    viewBox: `0 0 ${PLOT.width} ${PLOT.height}`,
    role: "img",
    "aria-label": PLOTTED,
  });
  root.append(
    html("div", { class: "what-if-row" }, leafPicker, entryPicker, html("span", {}, "="), field, reset),
    slider,
    html("div", { role: "status" }, report),
    plot,
  );
  if (masks.length) {
    const ops = [...new Set(masks.map((node) => node.op))].slice(0, 3).join(", ");
    root.append(html("p", { class: "quiet" }, `What ${ops} gave stays as it was: that was computed beside the tape.`));
  }

  const leaf = () => model.nodes.get(leafPicker.value);
  const place = () => Number(entryPicker.value || 0);
  const current = () => values.get(leaf().id).data[place()];

  function pickLeaf(id) {
    leafPicker.value = id;
    const { shape } = leaf();
    const size = values.get(id).data.length;
    entryPicker.replaceChildren(
      ...Array.from({ length: size }, (_, k) => html("option", { value: k }, `[${indexOf(k, shape).join(", ")}]`)),
    );
    entryPicker.hidden = !shape.length;
    takeUp();
  }

  // From here on changes are counted.
  function takeUp() {
    const x = current();
    if (x === undefined) return;
    const sweep = machine.backward(values);
    start = { x, g: sweep.cotangents.get(leaf().id)?.data[place()] ?? 0, result: machine.result(values) };
    const span = Math.max(1, Math.abs(x)) * 2;
    slider.min = x - span;
    slider.max = x + span;
    slider.step = (2 * span) / STOPS;
    showControls();
    showReport();
  }

  function showControls() {
    slider.value = current();
    slider.setAttribute("aria-valuetext", showNumber(current()));
    if (document.activeElement !== field) field.value = Number(current().toPrecision(6));
    reset.disabled = [...original].every(([id, array]) => array === values.get(id));
    root.classList.toggle("changed", !reset.disabled);
    const entry = leaf().shape.length ? entryPicker.selectedOptions[0].textContent : "";
    changes.textContent = reset.disabled
      ? ""
      : `${shorten(leaf().name ?? leaf().id, 16)}${entry} = ${showNumber(current()).replaceAll("-", "−")}`;
  }

  function valuesWith(x) {
    const changed = new Map(values);
    const array = values.get(leaf().id);
    const data = array.data.slice();
    data[place()] = x;
    changed.set(leaf().id, { shape: array.shape, data });
    machine.forward(changed);
    return changed;
  }

  function dragTo(x) {
    if (!Number.isFinite(x)) return;
    values = valuesWith(x);
    showAnew(model, values, machine.backward(values));
    showControls();
    showReport();
    player.emit("values");
  }

  function showReport() {
    const dx = current() - start.x;
    const dL = machine.result(values) - start.result;
    const predicted = start.g === 0 || dx === 0 ? 0 : start.g * dx;
    const change = [...(leaf().name ?? "")].length <= 4 ? `Δ${leaf().name ?? ""}` : "Δ";
    const line = (what, text, className, data) =>
      html(
        "div",
        { class: className, "data-number": data },
        html("dt", {}, what),
        html("dd", {}, text.replaceAll("-", "−")),
      );
    report.replaceChildren(
      line(change, showNumber(dx), "", dx),
      line(
        `predicted, g · ${change}`,
        `${showNumber(start.g)} · ${showNumber(dx)} = ${showNumber(predicted)}`,
        "back",
        predicted,
      ),
      line(
        "true change",
        `${showNumber(start.result)} → ${showNumber(machine.result(values))}: ${showNumber(dL)}`,
        "value",
        dL,
      ),
    );
    if (root.open) drawPlot();
  }

  // The result as the entry moves over the slider, and the tangent where it was taken up.
  function drawPlot() {
    const [low, high] = [Number(slider.min), Number(slider.max)];
    const began = performance.now();
    machine.result(valuesWith(low));
    const affordable = Math.floor(PATIENCE / Math.max(0.01, performance.now() - began));
    plot.replaceChildren();
    mark(plot, "hidden", "");
    if (affordable < POINTS[0]) return;
    const n = Math.min(POINTS[1], affordable);
    const points = Array.from({ length: n + 1 }, (_, k) => low + ((high - low) * k) / n).map((x) => [
      x,
      machine.result(valuesWith(x)),
    ]);
    const finite = points.filter(([, y]) => Number.isFinite(y));
    if (finite.length < 2 || !Number.isFinite(start.result)) return;
    mark(plot, "hidden", null);
    const here = machine.result(values);
    const ys = [...finite.map(([, y]) => y), start.result, ...(Number.isFinite(here) ? [here] : [])];
    let [bottom, top] = [Math.min(...ys), Math.max(...ys)];
    if (top - bottom < 1e-12) [bottom, top] = [bottom - 1, top + 1];
    const { width, height, pad } = PLOT;
    const across = (x) => pad + ((x - low) / (high - low)) * (width - 2 * pad);
    const up = (y) => height - pad - ((y - bottom) / (top - bottom)) * (height - 2 * pad);
    const path = points
      .map(([x, y], k) =>
        Number.isFinite(y)
          ? `${k && Number.isFinite(points[k - 1][1]) ? "L" : "M"}${across(x).toFixed(1)},${up(y).toFixed(1)}`
          : "",
      )
      .join("");
    const line = (x) => up(start.result + start.g * (x - start.x));
    const clip = svg("clipPath", { id: "what-if-clip" }, svg("rect", { width, height }));
    const at = Math.max(low, Math.min(high, current()));
    plot.append(
      clip,
      svg("path", { class: "curve", d: path }),
      ...(Number.isFinite(start.g)
        ? [
            svg("line", {
              class: "tangent",
              "clip-path": "url(#what-if-clip)",
              x1: across(low),
              x2: across(high),
              y1: line(low),
              y2: line(high),
            }),
          ]
        : []),
      svg("circle", { class: "was", cx: across(start.x), cy: up(start.result), r: 4 }),
      ...(Number.isFinite(here)
        ? [
            svg("line", { class: "gap", x1: across(at), x2: across(at), y1: line(at), y2: up(here) }),
            svg("circle", { class: "is", cx: across(at), cy: up(here), r: 5.5 }),
          ]
        : []),
    );
  }

  root.addEventListener("toggle", () => root.open && drawPlot());
  leafPicker.addEventListener("change", () => pickLeaf(leafPicker.value));
  entryPicker.addEventListener("change", takeUp);
  slider.addEventListener("input", () => dragTo(Number(slider.value)));
  field.addEventListener("input", () => field.value !== "" && dragTo(Number(field.value)));
  reset.addEventListener("click", () => {
    values = new Map(original);
    showAnew(model, values, originalSweep);
    takeUp();
    player.emit("values");
  });
  for (const control of [slider, field]) {
    control.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && event.stopPropagation());
  }
  player.on("choose", () => {
    const node = model.nodes.get(player.chosen);
    if (node?.kind === "leaf" && node.id !== leafPicker.value) pickLeaf(node.id);
  });
  pickLeaf(leaves[0].id);
}
