// Each step in a sentence: the caption above the graph, the scrubber's text, and what a screen reader says.

import { brief } from "./box.js";
import { shorten } from "./dom.js";
import { showShape } from "./numbers.js";

const LONGEST = 32;

export function phaseOf(model, t) {
  if (t === 0) return "Start";
  if (t <= model.nForward) return `Forward step ${t} of ${model.nForward}`;
  return `Backward step ${t - model.nForward} of ${model.nBackward}`;
}

export function sentenceOf(model, t) {
  if (t === 0) return "The leaves have their values. Step on to compute the rest.";
  const step = model.steps[t - 1];
  const name = (id) => shorten(model.title(id), LONGEST);
  const grad = `${gradOf(model, step.target)} is now ${brief(step.total)}`;
  if (step.kind === "forward") {
    const node = model.nodes.get(step.target);
    const args = model.into(step.target).map((edge) => name(edge.source));
    const shown = args.length > 4 ? [...args.slice(0, 3), "…"] : args;
    const made = node.name ? `${shorten(node.name, LONGEST)} = ` : "";
    return `${made}${node.op}(${shown.join(", ")}) is ${brief(node.value)}`;
  }
  if (step.kind === "seed") return `The sweep starts at ${name(step.target)}: ${grad}`;
  const edge = model.edges.get(step.edge);
  const op = model.nodes.get(edge.target).op;
  if (step.kind === "sum") {
    return `What came back from ${op} is summed to shape ${showShape(model.nodes.get(step.target).shape)}: ${grad}`;
  }
  if (step.kind === "scatter") {
    return `What came back from ${op} is put back where it was looked up, zeros elsewhere: ${grad}`;
  }
  const sent = `${op} sends ${brief(edge.raw ?? edge.contribution)} to ${name(step.target)}`;
  return step.total ? `${sent}; ${grad}` : `${sent}, of shape ${showShape((edge.raw ?? edge.contribution).shape)}`;
}

function gradOf(model, id) {
  const node = model.nodes.get(id);
  return node.name ? `${shorten(node.name, LONGEST)}.grad` : `the gradient of ${shorten(model.title(id), LONGEST)}`;
}
