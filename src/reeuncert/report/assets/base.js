"use strict";
// Figures register a drawing function by kind; each takes (element, spec, controls, api) and may return a promise.
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

report.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Plotly reads some HTML in its texts: names from user files must arrive as text.
report.escaped = (text) => String(text).replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

report.number = (value, percent = false) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not defined";
  const shown = Number((percent ? 100 * value : value).toPrecision(3));
  return shown.toLocaleString("en", { maximumFractionDigits: 12 }) + (percent ? " %" : "");
};

report.interval = (low, high, percent = false) => {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return "not defined";
  const bare = (v) => report.number(percent ? 100 * v : v);
  return `${bare(low)}${low < 0 ? " to " : "–"}${bare(high)}${percent ? " %" : ""}`;
};

// The library is carried as text and read only when the first figure comes near: the page is painted long before.
report.plotly = () => {
  if (!window.Plotly) {
    const script = document.createElement("script");
    script.textContent = document.getElementById("plotly-source").textContent;
    document.head.append(script);
    if (!window.Plotly) throw new Error("the drawing library could not be started in this browser");
  }
  return window.Plotly;
};

report.themed = (layout = {}) => {
  const ink = report.colour("ink"), muted = report.colour("muted"), grid = report.colour("grid");
  const out = structuredClone(layout);
  Object.assign(out, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true });
  out.font = { ...out.font, color: ink, family: "system-ui, sans-serif" };
  out.hoverlabel = { ...out.hoverlabel, bgcolor: report.colour("ground"), bordercolor: muted, font: { color: ink } };
  for (const name of Object.keys(out)) {
    if (/^[xy]axis\d*$/.test(name)) {
      out[name] = { ...out[name], gridcolor: grid, linecolor: muted, zerolinecolor: grid };
      out[name].tickfont = { ...out[name].tickfont, color: muted };
      out[name].title = { ...out[name].title, font: { ...out[name].title?.font, color: ink } };
    }
  }
  return out;
};

report.config = { displayModeBar: false, responsive: true, staticPlot: false, scrollZoom: false, doubleClick: "reset" };

// On a phone a long title of an axis takes two lines.
report.wrap = (title) => {
  if (!title?.text || title.text.length < 34 || title.text.includes("<br>")) return;
  const spaces = [...title.text.matchAll(/ /g)].map((m) => m.index);
  const at = spaces.sort((a, b) => Math.abs(a - title.text.length / 2) - Math.abs(b - title.text.length / 2))[0];
  if (at) title.text = `${title.text.slice(0, at)}<br>${title.text.slice(at + 1)}`;
};

report.kinds.plotly = (element, spec) => {
  const layout = report.themed(spec.layout);
  delete layout.width;
  // The heading of the figure is above it, as text of the page.
  delete layout.title;
  if (layout.margin) layout.margin.t = Math.min(layout.margin.t ?? 40, 40);
  if (element.clientWidth < 560) for (const name of ["xaxis", "yaxis"]) report.wrap(layout[name]?.title);
  if (layout.height) element.style.height = `${layout.height}px`;
  return report.plotly().react(element, spec.data, layout, report.config);
};

report.failed = (element, error) => {
  const said = report.make("p", { className: "failed" }, `This figure could not be drawn. ${error.message ?? error}`);
  said.setAttribute("role", "alert");
  element.replaceWith(said);
};

// Figures come with the colours of the light theme; in the dark one, those of ground and ink are exchanged.
report.light = { "#1b1f24": "ink", "#57606a": "muted", "#e3e6ea": "grid", "#ffffff": "ground", "#111418": "point", "#8a929b": "prior", "#0072B2": "hue-0", "#8C6D31": "hue-5", "#5E4FA2": "hue-6", "#7F7F7F": "hue-7", "#A6761D": "hue-8" };
report.recoloured = (text) => {
  if (document.documentElement.dataset.theme !== "dark") return text;
  return Object.entries(report.light).reduce((t, [hex, name]) => t.replaceAll(`"${hex}"`, `"${report.colour(name)}"`), text)
    .replaceAll("rgba(27,31,36,", "rgba(236,239,242,");
};

report.draw = (figure, again = false) => {
  const element = report.one(".plot", figure), source = report.one("script.spec", figure);
  if (!element || !source || (report.drawn.has(figure) && !again)) return;
  report.drawn.set(figure, true);
  try {
    const spec = JSON.parse(report.recoloured(source.textContent));
    const kind = report.kinds[spec.kind];
    if (!kind) throw new Error(`the page has no drawing of kind '${spec.kind}'`);
    Promise.resolve(kind(element, spec, report.one(".controls", figure), again))
      .then(() => figure.classList.add("drawn"))
      .catch((error) => report.failed(element, error));
  } catch (error) {
    report.failed(element, error);
  }
};
