// Where we are: the step, the chosen node and what the pointer is over.  Panes listen, and never call each other.
//
// Events: "step", "choose", "hover", "values" (numbers in model.view were changed in place), "play", "theme".

export function createPlayer(model) {
  const listeners = new Map();
  let timer = null;

  const player = {
    t: 0,
    chosen: null,
    hovered: null, // {node}, {edge}, {source, line} or null
    speed: 2, // steps a second
    stopsAt: () => false, // breakpoints: (t) => boolean

    get state() {
      return model.stateAt(player.t);
    },
    get playing() {
      return timer !== null;
    },

    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, []);
      listeners.get(event).push(listener);
    },
    emit(event) {
      for (const listener of listeners.get(event) ?? []) listener();
    },

    go(t) {
      const to = Math.max(0, Math.min(model.steps.length, Math.round(t)));
      if (to === player.t) return;
      player.t = to;
      player.emit("step");
    },
    next: () => player.go(player.t + 1),
    back: () => player.go(player.t - 1),

    // On to the next breakpoint, or to the end; backwards with direction -1.
    run(direction = 1) {
      let t = player.t + direction;
      while (t > 0 && t < model.steps.length && !player.stopsAt(t)) t += direction;
      player.go(t);
    },

    play() {
      if (player.playing) return;
      if (player.t === model.steps.length) player.go(0);
      timer = setTimeout(tick, 1000 / player.speed);
      player.emit("play");
    },
    pause() {
      if (!player.playing) return;
      clearTimeout(timer);
      timer = null;
      player.emit("play");
    },

    choose(id) {
      if (id === player.chosen) return;
      player.chosen = id;
      player.emit("choose");
    },
    hover(what) {
      if (JSON.stringify(what) === JSON.stringify(player.hovered)) return;
      player.hovered = what;
      player.emit("hover");
    },
  };

  function tick() {
    player.next();
    if (player.t === model.steps.length || player.stopsAt(player.t)) player.pause();
    else timer = setTimeout(tick, 1000 / player.speed);
  }

  return player;
}
