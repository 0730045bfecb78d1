// Pan and zoom of a drawing: mouse, wheel, and methods for keys and buttons.

const TALL = 800; // the height of a view at which boxes are shown in their own size, if not all of them fit
const READABLE = 0.85; // and the bounds of that
const LARGE = 1.2;
const CLOSEST = 2.5;
const FARTHEST = 0.05;
const LARGEST = 1.25; // a small graph is not blown up further than this
const MARGIN = 16;
const AROUND = 32; // room around what is brought into view, for a label

// `zoomed` hears of each scale, `moved` when the view is taken elsewhere, but for `fit`, `resized` when its size changes.
export function createCamera(svg, content, { zoomed, moved, resized }) {
  let x = 0;
  let y = 0;
  let scale = 1;

  // Asking for the size makes the browser lay out the page: it is kept.
  const { width: across, height: down } = svg.getBoundingClientRect();
  let kept = { width: across || 600, height: down || 400 };
  const size = () => kept;
  new ResizeObserver(([{ contentRect: box }]) => {
    if (!box.width || !box.height || (box.width === kept.width && box.height === kept.height)) return;
    kept = { width: box.width, height: box.height };
    resized();
  }).observe(svg);

  function apply() {
    content.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    zoomed(scale);
  }

  const camera = {
    get scale() {
      return scale;
    },

    zoom(factor, at = { x: size().width / 2, y: size().height / 2 }) {
      moved();
      const to = Math.max(FARTHEST, Math.min(CLOSEST, scale * factor));
      x = at.x - ((at.x - x) * to) / scale;
      y = at.y - ((at.y - y) * to) / scale;
      scale = to;
      apply();
    },
    pan(dx, dy) {
      moved();
      x += dx;
      y += dy;
      apply();
    },

    // The scale at which an area would fill the view.
    scaleFor(area) {
      const { width, height } = size();
      return Math.min(width / (area.width + 2 * MARGIN), height / (area.height + 2 * MARGIN));
    },

    // Show an area whole; unless that makes it too small to read, then the part around a place.
    fit(area, around = null) {
      const { width, height } = size();
      const whole = camera.scaleFor(area);
      const readable = Math.max(READABLE, Math.min(LARGE, height / TALL));
      scale = Math.max(FARTHEST, Math.min(LARGEST, around ? Math.max(whole, readable) : whole));
      x = around ? width / 2 - around.x * scale : 0;
      y = around ? height / 2 - around.y * scale : 0;
      camera.within(area);
    },

    // Bring a place into view, moving no further than it takes.
    show(place) {
      moved();
      const { width, height } = size();
      x += inward(place.x * scale + x, (place.width * scale) / 2 + AROUND, width);
      y += inward(place.y * scale + y, (place.height * scale) / 2 + AROUND, height);
      apply();
    },

    // Leave no side of the view empty while the area goes on beyond the other.
    within(area) {
      const { width, height } = size();
      x = clamped(x, area.left * scale, area.width * scale, width);
      y = clamped(y, area.top * scale, area.height * scale, height);
      apply();
    },

    // Where a place of the drawing stands in the view, and back to it after the drawing was laid out anew.
    positionOf: (place) => ({ x: place.x * scale + x, y: place.y * scale + y }),
    hold(place, position) {
      moved();
      x = position.x - place.x * scale;
      y = position.y - place.y * scale;
      apply();
    },
  };

  const inView = (event) => {
    const box = svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey) camera.pan(-event.deltaY - event.deltaX, 0);
    else camera.zoom(Math.exp(-Math.max(-80, Math.min(80, event.deltaY)) / 400), inView(event));
  }, { passive: false });

  let from = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && !event.target.closest("[data-box]")) {
      from = { x: event.clientX, y: event.clientY };
      svg.setPointerCapture(event.pointerId);
      svg.classList.add("dragged");
    }
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    camera.pan(event.clientX - from.x, event.clientY - from.y);
    from = { x: event.clientX, y: event.clientY };
  });
  for (const end of ["pointerup", "pointercancel"]) {
    svg.addEventListener(end, () => {
      from = null;
      svg.classList.remove("dragged");
    });
  }
  return camera;
}

// How far a place that reaches `half` to both sides of `at` must move to be between 0 and `length`.
function inward(at, half, length) {
  if (2 * half > length) return length / 2 - at;
  return Math.max(0, half - at) + Math.min(0, length - half - at);
}

// The offset at which what begins at `start` and is `extent` long fills a view of some length, or stands in its middle.
function clamped(offset, start, extent, length) {
  const room = length - extent;
  if (room >= 2 * MARGIN) return room / 2 - start;
  return Math.max(room - MARGIN - start, Math.min(MARGIN - start, offset));
}
