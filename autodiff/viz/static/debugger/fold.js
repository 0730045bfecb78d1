// Which modules are folded, and what there is to draw then: a box for each node that can be seen and for each folded
// module, a frame around what an unfolded one holds.  Never more than MOST_BOXES, whatever the tape.

import { MADE_KINDS } from "./model.js";

const MOST_BOXES = 120;
const AT_FIRST = 70;
const WIDE = 40; // more than this in one scope is divided further

export const ROOT = "s"; // the whole tape

export function createFolds(model) {
  const tree = scopeTree(model);
  const home = new Map(); // node or scope -> the scope around it
  for (const scope of tree.values()) for (const id of scope.members) home.set(id, scope.id);
  const open = new Set([ROOT]);
  const shut = new Set(); // folded by hand: steps do not unfold these
  const used = new Map();
  let clock = 0;

  const folds = {
    scope: (id) => tree.get(id),
    isScope: (id) => tree.has(id),
    isOpen: (id) => open.has(id),
    around: (id) => home.get(id),

    // What stands for a node: itself, or the outermost folded scope that holds it.
    boxOf(id) {
      let box = id;
      for (let scope = home.get(id); scope !== undefined; scope = home.get(scope)) if (!open.has(scope)) box = scope;
      return box;
    },

    unfold(id) {
      shut.delete(id);
      open.add(id);
      touch(id);
      makeRoom([id]);
    },
    fold(id) {
      shut.add(id);
      open.delete(id);
    },
    foldAll() {
      open.clear();
      open.add(ROOT);
    },

    // Unfold what hides a node, but for what was folded by hand (unless asked to).  True if that changed anything.
    reveal(id, evenByHand = false) {
      const around = [];
      for (let scope = home.get(id); scope !== undefined; scope = home.get(scope)) around.unshift(scope);
      let changed = false;
      for (const scope of around) {
        if (shut.has(scope) && !evenByHand) break;
        shut.delete(scope);
        if (!open.has(scope)) {
          open.add(scope);
          changed = true;
        }
        touch(scope);
      }
      if (changed) makeRoom(around);
      return changed;
    },
  };

  const touch = (id) => used.set(id, ++clock);

  function count(id = ROOT) {
    let n = 0;
    for (const member of tree.get(id).members) n += open.has(member) ? count(member) : 1;
    return n;
  }

  // Fold again what was not looked at for longest, until what is left can be taken in.
  function makeRoom(keep) {
    const kept = new Set();
    for (const id of keep) for (let scope = id; scope !== undefined; scope = home.get(scope)) kept.add(scope);
    const rest = [...open].filter((id) => !kept.has(id)).sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0));
    while (rest.length && count() > MOST_BOXES) open.delete(rest.shift());
  }

  // At first outer modules are open, as far as there is room; what is repeated is drawn once.
  let room = AT_FIRST - tree.get(ROOT).members.length;
  const queue = [ROOT];
  while (queue.length) {
    for (const id of tree.get(queue.shift()).members) {
      const more = tree.has(id) ? tree.get(id).members.length - 1 : Infinity;
      if (more > room || MADE_KINDS.has(tree.get(id).kind)) continue;
      room -= more;
      open.add(id);
      queue.push(id);
    }
  }
  return folds;
}

// The scopes with their members, nodes and scopes, in the order of creation.
function scopeTree(model) {
  const tree = new Map([[ROOT, { id: ROOT, title: "", kind: "", members: [], size: 0 }]]);
  const placed = new Set();
  for (const { id, title, kind } of model.view.scopes) tree.set(id, { id, title, kind, members: [], size: 0 });
  for (const node of model.view.nodes) {
    let member = node.id;
    for (let around = node.scope ?? ROOT; ; around = model.scopes.get(around).parent) {
      tree.get(around).size += 1;
      if (!placed.has(member)) tree.get(around).members.push(member);
      placed.add(member);
      if (around === ROOT) break;
      member = around;
    }
  }
  for (const scope of [...tree.values()].reverse()) unwrap(scope, tree, model);
  for (const scope of [...tree.values()].reverse()) dissolve(scope, tree, model);
  for (const scope of [...tree.values()]) divide(scope, tree, model);
  return tree;
}

// A scope with a single node in it needs no frame: the node stands for it.
function unwrap(scope, tree, model) {
  if (scope.id === ROOT || scope.members.length > 1 || tree.has(scope.members[0])) return;
  const around = tree.get(model.scopes.get(scope.id).parent);
  around.members[around.members.indexOf(scope.id)] = scope.members[0];
  tree.delete(scope.id);
}

// A block that is repeated, but each time with something else between, is no block: its parts go back to their places.
function dissolve(scope, tree, model) {
  if (scope.kind !== "repeat") return;
  const around = tree.get(model.scopes.get(scope.id).parent);
  const others = around.members.filter((id) => id !== scope.id);
  const inside = agesOf(scope.id, tree, model);
  const [first, last] = [inside[0], inside.at(-1)];
  if (!others.flatMap((id) => agesOf(id, tree, model)).some((age) => age > first && age < last)) return;
  const starts = new Map([...others, ...scope.members].map((id) => [id, agesOf(id, tree, model)[0] ?? 0]));
  around.members = [...starts.keys()].sort((a, b) => starts.get(a) - starts.get(b));
  tree.delete(scope.id);
}

// The places on the tape of the ops in a scope, oldest first.
function agesOf(id, tree, model) {
  if (!tree.has(id)) return model.nodes.get(id).kind === "op" ? [Number(id.slice(1))] : [];
  return tree.get(id).members.flatMap((member) => agesOf(member, tree, model)).sort((a, b) => a - b);
}

// Cut what holds too much into runs, until no scope does.
function divide(scope, tree, model) {
  if (scope.members.length <= WIDE) return;
  const length = Math.max(Math.ceil(scope.members.length / WIDE), Math.ceil(Math.sqrt(scope.members.length)));
  const runs = [];
  for (let start = 0; start < scope.members.length; start += length) {
    const members = scope.members.slice(start, start + length);
    const titleOf = (id) => tree.get(id)?.title ?? model.title(id);
    const size = members.reduce((n, id) => n + (tree.get(id)?.size ?? 1), 0);
    const run = { id: `${scope.id}r${runs.length}`, kind: "run", members, size };
    run.title = `${titleOf(members[0])} … ${titleOf(members.at(-1))}`;
    tree.set(run.id, run);
    runs.push(run.id);
    divide(run, tree, model);
  }
  scope.members = runs;
}
