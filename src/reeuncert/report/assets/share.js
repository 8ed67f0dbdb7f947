// Downloads of every figure, copies with citation, and the state of lists and sliders in the address.
report.save = (name, blob) => {
  const link = report.make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

report.cell = (v) => (v === null || v === undefined ? "" : /[",\n]/.test(String(v)) ? `"${String(v).replaceAll('"', '""')}"` : String(v));
report.title = (figure) => report.one("figcaption h3", figure)?.textContent ?? figure.id;
report.name = (figure) => figure.id.replace(/^fig-/, `${document.body.dataset.case}-`);

report.csv = (figure) => {
  const { unit, columns, rows } = report.one(".plot", figure).table();
  const about = [report.title(figure), `unit: ${unit}`, `source: ${document.body.dataset.source}`, `citation: ${document.body.dataset.citation}`];
  return [...about.map((line) => `# ${line.replaceAll("\n", " ")}`), columns.map(report.cell).join(","), ...rows.map((row) => row.map(report.cell).join(","))].join("\n");
};

// A picture that needs no style sheet: what the sheet says of a shape is written into it.
report.picture = (figure) => {
  const svg = report.one(".plot svg", figure), copy = svg.cloneNode(true), [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const from = report.all("*", svg), rgb = (v) => v.replace(/color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)[^)]*\)/g, (_, ...c) => `rgb(${c.slice(0, 3).map((x) => Math.round(255 * x)).join(",")})`);
  report.all("*", copy).forEach((node, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of ["--own", "--part"]) node.style.removeProperty(name);
    for (const name of ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "font-size", "font-weight", "paint-order", "visibility"]) node.style.setProperty(name, rgb(style.getPropertyValue(name)));
    node.style.setProperty("font-family", "sans-serif");
  });
  const foot = 30, line = (text, y, size, colour) => report.svg("text", { x: 8, y, style: `font:${size}px sans-serif;fill:${colour}` }, text);
  const style = getComputedStyle(document.body), out = report.svg("svg", { xmlns: "http://www.w3.org/2000/svg", width, height: height + 26 + foot, viewBox: `0 -26 ${width} ${height + 26 + foot}` });
  out.append(report.svg("rect", { x: 0, y: -26, width, height: height + 26 + foot, style: `fill:${style.backgroundColor}` }), line(report.title(figure), -8, 14, style.color), ...copy.childNodes,
    line(document.body.dataset.source, height + 12, 9, style.color), line(document.body.dataset.citation, height + 24, 9, style.color));
  return { text: new XMLSerializer().serializeToString(out), width, height: height + 26 + foot };
};

report.png = async (figure) => {
  const { text, width, height } = report.picture(figure), image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = report.make("canvas", { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  return new Promise((done) => canvas.toBlob(done));
};

report.saves = {
  CSV: (figure) => new Blob([report.csv(figure)], { type: "text/csv" }),
  SVG: (figure) => new Blob([report.picture(figure).text], { type: "image/svg+xml" }),
  PNG: (figure) => report.png(figure),
};

report.copy = async (button) => {
  await navigator.clipboard.writeText(`${button.dataset.copy} (${document.body.dataset.citation})`);
  button.textContent = "Copied";
};

// Values of lists and sliders by their ids; the first part of the hash is the place in the page.
report.state = () => new Map(location.hash.slice(1).split("&").slice(1).map((part) => part.split("=").map(decodeURIComponent)));
report.remember = (control) => {
  const state = report.state();
  state.set(control.id, control.value);
  const place = location.hash.slice(1).split("&")[0] || control.closest("figure")?.id || "";
  history.replaceState(null, "", `#${[place, ...[...state].map((pair) => pair.map(encodeURIComponent).join("="))].join("&")}`);
};
report.restore = (figure) => {
  for (const [id, value] of report.state()) {
    const control = document.getElementById(id);
    if (!control || !figure.contains(control)) continue;
    control.value = value;
    control.dispatchEvent(new Event(control.type === "range" ? "input" : "change"));
  }
};

report.startShare = () => {
  for (const figure of report.all("figure.fig")) {
    if (!report.one(".plot", figure)) continue;
    const kinds = Object.entries(report.saves).map(([kind, make]) => {
      const button = report.make("button", { type: "button" }, kind);
      button.addEventListener("click", async () => { report.draw(figure); report.save(`${report.name(figure)}.${kind.toLowerCase()}`, await make(figure)); });
      return button;
    });
    const link = report.make("a", { href: `#${figure.id}` }, "Link");
    figure.append(report.make("details", { className: "saves" }, report.make("summary", {}, "Download (CSV, SVG, PNG)"), ...kinds, link));
  }
  for (const button of report.all("button[data-copy]")) button.addEventListener("click", () => report.copy(button));
  document.addEventListener("input", (event) => event.target.id && event.target.closest(".controls") && report.remember(event.target));
};
