"use strict";
// Figures register a drawing function by kind; each takes (element, spec, controls).
const report = { kinds: {}, drawn: new Map() };

report.one = (selector, within = document) => within.querySelector(selector);
report.all = (selector, within = document) => [...within.querySelectorAll(selector)];

report.make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element && name !== "list" && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

report.svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

// Options are pairs of value and text; a label comes with the control that it names.
report.options = (pairs) => pairs.map(([value, said]) => report.make("option", { value }, said));
report.select = (id, pairs) => report.make("select", { id }, ...report.options(pairs));
report.named = (said, control) => [report.make("label", { htmlFor: control.id }, said), control];
report.row = (cells, tag = "td", attributes = {}) => report.make("tr", {}, ...cells.map((cell) => report.make(tag, attributes, cell)));

// No more digits than the width of the interval carries; three where none is known.
report.number = (value, percent = false, width = 0) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not defined";
  const scale = percent ? 100 : 1, v = scale * value, w = Math.abs(scale * width), unit = percent ? " %" : "";
  if (!(w > 0)) return Number(v.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 12 }).replace("-", "\u2212") + unit;
  const place = (x) => Math.floor(Math.log10(Math.abs(x)) + 1e-9) - 1, own = v ? place(v) : place(w);
  const digits = -Math.min(Math.max(own, place(w) - 2), place(w)), shown = digits < 0 ? Math.round(v * 10 ** digits) / 10 ** digits : v;
  return shown.toLocaleString("en", { minimumFractionDigits: Math.max(digits, 0), maximumFractionDigits: Math.max(digits, 0) }).replace(/^-(0(\.0*)?)$/, "$1").replace("-", "\u2212") + unit;
};

report.interval = (low, high, percent = false) => {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return "not defined";
  const scale = percent ? 100 : 1, bare = (v) => report.number(scale * v, false, scale * (high - low));
  return `${bare(low)}${low < 0 ? " to " : "–"}${bare(high)}${percent ? " %" : ""}`;
};

report.failed = (element, error) => {
  const said = report.make("p", { className: "failed" }, `This figure could not be drawn. ${error.message ?? error}`);
  said.setAttribute("role", "alert");
  element.replaceWith(said);
};

report.draw = (figure) => {
  const element = report.one(".plot", figure), source = report.one("script.spec", figure);
  if (!element || !source || report.drawn.has(figure)) return;
  report.drawn.set(figure, true);
  try {
    const spec = JSON.parse(source.textContent), kind = report.kinds[spec.kind];
    if (!kind) throw new Error(`the page has no drawing of kind '${spec.kind}'`);
    kind(element, spec, report.one(".controls", figure));
    report.restore(figure);
    figure.classList.add("drawn");
  } catch (error) {
    report.failed(element, error);
  }
};
