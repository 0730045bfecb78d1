// Which nodes were made on which line of source, and what lights up together.

export function createPlaces(model) {
  const byLine = new Map();
  const keyOf = (source, line) => `${source}:${line}`;
  for (const node of model.view.nodes) {
    if (!node.at) continue;
    for (let line = node.at.line; line <= node.at.last; line++) {
      const key = keyOf(node.at.source, line);
      if (!byLine.has(key)) byLine.set(key, []);
      byLine.get(key).push(node.id);
    }
  }

  const places = {
    // The nodes that were made on a line, in the order of creation.
    nodesOn: (source, line) => byLine.get(keyOf(source, line)) ?? [],
    nodesOnLine: (line) => model.view.sources.flatMap((_, source) => places.nodesOn(source, line)),

    // What lights up while something is hovered: nodes, edges, and the place in the source.
    litBy(hovered) {
      const lit = { nodes: new Set(), edges: new Set(), at: null };
      if (hovered?.line) for (const id of places.nodesOn(hovered.source, hovered.line)) lit.nodes.add(id);
      if (hovered?.node) lit.nodes.add(hovered.node);
      if (hovered?.edge) {
        lit.edges.add(hovered.edge);
        lit.nodes.add(model.edges.get(hovered.edge).source);
      }
      const shown = hovered?.edge ? model.edges.get(hovered.edge).target : hovered?.node;
      lit.at = model.nodes.get(shown)?.at ?? null;
      return lit;
    },
  };
  return places;
}
