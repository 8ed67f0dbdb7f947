report.key = (row, column) => {
  const cell = row.cells[column], value = cell.dataset.v ?? cell.textContent.trim();
  const number = Number(value.replace("\u2212", "-"));
  return value !== "" && value !== "nan" && Number.isFinite(number) ? number : value.toLowerCase();
};

// Figures of one unit stay together: a share is neither more nor less than a mass.
report.group = (row, column) => row.cells[column].dataset.g ?? "";

report.sort = (table, column, header) => {
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of report.all("th", table.tHead)) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [report.key(row, column), row, report.group(row, column)]);
  // Numbers before texts, nothing last, whichever way it goes.
  const rank = (v) => (typeof v === "number" ? 0 : v === "" || v === "nan" ? 2 : 1);
  rows.sort(([a, , one], [b, , other]) => {
    if (one !== other) return one.localeCompare(other);
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    const order = typeof a === "number" ? a - b : a.localeCompare(b);
    return down ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
};

report.filter = (input) => {
  const table = document.getElementById(input.dataset.table);
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of table.tBodies[0].rows) {
    const text = (row.dataset.text ??= row.textContent.toLowerCase());
    row.hidden = !words.every((word) => text.includes(word));
    count += !row.hidden;
  }
  document.getElementById(table.dataset.output).textContent = `${count} of ${table.tBodies[0].rows.length} rows`;
};

report.startTables = () => {
  for (const table of report.all("table.sortable")) {
    report.all("th", table.tHead).forEach((header, column) => {
      const button = report.make("button", { type: "button", className: "sort", title: "Sort by this column" }, ...header.childNodes);
      header.replaceChildren(button);
      button.addEventListener("click", () => report.sort(table, column, header));
    });
  }
  for (const input of report.all("input[data-table]")) input.addEventListener("input", () => report.filter(input));
};
