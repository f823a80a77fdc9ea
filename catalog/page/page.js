/* The page: one state, and what is drawn again when a part of it changes. */

async function openPage() {
  const data = await openData();
  const { summary } = data;
  const state = {
    year: data.years.at(-1), table: null, shapes: null, visible: [], classes: [], classOf: [], colouring: summary.features.colourings[0],
    hidden: new Set(), filter: { text: "", from: 0, to: Infinity, flag: "" }, sort: { name: "area_m2", down: true },
    chosen: null, showSurface: true, showCoverage: true, showGround: true,
  };
  const map = makeMap(data, state, choose, tellTile);
  const table = makeTable(data, state, choose, sortBy);
  const feature = makeFeature(data, state, setYear, map.zoomTo);

  function classify() {
    state.classes = state.colouring.classes;
    const place = new Map(state.classes.map((kind, index) => [kind.key, index]));
    const column = state.table.columns[state.colouring.column];
    const last = state.classes.length - 1;
    const byCode = column ? column.list.map((word) => place.get(word) ?? last) : [last];
    state.classOf = Uint8Array.from({ length: state.table.length }, (_, row) => (column ? byCode[column.codes[row]] : last));
  }
  function filterAndDraw() {
    state.visible = rowsToShow(data, state);
    table.draw();
    map.redraw();
  }
  function setYear(year) {
    if (!data.years.includes(year)) return;
    state.year = year;
    state.table = data.year(year);
    state.shapes = data.shapesOf(year);
    classify();
    byId("year").value = data.years.indexOf(year);
    byId("year").setAttribute("aria-valuetext", String(year));
    byId("year-shown").textContent = year;
    drawNumbers(data, state);
    drawBulletin(data, state);
    drawLegend();
    drawCoverageLegend(data, state);
    fillFlags();
    filterAndDraw();
    feature.draw();
    tellTile(-1);
  }
  function choose(place) {
    state.chosen = place;
    feature.draw();
    table.follow();
    map.redraw();
  }
  function chooseNamed(name, year) {
    const place = data.place.get(name);
    if (place === undefined) return;
    setYear(year);
    choose(place);
    map.zoomTo(place);
    byId("map-card").scrollIntoView({ block: "start" });
  }
  function sortBy(column) {
    const words = ["word", "flags", "id"].includes(column.show);
    state.sort = { name: column.name, down: state.sort.name === column.name ? !state.sort.down : !words };
    filterAndDraw();
  }
  function tellTile(at) {
    const seen = data.tiles.years[state.year];
    const place = byId("readout");
    if (at < 0 || !seen || seen.state.at(at) === null) { place.textContent = "Press a feature to see its series, or the ground to see what was observed there."; return; }
    const cause = [seen.cause.at(at), seen.message.at(at)].filter(Boolean).join(": ");
    const dates = seen.dates.at(at);
    place.textContent = `Tile ${data.tiles.names[at]}, ${state.year}: ${seen.state.at(at)}${cause ? ` (${cause})` : ""}, ${share(seen.observed_share.at(at))} observed; ${CAUSES.filter((c) => c.key).map((c) => `${c.words} ${share(seen[c.key].at(at))}`).join(", ")}. `
      + `Scenes: ${fixed(seen.scenes_used.at(at), 0)} used, ${fixed(seen.scenes_refused.at(at), 0)} refused${dates ? ` (${dates})` : ""}.`;
  }
  function drawLegend() {
    const counts = new Array(state.classes.length).fill(0);
    for (const code of state.classOf) counts[code] += 1;
    byId("legend").replaceChildren(...state.classes.map((kind, place) => el("button", {
      type: "button", "aria-pressed": String(!state.hidden.has(kind.key)), "data-class": kind.key,
      onclick: () => { if (!state.hidden.delete(kind.key)) state.hidden.add(kind.key); drawLegend(); filterAndDraw(); },
    }, sampleOf(kind), `${kind.words} ${fixed(counts[place], 0)}`)));
  }
  function fillFlags() {
    const flags = Object.keys(summary.counts.find((row) => row.year === state.year).flags);
    if (state.filter.flag && state.filter.flag !== "none" && !flags.includes(state.filter.flag)) flags.push(state.filter.flag);
    byId("filter-flag").replaceChildren(el("option", { value: "" }, "any or none"), el("option", { value: "none" }, "no flag"), ...flags.map((flag) => el("option", { value: flag }, spaced(flag))));
    byId("filter-flag").value = state.filter.flag;
  }

  listenToControls();
  drawHead(data);
  drawRegion(data);
  drawEvents(data, chooseNamed);
  drawFacts(data);
  setTheme(document.documentElement.dataset.theme);
  setYear(state.year);

  function listenToControls() {
    const slider = byId("year");
    slider.max = data.years.length - 1;
    slider.addEventListener("input", () => setYear(data.years[slider.value]));
    const step = (by) => setYear(data.years[(data.years.indexOf(state.year) + by + data.years.length) % data.years.length]);
    byId("year-before").addEventListener("click", () => step(-1));
    byId("year-after").addEventListener("click", () => step(1));
    listenToPlay(step);
    byId("colouring").append(...summary.features.colourings.map((one, place) => el("option", { value: place }, one.title)));
    byId("colouring").addEventListener("change", (event) => { state.colouring = summary.features.colourings[event.target.value]; state.hidden.clear(); classify(); drawLegend(); filterAndDraw(); });
    byId("show-surface").addEventListener("change", (event) => { state.showSurface = event.target.checked; map.redraw(); });
    byId("show-ground").addEventListener("change", (event) => { state.showGround = event.target.checked; map.redraw(); });
    byId("ground-option").hidden = !summary.map.ground;
    byId("show-coverage").addEventListener("change", (event) => { state.showCoverage = event.target.checked; map.redraw(); });
    listenToFilters(state, filterAndDraw);
    byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  }
  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
    if (!state.table) { drawRegionPlots(data); return; }
    drawRegionPlots(data);
    drawLegend();
    feature.draw();
    map.redraw();
  }
  return { data, state, map, setYear, choose };
}

