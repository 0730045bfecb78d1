// Jumps to what one looks for first: the first nan, the largest gradient, dead units.

import { isBad } from "./box.js";
import { byId, html } from "./dom.js";
import { showNumber } from "./numbers.js";

// The first step at which a nan or an infinite number appears; 0 if it stands in a leaf or a constant.
function firstBad(model) {
  const start = model.view.nodes.find((node) => node.kind !== "op" && isBad(node.value));
  if (start) return { t: 0, node: start.id };
  const k = model.steps.findIndex((step) => {
    if (step.kind === "forward") return isBad(model.nodes.get(step.target).value);
    const edge = model.edges.get(step.edge);
    return isBad(step.total) || (edge && isBad(step.kind === "pull" && edge.raw ? edge.raw : edge.contribution));
  });
  return k < 0 ? null : { t: k + 1, node: model.actor(model.steps[k]).id };
}

export function largest(stats) {
  if (!stats) return 0;
  if (stats.isNumber) return stats.label === null ? Math.abs(stats.number) : NaN;
  return stats.size > stats.nan + stats.inf ? Math.max(Math.abs(stats.min), Math.abs(stats.max)) : NaN;
}

// The node with the largest entry in its gradient, and the step at which that gradient is complete.
function largestGradient(model) {
  let best = null;
  for (const node of model.view.nodes) {
    const size = largest(node.cotangent);
    if (Number.isFinite(size) && size > (best?.size ?? -1)) best = { node: node.id, size };
  }
  if (!best) return null;
  const arrivals = model.stepsOf(best.node).filter((k) => model.steps[k - 1].target === best.node);
  return { ...best, t: arrivals.at(-1) };
}

// For each relu, how many of its units are zero in everything that is listed of it: columns of a table, channels of
// images, or the one number.
function deadUnits(model) {
  return model.view.nodes
    .filter((node) => node.kind === "op" && /^relu/.test(node.op) && (node.value.isNumber || node.value.data))
    .map((node) => ({ node: node.id, ...countDead(node.value) }))
    .filter((found) => found.dead > 0);
}

function countDead(stats) {
  if (stats.isNumber) return { dead: Number(stats.number === 0), units: 1 };
  const [, columns] = stats.listed;
  const images = stats.shape.length === 4;
  const alive = new Set();
  const all = new Set();
  stats.data.forEach((x, k) => {
    const row = Math.floor(k / columns) * stats.step[0];
    const unit = images ? Math.floor(row / stats.shape[2]) % stats.shape[1] : k % columns;
    all.add(unit);
    if (x !== 0) alive.add(unit);
  });
  return { dead: all.size - alive.size, units: all.size };
}

export function createJumps(model, player, say) {
  let lastDead = -1;

  const jumps = {
    firstBad() {
      const found = firstBad(model);
      if (!found) return say("There is no nan and no infinity anywhere.");
      const title = model.title(found.node);
      const where = found.t ? `is made by ${title}` : `stands in ${title} from the start`;
      return arrive(found, `The first nan or infinity ${where}.`);
    },
    largestGradient() {
      const found = largestGradient(model);
      if (!found) return say("No gradient was computed.");
      return arrive(found, `The largest gradient is that of ${model.title(found.node)}: ${showNumber(found.size)}.`);
    },
    deadUnits() {
      const all = deadUnits(model);
      if (!all.length) return say("No unit of a relu is zero on all of its inputs.");
      lastDead = (lastDead + 1) % all.length;
      const { node, dead, units } = all[lastDead];
      const t = model.stepsOf(node)[0];
      const where = all.length > 1 ? ` (${lastDead + 1} of ${all.length} relus with dead units)` : "";
      const what = `${dead} of ${units} units are zero on every input shown`;
      return arrive({ node, t }, `${model.title(node)}: ${what}${where}.`);
    },
    nextOfChosen() {
      if (!player.chosen) return say("Choose a node first.");
      const all = model.stepsOf(player.chosen);
      if (!all.length) return say(`Nothing happens to ${model.title(player.chosen)}.`);
      return player.go(all.find((k) => k > player.t) ?? all[0]);
    },
  };

  function arrive({ node, t }, text) {
    player.go(t);
    player.choose(node);
    say(text);
  }

  const named = [
    ["First nan", jumps.firstBad, ""],
    ["Largest gradient", jumps.largestGradient, ""],
    ["Dead units", jumps.deadUnits, ""],
    ["Next step of the chosen node", jumps.nextOfChosen, "N"],
  ];
  for (const [text, jump, key] of named) {
    const button = html("button", { type: "button" }, text);
    if (key) button.append(" ", html("kbd", {}, key));
    button.addEventListener("click", () => {
      byId("jumps").open = false;
      jump();
    });
    byId("jump-list").append(button);
  }
  return jumps;
}
