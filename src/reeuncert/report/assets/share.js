// Downloads of every figure, copies with citation, and the state of lists and sliders in the address.
report.save = (name, blob) => {
  const link = report.make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

// A number keeps the digits that the page holds of it (`rounded` in figures.py), no coarser than a tenth; a product by 100 has more.
report.digits = (v) => Math.abs(v) < 10 ** (document.body.dataset.digits - 1) ? Number(v.toPrecision(document.body.dataset.digits)) : Math.round(10 * v) / 10;
report.cell = (v) => {
  const said = v === null || v === undefined ? "" : String(typeof v === "number" && !Number.isInteger(v) ? report.digits(v) : v);
  return /[",\n]/.test(said) ? `"${said.replaceAll('"', '""')}"` : said;
};
// A panel of a grid is named, and its colours explained, by what stands above the grid.
report.above = (figure) => {
  const found = {};
  for (let e = figure.closest(".grid") ?? figure; e && !found.heading; e = e.previousElementSibling) {
    if (e.matches(".legend")) found.legend ??= e;
    if (e.matches("h2, h3")) found.heading = e.firstChild.textContent;
  }
  return found;
};
report.title = (figure) => [figure.closest(".grid") && report.above(figure).heading, report.one("figcaption h3", figure)?.textContent ?? figure.id].filter(Boolean).join(": ");
report.name = (figure) => figure.id.replace(/^fig-/, `${document.body.dataset.case}-`);
report.about = (figure) => {
  const chosen = report.all(".controls :is(select, output)", figure).map((e) => e.selectedOptions?.[0].textContent ?? e.textContent).join(", ");
  return Object.entries({ chosen, ...document.body.dataset }).filter(([name, told]) => told && ["chosen", "structure", "source", "citation"].includes(name)).map((line) => line.join(": "));
};

// Begins with a byte order mark: without it spreadsheets read the arrows and dashes of titles and labels as other characters.
report.csv = (figure) => {
  const { unit, columns, rows } = report.one(".plot", figure).table();
  const about = [report.title(figure), `unit: ${unit}`, ...report.about(figure)];
  return `\ufeff${[...about.map((line) => `# ${line.replaceAll("\n", " ")}`), ...[columns, ...rows].map((row) => row.map(report.cell).join(","))].join("\n")}\n`;
};

// A picture that needs no style sheet: what the sheet says of a shape is written into its copy.
report.styled = (svg) => {
  const copy = svg.cloneNode(true), from = report.all("*", svg), rgb = (v) => v.replace(/color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)[^)]*\)/g, (_, ...c) => `rgb(${c.slice(0, 3).map((x) => Math.round(255 * x)).join(",")})`);
  report.all("*", copy).forEach((node, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of ["--own", "--part"]) node.style.removeProperty(name);
    for (const name of ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "font-size", "font-weight", "paint-order", "visibility"]) node.style.setProperty(name, rgb(style.getPropertyValue(name)));
    node.style.setProperty("font-family", "sans-serif");
  });
  return copy;
};

// The sign of a legend: drawn, or a box of a colour.
report.coloured = (sign) => {
  if (sign instanceof SVGElement) return report.styled(sign);
  const style = getComputedStyle(sign), edge = Number.parseFloat(style.borderTopWidth) ? style.borderTopColor : "none";
  return report.svg("rect", { rx: 2, style: `fill:${style.backgroundColor};fill-opacity:${style.opacity};stroke:${edge}` });
};

// The lines of a text that are no wider than the picture.
report.wrapped = (text, size, room) => {
  const pen = report.make("canvas").getContext("2d"), lines = [""];
  pen.font = `${size}px sans-serif`;
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (pen.measureText(longer).width > room && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return { lines, width: Math.max(...lines.map((line) => pen.measureText(line).width)) };
};

// With title and caption above the drawing; legend, structure, source and citation below.
report.picture = (figure) => {
  const svg = report.one(".plot svg", figure), [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const style = getComputedStyle(document.body), out = report.svg("svg", { xmlns: "http://www.w3.org/2000/svg", width }), edge = 8;
  let foot = 4;
  const write = (text, size) => {
    for (const line of report.wrapped(text, size, width - 2 * edge).lines) {
      foot += 1.35 * size;
      out.append(report.svg("text", { x: edge, y: foot, style: `font:${size}px sans-serif;fill:${style.color}` }, line));
    }
  };
  write(report.title(figure), 14);
  if (report.one("figcaption p", figure)) write(report.one("figcaption p", figure).textContent, 10);
  const top = foot + 4;
  out.append(report.svg("g", { transform: `translate(0 ${top})` }, ...report.styled(svg).childNodes));
  foot = top + height;
  let x = width;
  for (const item of report.all("li", report.one(":scope > .legend", figure) ?? report.above(figure).legend ?? report.make("ul"))) {
    const sign = report.coloured(item.firstElementChild), room = report.wrapped(item.textContent, 11, width).width + 40;
    if (x + room > width) [x, foot] = [edge, foot + 16];
    for (const [name, value] of Object.entries({ x, y: foot - 10, width: 24, height: 12 })) sign.setAttribute(name, value);
    out.append(sign, report.svg("text", { x: x + 29, y: foot, style: `font:11px sans-serif;fill:${style.color}` }, item.textContent));
    x += room;
  }
  foot += 4;
  for (const line of report.about(figure)) write(line, 9);
  foot += edge;
  out.setAttribute("height", foot);
  out.setAttribute("viewBox", `0 0 ${width} ${foot}`);
  out.prepend(report.svg("rect", { width, height: foot, style: `fill:${style.backgroundColor}` }));
  return { text: new XMLSerializer().serializeToString(out), width, height: foot };
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