function listenToPlay(step) {
  const play = byId("play");
  let timer = null;
  play.addEventListener("click", () => {
    if (timer) { clearInterval(timer); timer = null; } else { step(1); timer = setInterval(() => step(1), 1100); }
    play.setAttribute("aria-pressed", String(Boolean(timer)));
    play.textContent = timer ? "Pause" : "Play";
  });
}

function listenToFilters(state, draw) {
  const number = (id, otherwise) => { const value = parseFloat(byId(id).value); return Number.isNaN(value) ? otherwise : value; };
  const read = () => { state.filter = { text: byId("filter-text").value, from: number("filter-from", 0), to: number("filter-to", Infinity), flag: byId("filter-flag").value }; draw(); };
  let waiting;
  for (const id of ["filter-text", "filter-from", "filter-to"]) byId(id).addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(read, 120); });
  byId("filter-flag").addEventListener("change", read);
  byId("filter-clear").addEventListener("click", () => { for (const id of ["filter-text", "filter-from", "filter-to", "filter-flag"]) byId(id).value = ""; read(); });
}

function drawHead(data) {
  const { summary } = data;
  const [first, last] = [data.years[0], data.years.at(-1)];
  const latest = summary.runs.at(-1);
  byId("what").textContent = summary.region.target === "lakes" ? "Glacial lakes" : "Retrogressive thaw slumps";
  byId("title").textContent = summary.region.title;
  byId("under").textContent = [summary.region.name, first === last ? first : `${first} to ${last}`, `model ${latest.model || "unknown"}`, `run ${latest.run_id}`, latest.licence].join(" \u00b7 ");
  const badge = byId("complete");
  badge.textContent = summary.complete ? "\u2713 Complete" : `! Not complete: ${fixed(summary.holes_count, 0)} hole${summary.holes_count === 1 ? "" : "s"}`;
  badge.classList.add(summary.complete ? "good" : "bad");
  const notices = [];
  if (!summary.complete) {
    const more = summary.holes_count - summary.holes.length;
    notices.push(el("div", { class: "notice", role: "note" }, el("b", {}, "What is missing. "), "Numbers below are without it; ", el("code", {}, "cryoatlas audit"), " names the command that mends.",
      el("ul", {}, ...summary.holes.map((hole) => el("li", {}, `${hole.year} ${hole.tile} ${hole.stage}: ${[hole.cause, hole.message].filter(Boolean).join(": ")}`)), more > 0 ? el("li", {}, `and ${fixed(more, 0)} more`) : null)));
  }
  if (summary.not_computed.length) notices.push(el("div", { class: "notice", role: "note" }, el("b", {}, "Not computed yet: "), `${summary.not_computed.join("; ")}. Run `, el("code", {}, `cryoatlas track --region ${summary.region.name}`), " on the store, then write this page again."));
  byId("notices").replaceChildren(...notices);
}

