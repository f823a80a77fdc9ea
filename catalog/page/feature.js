/* The chosen feature: its series, what is said of it in the chosen year, and the scenes behind it. */

function hiddenBy(data, tile, year) {
  const at = data.tiles.names.indexOf(tile);
  const seen = data.tiles.years[year];
  if (at < 0 || !seen || seen.state.at(at) === null) return "";
  if (seen.state.at(at) === "failed") return `the tile failed: ${seen.message.at(at) ?? seen.cause.at(at) ?? ""}`;
  const shares = CAUSES.filter((cause) => cause.key).map((cause) => [seen[cause.key].at(at) || 0, cause.words]).sort((a, b) => b[0] - a[0]);
  return shares[0][0] > 0.005 ? `its tile: ${shares.filter(([part]) => part > 0.005).map(([part, words]) => `${words} ${share(part)}`).join(", ")}` : "";
}

function anyRowOf(data, feature) {
  const year = data.years.find((one) => data.year(one).rowOf.has(feature));
  return year === undefined ? null : [data.year(year), data.year(year).rowOf.get(feature)];
}

/* A point per year of the span, whether there is an area or not; areas in hectares. */
function seriesOf(data, feature) {
  const found = anyRowOf(data, feature);
  const tile = found ? found[0].columns.tile?.at(found[1]) : null;
  const years = data.tracks ? data.tracks.years : Array.from({ length: data.years.at(-1) - data.years[0] + 1 }, (_, i) => data.years[0] + i);
  return years.map((year, place) => {
    const at = data.tracks ? feature * data.tracks.years.length + place : -1;
    const table = data.years.includes(year) ? data.year(year) : null;
    const row = table?.rowOf.get(feature);
    const listed = (name) => (row === undefined ? NaN : table.columns[name].at(row));
    const tracked = (name) => (data.tracks ? data.tracks.columns[name].at(at) : null);
    const state = tracked("state") ?? (row === undefined ? "not listed" : "listed");
    const of = (name) => { const value = tracked(name); return known(value) && state !== "absent" ? value : listed(name); };
    const [value, low, high] = ["area_m2", "area_low_m2", "area_high_m2"].map(of);
    const gap = state === "unobserved" || (state === "partly_observed" && !known(value)) || state === "not listed";
    const reasons = [known(tracked("not_comparable_because")) ? spaced(tracked("not_comparable_because")) : null, state === "partly_observed" ? `only ${share(tracked("observed_share"))} of it observed` : null].filter(Boolean);
    const why = gap ? [table ? null : "no inventory of this year", known(tracked("observed_share")) ? `${share(tracked("observed_share"))} of it observed` : null, hiddenBy(data, tile, year)].filter(Boolean).join("; ") : reasons.join("; ");
    const words = gap ? `${spaced(state)}${why ? `: ${why}` : ""}` : state === "absent" ? "observed, not there" : `${area(value)} (${area(low)} to ${area(high)})${why ? `, ${why}` : ""}`;
    const comparable = data.tracks ? tracked("comparable") === "yes" : true;
    return { year, state, gap, comparable, why, words, tile, row, m2: value, lowM2: low, highM2: high, value: value / 1e4, low: low / 1e4, high: high / 1e4 };
  });
}

function trendOf(data, feature) {
  if (!data.trends) return null;
  const of = (name) => data.trends[name].at(feature);
  const ha = (name) => of(name) / 1e4;
  return { slope: ha("slope_m2_per_year"), low: ha("slope_low"), high: ha("slope_high"), p: of("p_value"), relative: of("relative_slope_percent"), direction: of("direction"),
    years: of("years_observed"), first: of("first_year"), last: of("last_year"), anchor: ha("anchor_m2"), anchorYear: of("anchor_year") };
}

function trendWords(trend) {
  if (!trend || !trend.direction) return "not computed: run cryoatlas track";
  if (!known(trend.slope)) return `${spaced(trend.direction)}: ${known(trend.years) ? `${trend.years} comparable years` : "too few comparable years"}`;
  const slope = signed(fixed(trend.slope, 3), trend.slope);
  return `${spaced(trend.direction)}: ${slope} ha per year (95 %: ${fixed(trend.low, 3)} to ${fixed(trend.high, 3)}), ${signed(fixed(trend.relative, 1), trend.relative)} % per year, p ${pValue(trend.p)}, ${trend.years} comparable years`;
}

