// An array as coloured cells: blue above zero, vermilion below, nothing at zero; what is not finite is hatched.
//
// Small arrays print their numbers.  Of a large one every so many rows and columns are shown, with their numbers.  The
// arrow keys walk from entry to entry once the map has the focus.

import { html } from "./dom.js";
import { indexOf, showNumber, showShape, showStats } from "./numbers.js";

const GUTTER = { left: 30, top: 15 };
const CELL = { smallest: 5, largest: 46, height: 24, gap: 1 };
const FOR_NUMBERS = 36; // px that a number needs
const FEW = 80; // cells
const HEIGHT = 236;

// `about` says what is shown: title, stats, and node, whose entries these are.
export class Heatmap {
  constructor(about, width, onEntry) {
    this.about = about;
    this.stats = about.stats;
    this.onEntry = onEntry;
    this.lit = null; // a predicate on places
    this.at = null; // [row, column] among the listed ones
    const label = `${about.title}, ${showShape(this.stats.shape)}, ${showStats(this.stats)}; arrow keys walk over its entries`;
    this.canvas = html("canvas", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "heat map",
      "aria-label": label,
    });
    this.reading = html("output", { class: "reading", "aria-live": "polite" });
    const note = html("p", { class: "map-note" }, this.whatIsShown());
    this.element = html(
      "figure",
      { class: "map" },
      this.canvas,
      html("div", { class: "below-map" }, this.legend(), this.reading),
      note,
    );
    this.place(width);
    this.listen();
  }

  // How large a cell is, and how the table is cut into blocks that stand side by side: the last two axes of an array
  // with more of them, else what fits into the width and a bearable height.
  place(width) {
    const { shape, step, listed } = this.stats;
    [this.rows, this.columns] = listed;
    this.deep = shape.length > 2 && step[0] === 1;
    const rows = this.deep ? shape.at(-2) : this.rows;
    const beside = this.deep ? Math.min(4, this.rows / rows) : 1;
    const room = Math.max(60, Math.floor(width / beside) - GUTTER.left);
    const within = (x, low, high) => Math.max(low, Math.min(high, Math.floor(x)));
    this.wide = within(room / this.columns, CELL.smallest, CELL.largest);
    this.numbers = this.rows * this.columns <= FEW && this.wide >= FOR_NUMBERS;
    this.high = this.numbers ? CELL.height : within(Math.min(this.wide, HEIGHT / rows), CELL.smallest, CELL.height);
    if (!this.numbers) this.wide = Math.min(this.wide, Math.max(this.high * 2, 12));
    this.block = {
      columns: Math.min(this.columns, Math.max(1, Math.floor((width - GUTTER.left) / this.wide))),
      rows: this.deep || rows * this.high <= 1.5 * HEIGHT ? rows : Math.floor(HEIGHT / this.high),
    };
    this.block.across = Math.ceil(this.columns / this.block.columns);
    this.block.width = GUTTER.left + this.block.columns * this.wide + 1;
    this.block.height = GUTTER.top + this.block.rows * this.high + 1;
    const blocks = Math.ceil(this.rows / this.block.rows) * this.block.across;
    this.block.perLine = Math.max(1, Math.min(blocks, Math.floor(width / this.block.width)));
    this.size = [this.block.perLine * this.block.width, Math.ceil(blocks / this.block.perLine) * this.block.height];
    this.draw();
  }

  // Where a cell stands in the picture.
  corner(row, column) {
    const { block, wide, high } = this;
    const k = Math.floor(row / block.rows) * block.across + Math.floor(column / block.columns);
    return [
      (k % block.perLine) * block.width + GUTTER.left + (column % block.columns) * wide,
      Math.floor(k / block.perLine) * block.height + GUTTER.top + (row % block.rows) * high,
    ];
  }

  // The cell at a point of the picture, or null.
  cellAt(x, y) {
    const { block, wide, high } = this;
    const k = Math.floor(y / block.height) * block.perLine + Math.floor(x / block.width);
    const [column, row] = [
      Math.floor(((x % block.width) - GUTTER.left) / wide),
      Math.floor(((y % block.height) - GUTTER.top) / high),
    ];
    if (row < 0 || column < 0 || row >= block.rows || column >= block.columns) return null;
    const at = [Math.floor(k / block.across) * block.rows + row, (k % block.across) * block.columns + column];
    return at[0] < this.rows && at[1] < this.columns ? at : null;
  }

  whatIsShown() {
    const [everyRow, everyColumn] = this.stats.step;
    const parts = [];
    if (everyRow > 1) parts.push(`every ${ordinal(everyRow)} row`);
    if (everyColumn > 1) parts.push(`every ${ordinal(everyColumn)} column`);
    return parts.length ? `${parts.join(" and ")} shown` : "";
  }

  legend() {
    const { stats } = this;
    this.largest = Math.max(Math.abs(stats.min ?? 0), Math.abs(stats.max ?? 0));
    const top = showNumber(this.largest, 3);
    const parts = this.largest ? [html("span", {}, `−${top}`), html("i", { class: "ramp" }), html("span", {}, top)] : [];
    if (stats.nan) parts.push(html("i", { class: "hatch" }), html("span", {}, `${stats.nan} nan`));
    if (stats.inf) parts.push(html("i", { class: "hatch cross" }), html("span", {}, `${stats.inf} inf`));
    if (!parts.length) parts.push(html("span", {}, "all 0"));
    return html("p", { class: "ramp-legend", "aria-hidden": "true" }, ...parts);
  }

  // The place in the flattened array of a listed cell.
  placeAt(row, column) {
    return row * this.stats.step[0] * this.stats.table[1] + column * this.stats.step[1];
  }

  entryAt(row, column) {
    return this.stats.data[row * this.columns + column];
  }

  draw() {
    const { canvas, rows, columns, size } = this;
    const scale = globalThis.devicePixelRatio || 1;
    [canvas.width, canvas.height] = size.map((n) => Math.ceil(n * scale));
    canvas.style.width = `${size[0]}px`;
    canvas.style.height = `${size[1]}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const colours = coloursOfPage();
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) this.drawCell(pen, colours, row, column);
    this.drawMarks(pen, colours);
  }

  drawCell(pen, colours, row, column) {
    const { wide, high } = this;
    const [x, y] = this.corner(row, column);
    const entry = this.entryAt(row, column);
    const number = typeof entry === "string" ? NaN : Number(entry);
    const gap = wide > 8 && high > 8 ? CELL.gap : 0;
    const [w, h] = [wide - gap, high - gap];
    const lit = this.lit?.(this.placeAt(row, column));
    const colour = Number.isFinite(number) ? blend(colours, this.largest ? number / this.largest : 0) : colours.zero;
    pen.globalAlpha = this.lit && !lit ? 0.3 : 1;
    pen.fillStyle = rgb(colour);
    pen.fillRect(x, y, w, h);
    if (!Number.isFinite(number) && typeof entry !== "string")
      hatch(pen, rgb(colours.bad), x, y, w, h, !Number.isNaN(number));
    pen.globalAlpha = 1;
    if (this.numbers) {
      const text = typeof entry === "string" ? entry : fitting(entry, this.stats.kind, w);
      pen.font = "12px ui-sans-serif, system-ui, sans-serif";
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      if (!Number.isFinite(number)) {
        const wideText = pen.measureText(text).width;
        pen.fillStyle = rgb(colours.zero);
        pen.fillRect(x + (w - wideText) / 2 - 2, y + 3, wideText + 4, h - 6);
      }
      const faded = this.lit && !lit;
      pen.fillStyle = !Number.isFinite(number) ? rgb(colours.bad) : faded ? rgb(colours.muted) : inkOn(colour);
      pen.fillText(text, x + w / 2, y + h / 2 + 0.5);
    }
    if (lit) outline(pen, rgb(colours.text), x, y, w, h, wide > 8 ? 2 : 1);
  }

  // Numbers of rows and columns beside each block; of a block that is a matrix in a stack, which one it is.
  drawMarks(pen, colours) {
    const { stats, wide, high, rows, columns, block } = this;
    pen.fillStyle = rgb(colours.muted);
    pen.font = "11px ui-sans-serif, system-ui, sans-serif";
    const across = Math.ceil(24 / wide);
    const down = Math.ceil(13 / high);
    for (let row = 0; row < rows; row += block.rows) {
      pen.textAlign = this.deep ? "left" : "center";
      pen.textBaseline = "alphabetic";
      if (this.deep) {
        const [x, y] = this.corner(row, 0);
        pen.fillText(`[${indexOf(row / block.rows, stats.shape.slice(0, -2)).join(", ")}]`, x, y - 4);
      } else {
        for (let column = 0; column < columns; column++) {
          const [x, y] = this.corner(row, column);
          if ((column % block.columns) % across === 0) pen.fillText(column * stats.step[1], x + wide / 2, y - 4);
        }
      }
      if (stats.shape.length < 2) continue;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      for (let k = 0; k < block.rows && row + k < rows; k += down) {
        const [x, y] = this.corner(row + k, 0);
        pen.fillText(this.deep ? k : (row + k) * stats.step[0], x - 5, y + high / 2);
      }
    }
    if (this.at) outline(pen, rgb(colours.now), ...this.corner(...this.at), wide - 1, high - 1, 3);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.goTo(this.cellAt(event.offsetX, event.offsetY)));
    canvas.addEventListener("pointerleave", () => this.goTo(null));
    canvas.addEventListener("blur", () => this.goTo(null));
    canvas.addEventListener("focus", () => this.goTo(this.at ?? [0, 0]));
    canvas.addEventListener("keydown", (event) => {
      const move = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -1],
        ArrowRight: [0, 1],
        Home: [-1e9, -1e9],
        End: [1e9, 1e9],
      }[event.key];
      if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const [row, column] = this.at ?? [0, 0];
      const clamp = (k, n) => Math.max(0, Math.min(n - 1, k));
      this.goTo([clamp(row + move[0], this.rows), clamp(column + move[1], this.columns)]);
    });
  }

  goTo(at) {
    if (String(at) === String(this.at)) return;
    this.at = at;
    this.onEntry(at ? { node: this.about.node, place: this.placeAt(...at) } : null, this);
  }

  // Light the entries of a predicate; with null all are as always.
  light(lit, words) {
    this.lit = lit;
    this.draw();
    if (this.at) {
      const entry = this.entryAt(...this.at);
      const text = typeof entry === "string" ? entry : this.stats.kind === "float" ? showNumber(entry, 6) : String(entry);
      this.reading.textContent = `[${indexOf(this.placeAt(...this.at), this.stats.shape).join(", ")}] = ${text}`;
    } else this.reading.textContent = words ?? "";
  }

  // How many of the listed entries are lit.
  get count() {
    let n = 0;
    for (let row = 0; row < this.rows; row++)
      for (let column = 0; column < this.columns; column++) n += this.lit?.(this.placeAt(row, column)) ? 1 : 0;
    return n;
  }
}

function ordinal(n) {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

function fitting(entry, kind, width) {
  if (kind !== "float") return String(entry);
  const most = Math.floor((width - 2) / 6.6);
  for (const digits of [4, 3, 2, 1]) {
    const text = showNumber(entry, digits)
      .replace("-", "−")
      .replace(/^(.*\.\d+?)0+$/, "$1");
    if (text.length <= most) return text;
  }
  return entry.toExponential(0).replaceAll("-", "−").replace("+", "");
}

function coloursOfPage() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => parsed(style.getPropertyValue(name).trim());
  return {
    positive: colour("--positive"),
    negative: colour("--negative"),
    zero: colour("--cell-zero"),
    text: colour("--text"),
    muted: colour("--muted"),
    bad: colour("--bad"),
    now: colour("--now"),
  };
}

function parsed(hex) {
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

const rgb = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

// From -1 to 1; the square root lets small numbers be seen.
function blend(colours, x) {
  const far = x < 0 ? colours.negative : colours.positive;
  const part = Math.sqrt(Math.min(1, Math.abs(x)));
  return colours.zero.map((c, k) => c + (far[k] - c) * part);
}

// Black or white, whichever can be read on a colour.
function inkOn(colour) {
  const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}

function outline(pen, colour, x, y, w, h, thick) {
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.strokeRect(x + thick / 2, y + thick / 2, w - thick, h - thick);
}

function hatch(pen, colour, x, y, w, h, crossed) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let k = -h; k < w; k += 5) {
    pen.moveTo(x + k, y + h);
    pen.lineTo(x + k + h, y);
    if (crossed) {
      pen.moveTo(x + k, y);
      pen.lineTo(x + k + h, y + h);
    }
  }
  pen.stroke();
  pen.restore();
}
