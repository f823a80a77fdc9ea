/* Plots: plotly draws them, in the colours of the page. */

function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function layoutOf(changes) {
  const [ink, faint, rule] = ["ink", "faint", "rule"].map(colourOf);
  const axis = { gridcolor: rule, zerolinecolor: rule, linecolor: faint, tickfont: { color: faint }, title: { font: { size: 12.5, color: faint } }, automargin: true };
  const { xaxis = {}, yaxis = {}, ...rest } = changes;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: "system-ui, -apple-system, Segoe UI, Roboto, sans-serif", size: 12.5, color: ink },
    margin: { l: 52, r: 14, t: 12, b: 36 }, hovermode: "closest", dragmode: false, showlegend: true,
    legend: { orientation: "h", x: 0, y: -0.17, yanchor: "top", traceorder: "normal", font: { size: 12 } },
    xaxis: { ...axis, dtick: 1, tickformat: "d", showgrid: false, fixedrange: true, ...xaxis },
    yaxis: { ...axis, fixedrange: true, ...yaxis, title: { ...axis.title, ...yaxis.title } },
    ...rest,
  };
}

const CONFIG = { displaylogo: false, displayModeBar: false, responsive: true, staticPlot: false };

function drawPlot(place, traces, changes) {
  return Plotly.react(place, traces, layoutOf(changes), CONFIG);
}

/* Years as ticks: all of them up to twelve, then every second, fifth or tenth. */
function yearAxis(years) {
  const [first, last] = [Math.min(...years), Math.max(...years)];
  const step = [1, 2, 5, 10].find((n) => (last - first) / n <= 11) ?? 20;
  return { dtick: step, tick0: Math.ceil(first / step) * step, range: [first - 0.6, last + 0.6] };
}

function withInterval(name, rows, style) {
  return {
    name, type: "scatter", mode: style.mode ?? "markers", x: rows.map((r) => r.year), y: rows.map((r) => r.value),
    error_y: { type: "data", symmetric: false, array: rows.map((r) => r.high - r.value), arrayminus: rows.map((r) => r.value - r.low), thickness: 1.4, width: 4, color: style.colour },
    marker: { size: 9, color: style.hollow ? colourOf("card") : style.colour, line: { color: style.colour, width: 2 }, symbol: style.symbol ?? "circle" },
    line: { color: style.colour, width: 1.6 }, connectgaps: false, text: rows.map((r) => r.words ?? ""), hovertemplate: `%{x}: %{text}<extra>${name}</extra>`,
  };
}

/* One feature: comparable years filled, others hollow with the reason, unobserved years as shaded gaps. */
function drawSeries(place, points, trend, events) {
  const [line, warm, faint, shade] = ["line", "warm", "faint", "shade"].map(colourOf);
  const years = points.map((p) => p.year);
  const hasArea = (p) => known(p.value) && p.state !== "absent";
  const use = (keep) => points.map((p) => (keep(p) ? p : { ...p, value: null, low: null, high: null }));
  const traces = [];
  if (trend && known(trend.slope) && known(trend.anchor)) traces.push(...trendTraces(trend, line));
  traces.push(withInterval("area, 95 % interval", use((p) => hasArea(p) && p.comparable), { colour: line, mode: "lines+markers" }));
  if (points.some((p) => hasArea(p) && !p.comparable)) traces.push(withInterval("not comparable", use((p) => hasArea(p) && !p.comparable), { colour: warm, hollow: true, symbol: "diamond" }));
  if (points.some((p) => p.state === "absent")) {
    const rows = points.filter((p) => p.state === "absent");
    traces.push({ name: "observed, not there", type: "scatter", mode: "markers", x: rows.map((p) => p.year), y: rows.map(() => 0), marker: { symbol: "x", size: 9, color: line }, text: rows.map((p) => p.words), hovertemplate: "%{x}: %{text}<extra></extra>" });
  }
  const gaps = points.filter((p) => p.gap);
  // a line through few years may run below zero, where no area is
  const highest = Math.max(0.01, ...points.flatMap((p) => [p.value, p.high]).filter(known));
  if (gaps.length) {
    traces.push({ name: "not observed", type: "scatter", mode: "markers", x: gaps.map((p) => p.year), y: gaps.map(() => 0), marker: { symbol: "line-ns-open", size: 11, color: faint, line: { width: 2, color: faint } }, text: gaps.map((p) => p.words), hovertemplate: "%{x}: %{text}<extra></extra>" });
  }
  const shapes = gaps.map((p) => ({ type: "rect", xref: "x", yref: "paper", x0: p.year - 0.42, x1: p.year + 0.42, y0: 0, y1: 1, fillcolor: shade, line: { width: 0 }, layer: "below" }));
  const moments = new Map();
  for (const event of events) moments.set(event.year_to, [...(moments.get(event.year_to) ?? []), event.event]);
  const notes = [...moments].map(([year, names]) => ({ x: year, y: 1, yref: "paper", yanchor: "bottom", text: names.join(", "), showarrow: false, font: { size: 11.5, color: warm } }));
  shapes.push(...[...moments.keys()].map((year) => ({ type: "line", xref: "x", yref: "paper", x0: year, x1: year, y0: 0, y1: 1, line: { color: warm, width: 1, dash: "dot" }, layer: "below" })));
  return drawPlot(place, traces, { xaxis: yearAxis(years), yaxis: { title: { text: "area, ha" }, range: [0, 1.12 * highest] }, shapes, annotations: notes, margin: { l: 52, r: 14, t: 24, b: 36 } });
}

