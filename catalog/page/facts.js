/* The region through the years, events and alarms, and what a reader must know of the run. */

const notComputed = (words) => el("p", { class: "faint" }, `${words}: not computed. Run `, el("code", {}, "cryoatlas track"), ", then write this page again.");
const interval = (low, high, words) => (known(low) && known(high) ? `${words(low)} to ${words(high)}` : UNKNOWN);
const reasons = (list) => (list?.length ? list.map(spaced).join(", ") : "");

function drawRegion(data) {
  const { summary } = data;
  const { totals, total_changes: changes, region_trends: trends } = summary.tables;
  const place = byId("region");
  const parts = [el("div", { class: "pair" }, totalsPart(totals), summary.region.target === "slumps" ? countsPart(summary.slump_counts) : verdictsPart(data))];
  if (summary.region.target === "slumps" && summary.verdicts) parts.push(verdictsPart(data));
  parts.push(changes ? changesPart(changes) : notComputed("Change on the features observed in both years"));
  parts.push(trends?.length ? trendsPart(trends) : notComputed("Trend of the region"));
  parts.push(listedPart(summary.counts));
  place.replaceChildren(...parts);
}

function drawBulletin(data, state) {
  const text = data.summary.bulletins[state.year];
  byId("bulletin").hidden = !text;
  byId("bulletin-title").textContent = `${state.year} in words`;
  byId("bulletin-text").replaceChildren(...(text ?? "").split("\n").map((paragraph) => el("p", {}, paragraph)));
}

function plotBox(id, label) {
  return el("div", { class: "plot low", id, role: "img", "aria-label": `${label}; the numbers are in the table below it` });
}

function totalsPart(totals) {
  if (!totals) return el("div", {}, el("h3", {}, "Total area"), notComputed("Totals with intervals"));
  const rows = totals.map((row) => [String(row.year), fixed(row.features, 0), area(row.area_m2), interval(row.area_low_m2, row.area_high_m2, area),
    fixed(row.features_partly_observed, 0), fixed(row.features_unobserved, 0), share(row.observed_share), row.comparable ? "yes" : reasons(row.because) || "no"]);
  return el("div", {}, el("h3", {}, "Total area as listed, with 95 % intervals"), plotBox("plot-totals", "Total area per year"),
    el("details", {}, el("summary", {}, "Numbers"), tableOf(["year", "features", "area", "95 % interval", "partly observed", "unobserved", "observed", "comparable"], rows)));
}

function verdictsPart(data) {
  if (!data.summary.verdicts) return el("div", {}, el("h3", {}, "Changes by verdict"), notComputed("Change from year to year"));
  const kinds = data.summary.features.colourings.find((one) => one.column === "verdict").classes.filter((kind) => kind.key !== "first");
  const rows = data.summary.verdicts.map((pair) => [`${pair.year_from} to ${pair.year_to}`, ...kinds.map((kind) => fixed(pair.verdicts[kind.key] ?? 0, 0))]);
  return el("div", {}, el("h3", {}, "Changes by verdict"), plotBox("plot-verdicts", "Changes by verdict and pair of years"),
    el("details", {}, el("summary", {}, "Numbers"), tableOf(["years", ...kinds.map((kind) => kind.words)], rows)));
}

function countsPart(counts) {
  if (!counts.length) return el("div", {}, el("h3", {}, "Slumps on observed ground"), el("p", { class: "faint" }, "No counts in this store."));
  const rows = counts.map((row) => [String(row.year), fixed(row.detections, 0), fixed(row.count, 1), interval(row.count_low, row.count_high, (v) => fixed(v, 1)), fixed(row.per_100_km2, 2),
    `${fixed(row.observed_km2, 1)} km\u00b2 (${share(row.observed_share)})`, row.range_missing_because ?? ""]);
  return el("div", {}, el("h3", {}, "Slumps on observed ground, with 90 % range"), plotBox("plot-counts", "Slumps counted per year"),
    el("details", {}, el("summary", {}, "Numbers"), tableOf(["year", "detections", "counted", "90 % range", "per 100 km\u00b2", "observed", "no range because"], rows), el("p", { class: "faint" }, counts[0].counting_rule ?? "")));
}

