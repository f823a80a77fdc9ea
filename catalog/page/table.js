/* The table: only the rows in sight are in the page, so that twenty thousand scroll like twenty. */

const ROW_PX = 33;
const SPARE_ROWS = 8;

function makeTable(data, state, onChoose, onSort) {
  const box = byId("rows");
  const head = el("tr", { role: "row", "aria-rowindex": 1 });
  const body = el("tbody", { role: "rowgroup" });
  const table = el("table", { role: "presentation" }, el("thead", { role: "rowgroup" }, head), body);
  box.append(table);
  let active = 0;
  let first = -1;
  const columns = () => data.columns.filter((column) => column.main || byId("all-columns").checked);
  const numeric = (column) => ["area", "change", "number", "share"].includes(column.show);

  function drawHead() {
    head.replaceChildren(...columns().map((column) => {
      const sorted = state.sort.name === column.name;
      const arrow = sorted ? (state.sort.down ? " \u25bc" : " \u25b2") : "";
      const unit = unitOf(column) ? `, ${unitOf(column)}` : "";
      return el("th", { scope: "col", role: "columnheader", class: numeric(column) ? "n" : null, "data-column": column.name, "aria-sort": sorted ? (state.sort.down ? "descending" : "ascending") : "none" },
        el("button", { type: "button", onclick: () => onSort(column) }, `${column.title}${unit}${arrow}`));
    }));
  }
  function cellOf(column, row) {
    const value = valueOf(data, state.table, column, row);
    const words = classWords(column, value) ?? shown(column, value);
    const cell = el("td", { role: "gridcell", class: numeric(column) ? "n" : null, title: column.show === "word" || column.show === "flags" ? value : null });
    if (column.name === state.colouring.column && known(value)) cell.append(markOf(row));
    if (column.show === "id") { if (!data.columns.some((c) => c.name === state.colouring.column)) cell.append(markOf(row)); }
    cell.append(words);
    return cell;
  }
  function classWords(column, value) {
    return data.summary.features.colourings.find((one) => one.column === column.name)?.classes.find((kind) => kind.key === value)?.words;
  }
  function markOf(row) {
    const mark = sampleOf(state.classes[state.classOf[row]], 18);
    mark.classList.add("key-mark");
    return mark;
  }
  function drawRows(force) {
    const count = state.visible.length;
    const from = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - SPARE_ROWS);
    const to = Math.min(count, Math.ceil((box.scrollTop + box.clientHeight) / ROW_PX) + SPARE_ROWS);
    if (!force && from === first) return;
    first = from;
    const gap = (rows) => el("tr", { class: "space", "aria-hidden": "true" }, el("td", { colspan: columns().length, style: `height:${rows * ROW_PX}px` }));
    const rows = [];
    for (let at = from; at < to; at += 1) {
      const row = state.visible[at];
      const chosen = state.table.feature[row] === state.chosen;
      rows.push(el("tr", { id: `row-${at}`, role: "row", class: `row${chosen ? " chosen" : ""}${at === active ? " active" : ""}`, "aria-rowindex": at + 2, "aria-selected": String(chosen),
        onclick: () => { active = at; onChoose(state.table.feature[row]); } }, ...columns().map((column) => cellOf(column, row))));
    }
    body.replaceChildren(gap(from), ...rows, gap(count - to));
    box.setAttribute("aria-rowcount", count + 1);
    box.setAttribute("aria-activedescendant", count ? `row-${active}` : "");
  }
  function draw() {
    active = Math.min(active, Math.max(0, state.visible.length - 1));
    const total = state.table.length;
    byId("table-count").textContent = `${state.year}: ${state.visible.length === total ? "" : `${fixed(state.visible.length, 0)} of `}${fixed(total, 0)} ${data.summary.region.target}`;
    drawHead();
    drawRows(true);
  }
  function reveal(at) {
    const top = at * ROW_PX;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + 2 * ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + 2 * ROW_PX - box.clientHeight + 4;
  }
  function follow() {
    const at = state.visible.findIndex((row) => state.table.feature[row] === state.chosen);
    if (at >= 0) { active = at; reveal(at); }
    drawRows(true);
  }
  box.addEventListener("scroll", () => requestAnimationFrame(() => drawRows(false)), { passive: true });
  box.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(box.clientHeight / ROW_PX) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.target !== box || !state.visible.length) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); onChoose(state.table.feature[state.visible[active]]); return; }
    if (!(event.key in steps)) return;
    event.preventDefault();
    active = Math.min(Math.max(active + steps[event.key], 0), state.visible.length - 1);
    reveal(active);
    drawRows(true);
  });
  new ResizeObserver(() => drawRows(true)).observe(box);
  byId("all-columns").addEventListener("change", draw);
  return { draw, follow };
}

function valueOf(data, table, column, row) {
  if (column.show === "id") return data.ids[table.feature[row]];
  const packed = table.columns[column.name];
  return packed ? packed.at(row) : null;
}

/* Rows that pass the filters, in the order of the sort; what has no value comes last either way. */
function rowsToShow(data, state) {
  const { text, from, to, flag } = state.filter;
  const table = state.table;
  const words = text.trim().toLowerCase();
  const searched = data.columns.filter((column) => ["word", "flags"].includes(column.show) && table.columns[column.name]).map((column) => table.columns[column.name]);
  const fits = new Map(searched.map((column) => [column, new Set(column.list.flatMap((word, code) => (word && word.toLowerCase().replaceAll("_", " ").includes(words.replaceAll("_", " ")) ? [code] : [])))]));
  const flagged = table.columns.flags ? new Set(table.columns.flags.list.flatMap((list, code) => ((list ?? "").split(", ").includes(flag) ? [code] : []))) : new Set();
  const rows = [];
  for (let row = 0; row < table.length; row += 1) {
    if (state.hidden.has(state.classes[state.classOf[row]].key)) continue;
    const size = table.columns.area_m2.at(row) / 1e4;
    if (size < from || size > to) continue;
    if (flag === "none" ? table.columns.flags.codes[row] !== 0 : flag && !flagged.has(table.columns.flags.codes[row])) continue;
    if (words && !data.ids[table.feature[row]].toLowerCase().includes(words) && !searched.some((column) => fits.get(column).has(column.codes[row]))) continue;
    rows.push(row);
  }
  return sortedRows(data, state, rows);
}

function sortedRows(data, state, rows) {
  const column = data.columns.find((one) => one.name === state.sort.name);
  const keys = new Map(rows.map((row) => [row, valueOf(data, state.table, column, row)]));
  const sign = state.sort.down ? -1 : 1;
  return rows.sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (!known(one) || !known(other)) return known(other) - known(one) || a - b;
    return sign * (one < other ? -1 : one > other ? 1 : 0) || state.table.feature[a] - state.table.feature[b];
  });
}
