// Find nodes by name, by op or by line: "w1", "op:matmul", "line:12".

import { brief } from "./box.js";
import { announce, byId, html, shorten } from "./dom.js";

const MOST = 60;
const NONE = "No such node";

function findNodes(model, places, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const tests = words.map((word) => testOf(word, places));
  return model.view.nodes.filter((node) => tests.every((test) => test(node, model)));
}

function testOf(word, places) {
  const [, key, rest] = /^(op|line|name):(.*)$/.exec(word) ?? [];
  if (key === "op") return (node) => node.kind === "op" && node.op.toLowerCase().includes(rest);
  if (key === "name") return (node) => (node.name ?? "").toLowerCase().includes(rest);
  if (key === "line") {
    const found = new Set(places.nodesOnLine(Number(rest)));
    return (node) => found.has(node.id);
  }
  return (node, model) => {
    const module = model.scopes.get(node.scope)?.title ?? "";
    return `${model.title(node.id)} ${node.op ?? ""} ${module}`.toLowerCase().includes(word);
  };
}

// What a node is, beside its title: a title without a name has the op in it.
function aboutOf(node) {
  const kind = node.kind !== "op" ? node.kind : node.name ? node.op : "";
  return [kind, node.at ? `line ${node.at.line}` : ""].filter(Boolean).join(", ");
}

export function createSearch(model, player, places, say) {
  const input = byId("search");
  const list = byId("found");
  let found = [];
  let active = -1;

  function search() {
    found = findNodes(model, places, input.value);
    active = found.length ? 0 : -1;
    show();
    const count = found.length === 1 ? "1 node" : `${found.length} nodes`;
    if (!list.hidden) announce(found.length ? `${count} found` : NONE);
  }

  function show() {
    const isOpen = input.value.trim() !== "";
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    list.replaceChildren(...found.slice(0, MOST).map(optionOf));
    const more = found.length - MOST;
    const remark = !found.length ? NONE : more > 0 ? `… ${more} more` : "";
    if (remark) list.append(html("li", { class: "none", role: "option", "aria-disabled": "true" }, remark));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", `found${active}`);
      const item = list.children[active];
      list.scrollTop = Math.max(0, item.offsetTop - list.clientHeight + item.offsetHeight);
    } else input.removeAttribute("aria-activedescendant");
  }

  function optionOf(node, k) {
    const item = html(
      "li",
      { role: "option", id: `found${k}`, "aria-selected": String(k === active) },
      html("b", {}, shorten(model.title(node.id), 40)),
      html("span", {}, aboutOf(node)),
      html("span", { class: "data" }, shorten(brief(node.value), 30)),
    );
    item.addEventListener("pointerdown", (event) => event.preventDefault()); // keep the focus
    item.addEventListener("click", () => take(k));
    return item;
  }

  function take(k) {
    if (!found[k]) return;
    const { id } = found[k];
    player.choose(id);
    close();
    say(`${[shorten(model.title(id), 40), aboutOf(found[k])].filter(Boolean).join(", ")} is chosen.`);
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  input.addEventListener("input", search);
  input.addEventListener("focus", search);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      active = Math.max(0, Math.min(Math.min(found.length, MOST) - 1, active + step));
      show();
    } else if (event.key === "Enter") take(active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  return { focus: () => input.select() || input.focus() };
}
