// The scrubber, the buttons beside it, and the sentence that says what the step does.

import { byId, mark } from "./dom.js";
import { phaseOf, sentenceOf } from "./words.js";

const LONG = 70; // a longer sentence is set smaller

export function createTransport(model, player) {
  const scrubber = byId("scrubber");
  const caption = byId("caption");
  const n = model.steps.length;
  scrubber.max = n;
  scrubber.style.setProperty("--split", n ? model.nForward / n : 0);
  byId("phase-forward").style.flexGrow = model.nForward;
  byId("phase-back").style.flexGrow = model.nBackward;

  function show() {
    const { t } = player;
    const { phase, step } = player.state;
    const sentence = sentenceOf(model, t);
    scrubber.value = t;
    scrubber.setAttribute("aria-valuetext", `${phaseOf(model, t)}: ${sentence}`);
    byId("count").textContent = `${t} / ${n}`;
    const body = document.body;
    mark(body, "data-step", t);
    mark(body, "data-steps", n);
    mark(body, "data-phase", phase);
    mark(body, "data-kind", step?.kind ?? "");
    const name = document.createElement("b");
    name.textContent = phaseOf(model, t);
    caption.replaceChildren(name, " ", sentence);
    caption.classList.toggle("long", sentence.length > LONG);
    byId("first").disabled = byId("back").disabled = t === 0;
    byId("next").disabled = byId("last").disabled = t === n;
  }

  const play = byId("play");
  const toggle = () => (player.playing ? player.pause() : player.play());
  function showPlay() {
    play.textContent = player.playing ? "Pause" : "Play";
    play.setAttribute("aria-label", play.textContent);
    // A screen reader that reads a sentence to its end must not be driven on by the next one.
    caption.setAttribute("aria-live", player.playing ? "off" : "polite");
  }

  scrubber.addEventListener("input", () => player.go(Number(scrubber.value)));
  byId("first").addEventListener("click", () => player.go(0));
  byId("back").addEventListener("click", player.back);
  byId("next").addEventListener("click", player.next);
  byId("last").addEventListener("click", () => player.go(n));
  play.addEventListener("click", toggle);
  byId("speed").addEventListener("change", (event) => (player.speed = Number(event.target.value)));
  player.on("step", show);
  player.on("values", show);
  player.on("play", showPlay);
  show();

  return {
    toggle,
    say: (text) => caption.replaceChildren(text),
    page: Math.max(1, Math.round(n / 10)),
  };
}