function drawNumbers(data, state) {
  const { summary } = data;
  const listed = summary.counts.find((row) => row.year === state.year);
  const total = summary.tables.totals?.find((row) => row.year === state.year);
  const tile = (value, words, id) => el("div", { class: "tile" }, el("b", { id }, value), el("span", {}, words));
  const alarms = data.events?.filter((event) => event.alarm && event.year_to === state.year).length;
  const verdicts = summary.verdicts?.filter((pair) => pair.year_to === state.year).reduce((sum, pair) => sum + (pair.verdicts.grown ?? 0) + (pair.verdicts.shrunk ?? 0), 0);
  const minimum = listed.features_small ? ` (${fixed(listed.features_small, 0)} below the minimum area)` : "";
  byId("numbers").replaceChildren(
    tile(fixed(listed.features, 0), `${summary.region.target} listed in ${state.year}${minimum}`, "count"),
    tile(area(total ? total.area_m2 : listed.area_m2), total ? `total area, 95 %: ${area(total.area_low_m2)} to ${area(total.area_high_m2)}` : "total area as listed; its interval is not computed", "total-area"),
    tile(share(listed.observed_share), "of the ground observed, mean of the tiles", "observed"),
    tile(known(verdicts) ? fixed(verdicts, 0) : UNKNOWN, known(verdicts) ? "grew or shrank beyond error since the year before" : "significant changes: not computed"),
    tile(known(alarms) ? fixed(alarms, 0) : UNKNOWN, known(alarms) ? `alarm${alarms === 1 ? "" : "s"} in ${state.year}` : "alarms: not computed", "alarms"));
}

function drawCoverageLegend(data, state) {
  const seen = data.tiles.years[state.year];
  const mean = (key) => { const values = data.tiles.names.map((_, tile) => seen?.[key].at(tile)).filter(known); return values.length ? values.reduce((a, b) => a + b, 0) / values.length : NaN; };
  const failed = seen ? data.tiles.names.filter((_, tile) => seen.state.at(tile) === "failed").length : 0;
  const entries = CAUSES.filter((cause) => cause.key).map((cause) => el("span", { class: "key" }, swatchOf(cause), `${cause.words} ${share(mean(cause.key))}`));
  if (failed) entries.push(el("span", { class: "key" }, swatchOf(FAILED), `${failed} failed tile${failed === 1 ? "" : "s"}`));
  const ground = data.groundOf(state.year);
  const gained = ground ? [el("span", { class: "key" }, "Since the year before:"), ...GROUND.map((look) => el("span", { class: "key" }, swatchOf(look), look.words))] : [];
  byId("coverage-legend").replaceChildren(el("span", { class: "key" }, "Not seen:"), ...entries, ...gained);
}

document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
openPage().then((page) => { window.cryoatlas = page; document.documentElement.dataset.ready = "true"; }, (error) => {
  byId("notices").replaceChildren(el("p", { class: "notice" }, `This page could not be opened (${error.message}). It needs a browser of 2023 or later; write it again with cryoatlas report if it is damaged.`));
  throw error;
});
