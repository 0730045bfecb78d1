// Light or dark: as the system has it, until somebody asks for the other.

import { byId } from "./dom.js";

export function createTheme(player) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let asked = null;

  function show() {
    const theme = asked ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
    player.emit("theme");
  }

  function toggle() {
    asked = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    show();
  }

  system.addEventListener("change", show);
  byId("theme").addEventListener("click", toggle);
  show();
  return { toggle };
}