function makeFeature(data, state, onYear, onZoom) {
  const title = byId("feature-title");
  const body = byId("feature-body");
  const zoom = byId("feature-zoom");
  const plot = el("div", { class: "plot", role: "img", id: "series" });
  let ownEvents = new Map();
  for (const event of data.events ?? []) for (const name of new Set([...(event.parents ?? []), ...(event.children ?? [])])) ownEvents.set(name, [...(ownEvents.get(name) ?? []), event]);
  zoom.addEventListener("click", () => onZoom(state.chosen));

  function draw() {
    if (state.chosen === null) return;
    const name = data.ids[state.chosen];
    const points = seriesOf(data, state.chosen);
    const trend = trendOf(data, state.chosen);
    const events = ownEvents.get(name) ?? [];
    title.textContent = name;
    zoom.hidden = false;
    const now = points.find((point) => point.year === state.year);
    plot.setAttribute("aria-label", `Area of ${name} through the years; the same numbers are in the table below it`);
    body.replaceChildren(
      el("p", {}, el("b", {}, `${state.year}: `), now?.words ?? "outside the tracked years"),
      ...(flagsOf(now) ? [flagsOf(now)] : []), plot,
      el("p", { class: "faint", id: "trend" }, el("b", {}, "Trend "), trendWords(trend)),
      ...events.map((event) => eventOf(event, null)),
      yearsOf(points), ...[attributesOf(now), scenesOf(points)].filter(Boolean));
    drawSeries(plot, points, trend, events);
  }
  function flagsOf(now) {
    const list = now?.row === undefined ? null : data.year(state.year).columns.flags?.at(now.row);
    return list ? el("p", {}, ...list.split(", ").map((flag) => el("span", { class: "flag warn" }, spaced(flag)))) : null;
  }
  function yearsOf(points) {
    const rows = points.map((p) => [
      el("button", { type: "button", class: "link", onclick: () => onYear(p.year) }, String(p.year)), spaced(p.state),
      p.gap ? UNKNOWN : p.state === "absent" ? "0" : hectares(p.m2), p.gap || !known(p.m2) ? UNKNOWN : `${hectares(p.lowM2)} to ${hectares(p.highM2)}`,
      p.gap ? p.why || UNKNOWN : p.comparable ? "comparable" : p.why || "not comparable"]);
    return el("details", { open: true }, el("summary", {}, "Year by year"), tableOf(["year", "state", "ha", "95 % interval", "why"], rows));
  }
  function attributesOf(now) {
    if (now?.row === undefined) return null;
    const table = data.year(state.year);
    const pairs = data.columns.filter((column) => !["id", "flags"].includes(column.show)).map((column) => {
      const value = valueOf(data, table, column, now.row);
      return [column.title, known(value) ? `${shown(column, value)}${unitOf(column) ? ` ${unitOf(column)}` : ""}` : null];
    });
    if (table.columns.change_low_m2) pairs.splice(3, 0, ["change, 95 %", changeWords(table, now.row)]);
    return el("details", { open: true }, el("summary", {}, `Attributes in ${state.year}`), listOf(pairs));
  }
  function changeWords(table, row) {
    const of = (name) => table.columns[name].at(row);
    if (!known(of("change_low_m2"))) return null;
    const because = table.columns.because.at(row);
    return `since ${of("year_from")}: ${signed(hectares(of("change_m2")), of("change_m2"))} ha (${hectares(of("change_low_m2"))} to ${hectares(of("change_high_m2"))}); gained ${hectares(of("gain_m2"))}, lost ${hectares(of("loss_m2"))} ha; p ${pValue(of("p_value"))}${because ? `; ${spaced(because)}` : ""}`;
  }
  function scenesOf(points) {
    const tile = points.find((p) => p.tile)?.tile;
    const at = data.tiles.names.indexOf(tile);
    const rows = Object.entries(data.tiles.years).map(([year, seen]) => [year, at < 0 ? null : seen.dates.at(at)]).filter(([, dates]) => dates);
    if (!rows.length) return null;
    return el("details", {}, el("summary", {}, `Scenes behind tile ${tile}`), tableOf(["year", "days of the scenes that were used"], rows));
  }
  return { draw };
}
