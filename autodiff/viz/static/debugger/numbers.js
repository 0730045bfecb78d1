// Numbers as text, as the rest of the package prints them: four significant digits, whole numbers with a point.

// What one array or number is like.  Of a number there is `number`; of an array `shape`, `min`, `max`, `mean`, `std`,
// the counts `nan`, `inf`, `zeros`, a `histogram`, and `data`: of the array as a table with rows along its last axis,
// every step[0]-th row and every step[1]-th column.  Numbers that JavaScript does not have (a fraction, a complex number)
// have a `label`.
export class Stats {
  constructor(about) {
    Object.assign(this, { shape: [], zeros: 0, nan: 0, inf: 0, kind: "float", label: null, step: [1, 1] }, about);
  }

  get size() {
    return this.shape.reduce((n, length) => n * length, 1);
  }

  // The array as a table: how many rows and columns it has.
  get table() {
    const columns = this.shape.at(-1) ?? 1;
    return [columns ? this.size / columns : 0, columns];
  }

  // How many rows and columns of it are listed.
  get listed() {
    return this.table.map((n, k) => Math.ceil(n / this.step[k]));
  }

  get isNumber() {
    return !this.shape.length;
  }

  get text() {
    return showStats(this);
  }
}

export function showNumber(x, digits = 4) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return "0.0";
  const size = Math.abs(x);
  const sign = x < 0 ? "-" : "";
  if (size >= 1e3 && size < 1e6) return sign + rint(size) + (Number.isInteger(x) ? ".0" : "");
  const { text, exponent } = rounded(size, digits);
  const short = exponent < -4 || exponent >= digits ? text : String(Number(text));
  return sign + (/^\d+$/.test(short) ? `${short}.0` : short);
}

// The nearest whole number, halves to even.
export function rint(x) {
  const low = Math.floor(x);
  const gap = x - low;
  return gap < 0.5 || (gap === 0.5 && low % 2 === 0) ? low : low + 1;
}

// A positive number to so many significant digits, halves to even as Python does; trailing zeros are left out.
function rounded(size, digits) {
  const [mantissa, power] = size.toExponential(100).split("e");
  const all = mantissa.replace(".", "");
  let kept = BigInt(all.slice(0, digits));
  const rest = all.slice(digits);
  const half = `5${"0".repeat(rest.length - 1)}`;
  if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n;
  let exponent = Number(power);
  let text = kept.toString();
  if (text.length > digits) {
    text = text.slice(0, digits);
    exponent += 1;
  }
  if (exponent >= digits || exponent < -4) {
    const tail = text.slice(1).replace(/0+$/, "");
    return { text: `${text[0]}${tail && `.${tail}`}e${exponent}`, exponent };
  }
  const point = exponent + 1;
  const written =
    point <= 0 ? `0.${"0".repeat(-point)}${text}` : point < digits ? `${text.slice(0, point)}.${text.slice(point)}` : text;
  return { text: written, exponent };
}

// A whole number has no point.
function showAs(kind, x, digits) {
  return kind === "int" ? String(x) : kind === "bool" ? (x ? "True" : "False") : showNumber(x, digits);
}

// A value, cotangent or contribution in a few characters; nothing yet is a dash.
export function showStats(stats, digits = 4) {
  if (!stats) return "–";
  if (stats.label !== null) return stats.label;
  if (stats.isNumber) return showAs(stats.kind, stats.number, digits);
  if (!stats.size) return "empty";
  const entry = (x) => (typeof x === "string" ? x : showAs(stats.kind, x, digits));
  if (stats.size === 1 && stats.data) return entry(stats.data[0]);
  if (stats.shape.length === 1 && stats.size <= 3 && stats.data && stats.kind !== "complex") {
    return `[${stats.data.map(entry).join(", ")}]`;
  }
  if (stats.kind === "bool") return `${stats.size - stats.zeros} of ${stats.size} true`;
  return showRange(stats, digits);
}

function showRange(stats, digits) {
  const { nan, inf, size } = stats;
  const odd = [nan ? `${nan} nan` : "", inf ? `${inf} inf` : ""].filter(Boolean);
  if (nan === size) return "all nan";
  if (inf === size) return "all inf";
  if (nan + inf === size) return odd.join(", ");
  const prefix = stats.kind === "complex" ? "|z| " : "";
  const [low, high] = [stats.min, stats.max].map((x) => showAs(stats.kind === "int" ? "int" : "float", x, digits));
  if (low === high && !odd.length) return `${prefix}all ${low}`;
  const about = odd.length ? odd.join(", ") : prefix ? "" : `mean ${showNumber(stats.mean, digits)}`;
  return `${prefix}[${low} .. ${high}] ${about}`.trim();
}

export function showShape(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

// The index of an entry, from its place in the flattened array.
export function indexOf(flat, shape) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = flat % shape[axis];
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}
