// Rows that work entry by entry, on numbers: what each computes, and its partial derivative by each input, of the inputs,
// the result y and the options p.  Kinks are as everywhere in this package: the subgradient of smallest norm.

import { rint } from "./numbers.js";

const half = (chosen, other) => (chosen ? (other ? 0.5 : 1) : 0);
const isSame = (x, y) => x === y || Number.isNaN(x);
const not = Number.isNaN;

function power(x, p) {
  return x === 1 || p === 0 ? 1 : x ** p;
}

function powerSlope(x, p) {
  const rest = power(x, p - 1);
  const slope = p * rest;
  return not(slope) && (p === 0 || rest === 0) ? 0 : slope;
}

function hardZero(g, d) {
  return g === 0 || d === 0 ? 0 : g * d;
}

function logistic(x) {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : not(x) ? x : e) / (1 + e);
}

const ramp = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

// The share of a in a sum of powers of e or 2.
function shareOf(exponential, a, b) {
  if (a === b && !Number.isFinite(a)) return a < 0 ? 0 : 0.5;
  const gap = b - a;
  const other = exponential(gap > 0 ? -gap : gap);
  return (gap > 0 ? other : 1) / (1 + other);
}

function logSum(exponential, logarithm, a, b) {
  const top = Math.max(a, b);
  return Number.isFinite(top) ? top + logarithm(1 + exponential(Math.min(a, b) - top)) : top;
}

const exp2 = (x) => 2 ** x;

function remainder(a, b) {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

// The error function: a series of positive terms near 0, a continued fraction far from it.
function erf(x) {
  const size = Math.abs(x);
  if (size > 2) return Math.sign(x) * (1 - erfcFar(size));
  let term = size;
  let sum = size;
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= (2 * size * size) / (2 * n + 1);
    sum += term;
  }
  return not(x) ? x : (Math.sign(x) * 2 * sum * Math.exp(-size * size)) / Math.sqrt(Math.PI);
}