function trendTraces(trend, colour) {
  const at = (slope, year) => trend.anchor + slope * (year - trend.anchorYear);
  const ends = [trend.first, trend.last];
  const steps = Array.from({ length: 21 }, (_, i) => trend.first + ((trend.last - trend.first) * i) / 20);
  const edge = (pick) => steps.map((year) => pick(at(trend.low, year), at(trend.high, year)));
  return [
    { x: steps, y: edge(Math.min), type: "scatter", mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { name: "95 % of the slope", x: steps, y: edge(Math.max), type: "scatter", mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: `${colour}26`, hoverinfo: "skip" },
    { name: "trend", x: ends, y: ends.map((year) => at(trend.slope, year)), type: "scatter", mode: "lines", line: { color: colour, width: 2, dash: "dash" }, hoverinfo: "skip" },
  ];
}

function drawTotals(place, rows, title) {
  const [line, warm] = ["line", "warm"].map(colourOf);
  const use = (keep) => rows.map((r) => (keep(r) ? r : { ...r, value: null, low: null, high: null }));
  const traces = [withInterval("comparable", use((r) => r.comparable), { colour: line, mode: "lines+markers" })];
  if (rows.some((r) => !r.comparable)) traces.push(withInterval("not comparable", use((r) => !r.comparable), { colour: warm, hollow: true, symbol: "diamond" }));
  return drawPlot(place, traces, { xaxis: yearAxis(rows.map((r) => r.year)), yaxis: { title: { text: title }, rangemode: "tozero" }, showlegend: traces.length > 1 });
}

/* Changes that end in a year, whichever year they start from; stripes tell the bars apart where colours do not. */
function drawVerdicts(place, pairs, classes) {
  const stripes = { grown: "", shrunk: "/", within_error: ".", not_comparable: "x" };
  const years = [...new Set(pairs.map((pair) => pair.year_to))];
  const count = (year, key) => pairs.filter((pair) => pair.year_to === year).reduce((sum, pair) => sum + (pair.verdicts[key] ?? 0), 0);
  const traces = classes.map((kind) => ({
    name: kind.words, type: "bar", x: years, y: years.map((year) => count(year, kind.key)), width: 0.6,
    marker: { color: kind.colour === "#ffffff" ? "#9aa2ab" : kind.colour, line: { color: colourOf("ink"), width: 0.6 }, pattern: { shape: stripes[kind.key] ?? "", fillmode: "overlay", fgcolor: "rgba(20,24,29,.55)", size: 7, solidity: 0.15 } },
    hovertemplate: `%{y} ${kind.words} up to %{x}<extra></extra>`,
  }));
  return drawPlot(place, traces, { barmode: "stack", xaxis: yearAxis(years), yaxis: { title: { text: "changes" } } });
}