function changesPart(changes) {
  const rows = changes.map((row) => [`${row.year_from} to ${row.year_to}`, fixed(row.features, 0), `${area(row.area_from_m2)} to ${area(row.area_to_m2)}`, signed(area(row.change_m2), row.change_m2),
    interval(row.change_low_m2, row.change_high_m2, area), row.significant ? "significant" : "within error", signed(area(row.listed_change_m2), row.listed_change_m2), row.comparable ? "" : reasons(row.because) || "not comparable"]);
  return el("div", {}, el("h3", {}, "Change on the features observed in both years"),
    el("p", { class: "faint" }, "The lists of two years also differ by what only one of them saw; the last columns say by how much."),
    tableOf(["years", "features", "area", "change", "95 % interval", "", "change of the lists", "not comparable because"], rows));
}

function trendsPart(trends) {
  const rows = trends.map((row) => [spaced(row.basis), `${row.first_year ?? UNKNOWN} to ${row.last_year ?? UNKNOWN}`, fixed(row.years_observed, 0), fixed(row.features, 0), spaced(row.direction),
    known(row.slope_m2_per_year) ? `${signed(area(row.slope_m2_per_year), row.slope_m2_per_year)} per year` : UNKNOWN, interval(row.slope_low, row.slope_high, area), pValue(row.p_value)]);
  return el("div", {}, el("h3", {}, "Trend of the region"), tableOf(["basis", "span", "years", "features", "direction", "slope", "95 % interval", "p"], rows));
}

function listedPart(counts) {
  const rows = counts.map((row) => [String(row.year), row.mapped ? fixed(row.features, 0) : "no inventory", fixed(row.features_small, 0), area(row.area_m2), share(row.observed_share),
    Object.entries(row.tile_states).map(([state, count]) => `${count} ${state}`).join(", ")]);
  const flags = [...new Set(counts.flatMap((row) => Object.keys(row.flags)))].sort();
  const flagged = counts.map((row) => [String(row.year), ...flags.map((flag) => fixed(row.flags[flag] ?? 0, 0))]);
  return el("div", { class: "pair" },
    el("div", {}, el("h3", {}, "What the inventories list"), tableOf(["year", "features", "too small for totals", "area without those", "observed", "tiles"], rows)),
    el("div", {}, el("h3", {}, "Features with a flag"), tableOf(["year", ...flags.map(spaced)], flagged)));
}

function drawRegionPlots(data) {
  const { tables, verdicts, slump_counts: counts, features } = data.summary;
  if (byId("plot-totals")) drawTotals(byId("plot-totals"), tables.totals.map((row) => ({ year: row.year, value: row.area_m2 / 1e6, low: row.area_low_m2 / 1e6, high: row.area_high_m2 / 1e6, comparable: row.comparable, words: `${area(row.area_m2)} (${interval(row.area_low_m2, row.area_high_m2, area)})` })), "area, km\u00b2");
  if (byId("plot-verdicts")) drawVerdicts(byId("plot-verdicts"), verdicts, features.colourings.find((one) => one.column === "verdict").classes.filter((kind) => kind.key !== "first"));
  if (byId("plot-counts")) drawTotals(byId("plot-counts"), counts.map((row) => ({ year: row.year, value: row.count, low: row.count_low, high: row.count_high, comparable: true, words: `${fixed(row.count, 1)} (${interval(row.count_low, row.count_high, (v) => fixed(v, 1))})` })), "slumps");
}

function eventOf(event, onChoose) {
  const name = (id) => (onChoose ? el("button", { type: "button", class: "link", onclick: () => onChoose(id, event.year_to) }, id) : id);
  const names = (ids) => (ids ?? []).flatMap((id, place) => (place ? [", ", name(id)] : [name(id)]));
  const [parents, children] = [event.parents ?? [], event.children ?? []];
  const same = parents.length === children.length && parents.every((id, place) => id === children[place]);
  const who = same || !children.length ? names(parents) : parents.length ? [...names(parents), " \u2192 ", ...names(children)] : names(children);
  const change = known(event.change_m2) ? `${area(event.area_before_m2)} to ${area(event.area_after_m2)}, change ${signed(area(event.change_m2), event.change_m2)} (95 %: ${interval(event.change_low_m2, event.change_high_m2, area)})${event.significant ? ", significant" : ", within error"}` : "";
  return el("div", { class: `event${event.alarm ? " alarm" : ""}` },
    el("div", {}, event.alarm ? el("span", { class: "flag warn" }, "alarm") : null, el("b", { class: "kind" }, event.event), el("div", { class: "faint" }, `${event.year_from} to ${event.year_to}`)),
    el("div", {}, ...who, el("div", {}, change), event.reason ? el("div", { class: "faint" }, `Rests on a year with: ${spaced(event.reason)}`) : null, event.to_do ? el("div", {}, el("b", {}, "What to do: "), ...withCode(event.to_do)) : null));
}

