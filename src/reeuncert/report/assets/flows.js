// A Plotly figure with a slider becomes a figure with a slider of the page: reachable by keyboard, read out, and drawn
// one step at a time.
report.plainFigure = report.kinds.plotly;

report.kinds.plotly = (element, spec, controls, again) => {
  const slider = spec.layout.sliders?.[0];
  if (!slider || slider.steps.length < 2) return report.plainFigure(element, spec);
  const figure = controls.parentElement, id = `${figure.id}-step`;
  if (!again) {
    const range = report.make("input", { type: "range", id, min: 0, max: slider.steps.length - 1, step: 1, value: slider.active ?? 0 });
    controls.append(report.make("label", { htmlFor: id }, "Year"), range, report.make("output", { id: `${id}-shown`, htmlFor: id }));
    range.addEventListener("input", () => { try { Promise.resolve(show()).catch((e) => report.failed(element, e)); } catch (e) { report.failed(element, e); } });
    element.classList.add("scrolled");
    element.tabIndex = 0;
    element.setAttribute("role", "group");
  }
  const show = () => {
    const step = slider.steps[Number(report.one("input", controls).value)];
    report.one("output", controls).textContent = step.label;
    report.one("input", controls).setAttribute("aria-valuetext", step.label);
    const [change, layout] = step.args;
    const data = spec.data.filter((_, i) => change.visible[i]).map((trace) => ({ ...trace, visible: true }));
    const whole = { ...spec.layout, ...layout, sliders: [] };
    whole.margin = { ...whole.margin, b: 16 };
    whole.height = (whole.height ?? 600) - 150;
    document.dispatchEvent(new CustomEvent("report-step", { detail: { figure: figure.id, label: step.label } }));
    return report.plainFigure(report.inner(element), { ...spec, data, layout: whole });
  };
  return show();
};

report.inner = (element) => {
  if (!element.firstElementChild) element.append(report.make("div", { className: "inner" }));
  return element.firstElementChild;
};

// One flow: its fan, and what is known of it in the year that the diagram shows.
report.kinds.flow = (element, spec, controls, again) => {
  const figure = controls.parentElement;
  if (!again) {
    const list = report.make("select", { id: "flow-chosen" });
    controls.append(report.make("label", { htmlFor: "flow-chosen" }, "Flow"), list);
    const detail = report.make("div", { className: "detail" });
    detail.setAttribute("aria-live", "polite");
    element.before(detail);
    list.addEventListener("change", () => show());
    document.addEventListener("report-step", (event) => {
      if (event.detail.figure !== "fig-sankey") return;
      figure.dataset.step = event.detail.label;
      fill();
      show();
    });
    figure.dataset.step = report.one("#fig-sankey-step-shown")?.textContent ?? String(spec.years[spec.years.length - 1]);
  }
  const at = () => spec.years.indexOf(Number(figure.dataset.step));
  const values = (flow) => (at() < 0 ? [flow.all, flow.allp] : [flow.q.map((row) => row[at()]), flow.p?.map((row) => row[at()])]);
  const fill = () => {
    const list = report.one("#flow-chosen", controls), before = list.value;
    const there = spec.flows.filter((f) => values(f)[0][1] !== null && values(f)[0][2] > 0).sort((a, b) => values(b)[0][1] - values(a)[0][1]);
    list.replaceChildren(...there.map((f) => report.make("option", { value: f.name }, `${f.name} (${report.number(values(f)[0][1])} ${spec.unit})`)));
    // The largest of which something was reported is the better example to begin with.
    const first = there.find((f) => f.said.length) ?? there[0];
    if (there.some((f) => f.name === before)) list.value = before;
    else if (first) list.value = first.name;
  };
  const show = () => {
    const flow = spec.flows.find((f) => f.name === report.one("#flow-chosen", controls).value);
    const detail = report.one(".detail", figure);
    if (!flow) { detail.textContent = "No flow in this year."; return undefined; }
    const [q, p] = values(flow), year = spec.years[at()];
    const when = year ?? `${spec.years[0]} to ${spec.years[spec.years.length - 1]}`;
    const said = flow.said.filter(([, first, last]) => year === undefined || (first <= year && year <= last));
    const lines = [
      report.make("p", {}, report.make("strong", {}, flow.way), ` (${flow.about})${flow.note ? `: ${flow.note}` : ""}`),
      report.make("p", {}, `${when}: ${report.number(q[1])} ${spec.unit}, 90 % interval ${report.interval(q[0], q[2])} ${spec.unit}`, p ? `; prior ${report.number(p[1])} ${spec.unit} (${report.interval(p[0], p[2])})` : ""),
    ];
    const evidence = report.make("p", {}, said.length ? "Evidence on this flow: " : "No data measure this flow alone: it follows from the balance and the priors.");
    said.slice(0, 30).forEach(([id], i) => evidence.append(i ? ", " : "", report.make("a", { href: `#evidence-${id}` }, id)));
    if (said.length > 30) evidence.append(` and ${said.length - 30} more`);
    detail.replaceChildren(...lines, evidence);
    const scale = (rows) => rows && [rows[0], rows[0], rows[0], rows[1], rows[2], rows[2], rows[2]];
    const series = { q: scale(flow.q), p: flow.p };
    const indicator = { unit: spec.unit, percent: false };
    const traces = report.fanTraces(spec.years, indicator, series);
    const median = traces[traces.length - 1];
    median.text = spec.years.map((y, t) => `<b>${y}: ${report.number(flow.q[1][t])}</b><br>90 %: ${report.interval(flow.q[0][t], flow.q[2][t])}`);
    return report.plotly().react(element, traces, report.themed(report.fanLayout(indicator, report.fanRange(indicator, series), false)), report.config);
  };
  if (!again) fill();
  return show();
};