function erfcFar(x) {
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

function erfc(x) {
  return x > 2 ? erfcFar(x) : 1 - erf(x);
}

const normalShare = (x) => erfc(-x / Math.SQRT2) / 2;
const normalDensity = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const GELU = [Math.sqrt(2 / Math.PI), 0.044715];
const geluShare = (x) => logistic(2 * GELU[0] * (x + GELU[1] * x * x * x));

function geluTanhSlope(x) {
  const s = geluShare(x);
  return s + hardZero(s * (1 - s), x * (2 * GELU[0] * (1 + 3 * GELU[1] * x * x)));
}

// The slope at 0 of what has slope `below` left of it and 1 right of it.
const atKink = (slope) => Math.max(0, Math.min(1, slope));

function sincSlope(x, y) {
  const t = Math.PI * x;
  if (Math.abs(t) > 1) return (Math.cos(t) - y) / x;
  let term = -t / 3;
  let sum = 0;
  for (let k = 1; k < 12; k++) {
    sum += term;
    term *= (-t * t * (2 * k + 2)) / (2 * k * (2 * k + 2) * (2 * k + 3));
  }
  return Math.PI * sum;
}

function overSquare(top, a, b) {
  const r = Math.hypot(a, b);
  return r === 0 || r === Infinity ? 0 : top / r / r;
}

function direction(a, b, y) {
  if (Math.abs(a) === Infinity) return Math.abs(b) === Infinity ? Math.sign(a) / 2 : Math.sign(a);
  return y === 0 ? 0 : a / y;
}

const over = (x, a) => (a === 0 && x === 0 ? 0 : x / (a + 0));
const larger = (a, b) => Math.max(a, b);
const smaller = (a, b) => Math.min(a, b);
const constant = (value) => () => value;
const one = constant(1);
const zero = constant(0);
const unary = (forward, slope) => ({ forward, slopes: [slope] });
const binary = (forward, first, second) => ({ forward, slopes: [first, second] });

// An op that returns one of two.
function choosing(forward, chosen) {
  return binary(
    forward,
    (a, b, y) => half(chosen(a, y, b), chosen(b, y, a)),
    (a, b, y) => half(chosen(b, y, a), chosen(a, y, b)),
  );
}

const sameOrBothNan = (x, y, other) => x === y || (not(x) && not(other));
const skipping = (pick) => (a, b) => (not(a) ? b : not(b) ? a : pick(a, b));

export const ELEMENTWISE = {
  add: binary((a, b) => a + b, one, one),
  subtract: binary((a, b) => a - b, one, constant(-1)),
  multiply: binary(
    (a, b) => a * b,
    (a, b) => b,
    (a) => a,
  ),
  divide: binary(
    (a, b) => a / b,
    (a, b) => 1 / b,
    (a, b, y) => -y / b,
  ),
  remainder: binary(remainder, one, (a, b) => -Math.floor(a / b)),
  floor_divide: binary((a, b) => Math.floor(a / b), zero, zero),
  fmod: binary(
    (a, b) => a % b,
    one,
    (a, b) => -Math.trunc(a / b),
  ),
  power: binary(power, powerSlope, (x, p, y) => hardZero(y, x === 0 && p === 0 ? 0 : Math.log(x))),
  negative: unary((x) => -x, constant(-1)),
  positive: unary((x) => x, one),
  real: unary((x) => x, one),
  conj: unary((x) => x, one),
  square: unary(
    (x) => x * x,
    (x) => 2 * x,
  ),
  reciprocal: unary(
    (x) => 1 / x,
    (x, y) => -y * y,
  ),
  sqrt: unary(Math.sqrt, (x, y) => 1 / (2 * y)),
  cbrt: unary(Math.cbrt, (x, y) => 1 / (3 * y * y)),
  absolute: unary(Math.abs, Math.sign),
  fabs: unary(Math.abs, Math.sign),
  sign: unary(Math.sign, zero),
  copysign: binary(
    (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
    (a, b) => Math.sign(a) * (b < 0 || Object.is(b, -0) ? -1 : 1),
    zero,
  ),
  heaviside: binary(
    (a, b) => (not(a) ? a : a === 0 ? b : a > 0 ? 1 : 0),
    zero,
    (a) => (a === 0 ? 1 : 0),
  ),
  floor: unary(Math.floor, zero),
  ceil: unary(Math.ceil, zero),
  trunc: unary(Math.trunc, zero),
  whole_part: unary(Math.trunc, zero),
  fraction: unary((x) => x - Math.trunc(x), one),
  rint: unary(rint, zero),
  round: unary((x, p) => rint(x * 10 ** (p.decimals ?? 0)) / 10 ** (p.decimals ?? 0), zero),

  exp: unary(Math.exp, (x, y) => y),
  exp2: unary(exp2, (x, y) => Math.LN2 * y),
  expm1: unary(Math.expm1, Math.exp),
  log: unary(Math.log, (x) => 1 / x),
  log2: unary(Math.log2, (x) => 1 / Math.LN2 / x),
  log10: unary(Math.log10, (x) => 1 / Math.LN10 / x),
  log1p: unary(Math.log1p, (x) => 1 / (1 + x)),
  logaddexp: binary(
    (a, b) => logSum(Math.exp, Math.log, a, b),
    (a, b) => shareOf(Math.exp, a, b),
    (a, b) => shareOf(Math.exp, b, a),
  ),
  logaddexp2: binary(
    (a, b) => logSum(exp2, Math.log2, a, b),
    (a, b) => shareOf(exp2, a, b),
    (a, b) => shareOf(exp2, b, a),
  ),
  xlogy: binary(
    (x, a) => (x === 0 && !not(a) ? 0 : x * Math.log(a)),
    (x, a) => (x === 0 && a <= 0 ? 0 : Math.log(a)),
    (x, a) => over(x, a),
  ),
  entr: unary(
    (x) => (x === 0 ? 0 : x < 0 ? -Infinity : -x * Math.log(x)),
    (x) => -Math.log(x) - 1,
  ),
  logit: unary(
    (x) => Math.log(x / (1 - x)),
    (x) => 1 / x + 1 / (1 - x),
  ),

  sin: unary(Math.sin, Math.cos),
  cos: unary(Math.cos, (x) => -Math.sin(x)),
  tan: unary(Math.tan, (x, y) => 1 + y * y),
  arcsin: unary(Math.asin, (x) => 1 / Math.sqrt((1 - x) * (1 + x))),
  arccos: unary(Math.acos, (x) => -1 / Math.sqrt((1 - x) * (1 + x))),
  arctan: unary(Math.atan, (x) => 1 / (1 + x * x)),
  sinh: unary(Math.sinh, Math.cosh),
  cosh: unary(Math.cosh, Math.sinh),
  tanh: unary(Math.tanh, (x, y) => 1 - y * y),
  arcsinh: unary(Math.asinh, (x) => 1 / Math.hypot(1, x)),
  arccosh: unary(Math.acosh, (x) => 1 / (Math.sqrt(x - 1) * Math.sqrt(x + 1))),
  arctanh: unary(Math.atanh, (x) => 1 / ((1 - x) * (1 + x))),
  one_minus_square: unary(
    (x) => (1 - x) * (1 + x),
    (x) => -2 * x,
  ),
  arctan2: binary(
    Math.atan2,
    (a, b) => overSquare(b, a, b),
    (a, b) => -overSquare(a, a, b),
  ),
  hypot: binary(
    (a, b) => Math.hypot(a, b),
    (a, b, y) => direction(a, b, y),
    (a, b, y) => direction(b, a, y),
  ),
  deg2rad: unary((x) => (x * Math.PI) / 180, constant(Math.PI / 180)),
  rad2deg: unary((x) => (x * 180) / Math.PI, constant(180 / Math.PI)),
  sinc: unary((x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)), sincSlope),
  erf: unary(erf, (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)),
  erfc: unary(erfc, (x) => (-2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)),
  ndtr: unary(normalShare, normalDensity),

  relu: unary(
    (x) => (x > 0 || not(x) ? x : 0),
    (x) => (x > 0 ? 1 : 0),
  ),
  sigmoid: unary(logistic, (x, y) => y * (1 - y)),
  log_sigmoid: unary(
    (x) => -ramp(-x),
    (x) => logistic(-x),
  ),
  softplus: unary(ramp, logistic),
  leaky_relu: unary(
    (x, p) => (x > 0 ? x : (p.negative_slope ?? 0.01) * x),
    (x, y, p) => (x > 0 ? 1 : x === 0 ? atKink(p.negative_slope ?? 0.01) : (p.negative_slope ?? 0.01)),
  ),
  elu: unary(
    (x, p) => (x > 0 ? x : (p.alpha ?? 1) * Math.expm1(x)),
    (x, y, p) => (x > 0 ? 1 : x === 0 ? atKink(p.alpha ?? 1) : (p.alpha ?? 1) * Math.exp(x)),
  ),
  silu: unary(
    (x) => (x === -Infinity ? 0 : x * logistic(x)),
    (x) => hardZero(logistic(x), 1 + hardZero(logistic(-x), x)),
  ),
  gelu: unary(
    (x) => (x === -Infinity ? 0 : x * normalShare(x)),
    (x) => normalShare(x) + hardZero(normalDensity(x), x),
  ),
  gelu_tanh: unary((x) => (x === -Infinity ? 0 : x * geluShare(x)), geluTanhSlope),

  maximum: choosing(larger, isSame),
  minimum: choosing(smaller, isSame),
  fmax: choosing(skipping(larger), sameOrBothNan),
  fmin: choosing(skipping(smaller), sameOrBothNan),
  clip_below: binary(
    larger,
    (x, b) => (x > b || not(x) ? 1 : 0),
    (x, b) => (x > b || not(x) ? 0 : 1),
  ),
  clip_above: binary(
    smaller,
    (x, b) => (x < b || not(x) ? 1 : 0),
    (x, b) => (x < b || not(x) ? 0 : 1),
  ),
  where: { forward: (c, a, b) => (c ? a : b), slopes: [zero, (c) => (c ? 1 : 0), (c) => (c ? 0 : 1)] },
};