const EVENTS_AT_FIRST = 40;

function drawEvents(data, onChoose) {
  const place = byId("events");
  if (!data.events) { place.replaceChildren(notComputed("Events")); return; }
  const alarms = data.events.filter((event) => event.alarm).length;
  const head = el("p", {}, data.events.length ? `${fixed(alarms, 0)} alarm${alarms === 1 ? "" : "s"}, ${fixed(data.events.length, 0)} events in all; alarms first, then the latest.` : "No events between the mapped years.");
  const draw = (count) => {
    const rest = data.events.length - count;
    place.replaceChildren(head, ...data.events.slice(0, count).map((event) => eventOf(event, onChoose)),
      ...(rest > 0 ? [el("p", {}, el("button", { type: "button", onclick: () => draw(count + 400) }, `Show ${fixed(Math.min(rest, 400), 0)} more of ${fixed(rest, 0)}`))] : []));
  };
  draw(EVENTS_AT_FIRST);
}

function drawFacts(data) {
  const { summary } = data;
  const reasonsOf = [...new Set(summary.scenes.flatMap((row) => Object.keys(row.refused)))];
  const scenes = summary.scenes.map((row) => [String(row.year), fixed(row.considered, 0), fixed(row.used, 0), row.catalogs.join(", ") || UNKNOWN, ...reasonsOf.map((reason) => fixed(row.refused[reason] ?? 0, 0))]);
  const price = summary.work.price_per_hour;
  const stages = summary.stages.map((row) => [String(row.year), row.stage, Object.entries(row.states).map(([state, count]) => `${count} ${state}`).join(", "), duration(row.seconds), row.bytes ? bytes(row.bytes) : UNKNOWN]);
  const cost = price === null ? "no price was given (--price-per-hour)" : `${fixed(summary.work.cost, 2)} at ${price} per hour of work`;
  const figure = (value) => (typeof value === "object" && value !== null ? Object.entries(value).map(([name, number]) => `${name} ${typeof number === "number" ? Number(number.toPrecision(4)) : number}`).join(", ") : String(value ?? ""));
  const runs = summary.runs.map((run) => [String(run.year), run.complete === false ? "no" : "yes", run.model ?? UNKNOWN, el("code", {}, run.run_id ?? UNKNOWN), el("code", {}, run.fingerprint ?? UNKNOWN), `${run.cryoatlas_version ?? UNKNOWN}, schema ${run.schema_version ?? UNKNOWN}`]);
  byId("facts").replaceChildren(
    el("h3", {}, "Scenes"), el("p", { class: "faint" }, "A scene is considered for every tile that it meets; under a reason stands how many tiles refused one for it."),
    tableOf(["year", "considered", "used", "catalogs", ...reasonsOf], scenes),
    el("h3", {}, "Model"), listOf(summary.model_card.map(([name, value]) => [name, name === "sha256" ? el("code", {}, figure(value)) : figure(value)])),
    el("h3", {}, "Hours and costs"), listOf([["work", duration(summary.work.hours * 3600)], ["bytes decoded", bytes(summary.work.bytes)], ["cost", cost]]),
    el("p", { class: "faint" }, "Seconds of work of all units, added up; units run side by side, so that a run takes less time on the clock."),
    el("details", {}, el("summary", {}, "Stage by stage"), tableOf(["year", "stage", "units", "work", "bytes"], stages)),
    el("h3", {}, "Runs"), tableOf(["year", "complete", "model", "run", "fingerprint", "version"], runs));
  byId("citation").replaceChildren(el("b", {}, "How to cite: "), summary.citation);
  byId("attribution").textContent = summary.attribution.join("; ");
}
