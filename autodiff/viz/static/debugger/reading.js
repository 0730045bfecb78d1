// The data of the page: JSON, or where there is much of it, the same compressed and in base64, as page.py put it there.

import { byId } from "./dom.js";

export async function dataIn(id) {
  const { type, textContent } = byId(id);
  if (type === "application/json") return JSON.parse(textContent);
  const packed = Uint8Array.from(atob(textContent), (character) => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(unpacked).json();
}
