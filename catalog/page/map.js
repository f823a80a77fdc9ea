/* The map: one canvas, redrawn whole, so that what is drawn is what was counted. */

const SMALL_PX = 6;

function makeMap(data, state, onChoose, onTile) {
  const canvas = byId("map");
  const pen = canvas.getContext("2d");
  const plane = data.summary.map;
  const view = { x: 0, y: 0, scale: 1 };
  let size = { width: 0, height: 0, ratio: 1 };
  let queued = false;
  const redraw = () => { if (!queued) { queued = true; requestAnimationFrame(() => { queued = false; draw(); }); } };
  const pictures = makePictures(data, redraw);
  const patterns = new Map(CAUSES.map((cause) => [cause.code, patternOf(cause)]));
  const veil = el("canvas");
  const toScreen = (x, y) => [(x - view.x) * view.scale, (y - view.y) * view.scale];
  const units = (metres) => metres / plane.quantum_m;

  function fit(box, margin = 0.06, least = 0) {
    const [left, top, right, bottom] = box;
    const width = Math.max(right - left, least);
    const height = Math.max(bottom - top, least);
    view.scale = Math.min(size.width / width, size.height / height) * (1 - 2 * margin);
    view.x = (left + right) / 2 - size.width / view.scale / 2;
    view.y = (top + bottom) / 2 - size.height / view.scale / 2;
    redraw();
  }
  function boxOfAll() {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const shapes of [data.region, state.shapes]) {
      for (let i = 0; i < shapes.length; i += 1) {
        for (const side of [0, 1]) box[side] = Math.min(box[side], shapes.box[4 * i + side]);
        for (const side of [2, 3]) box[side] = Math.max(box[side], shapes.box[4 * i + side]);
      }
    }
    return box;
  }
  const fitAll = () => fit(boxOfAll());
  function zoom(factor, x = size.width / 2, y = size.height / 2) {
    const scale = Math.min(Math.max(view.scale * factor, 1e-6), 60 * plane.quantum_m);
    view.x += x / view.scale - x / scale;
    view.y += y / view.scale - y / scale;
    view.scale = scale;
    redraw();
  }
  function move(dx, dy) {
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    redraw();
  }
  function resize() {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const centre = size.width ? [view.x + size.width / view.scale / 2, view.y + size.height / view.scale / 2] : null;
    size = { width, height, ratio: Math.min(window.devicePixelRatio || 1, 2) };
    canvas.width = veil.width = Math.round(width * size.ratio);
    canvas.height = veil.height = Math.round(height * size.ratio);
    if (centre) { view.x = centre[0] - width / view.scale / 2; view.y = centre[1] - height / view.scale / 2; redraw(); } else fitAll();
  }

  function placed(place) {
    const [x, y] = toScreen(units(place.left_m - plane.left_m), units(plane.top_m - place.top_m));
    return [x, y, units(place.width_m) * view.scale, units(place.height_m) * view.scale];
  }
  function drawSurface() {
    const image = state.showSurface ? pictures.surface(state.year) : null;
    if (!image) return;
    const box = placed(pictures.placeOf(state.year));
    pen.imageSmoothingEnabled = box[2] / image.width < 3;
    pen.drawImage(image, ...box);
  }
  function trace(path, shapes, feature) {
    for (let r = shapes.ring[feature]; r < shapes.ring[feature + 1]; r += 1) {
      for (let i = shapes.point[r]; i < shapes.point[r + 1]; i += 1) {
        const x = (shapes.x[i] - view.x) * view.scale;
        const y = (shapes.y[i] - view.y) * view.scale;
        if (i === shapes.point[r]) path.moveTo(x, y); else path.lineTo(x, y);
      }
      path.closePath();
    }
  }
  function drawMasks(masks) {
    const box = placed(pictures.placeOf(state.year));
    const brush = veil.getContext("2d");
    for (const [code, mask] of masks) {
      brush.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
      brush.globalCompositeOperation = "source-over";
      brush.clearRect(0, 0, size.width, size.height);
      brush.imageSmoothingEnabled = false;
      brush.drawImage(mask, ...box);
      brush.globalCompositeOperation = "source-in";
      brush.fillStyle = brush.createPattern(patterns.get(code), "repeat");
      brush.fillRect(0, 0, size.width, size.height);
      pen.drawImage(veil, 0, 0, size.width, size.height);
    }
  }
  /* Without pixels a tile is as opaque as it was unseen, in the pattern of what hid most of it. */
  function drawTiles(masks) {
    const seen = data.tiles.years[state.year];
    const all = new Path2D();
    data.tiles.names.forEach((_, tile) => {
      trace(all, data.tiles.squares, tile);
      if (!seen) return;
      const failed = seen.state.at(tile) === "failed";
      const missed = 1 - (known(seen.observed_share.at(tile)) ? seen.observed_share.at(tile) : 0);
      if (seen.state.at(tile) === null || (masks && !failed) || missed < 0.005) return;
      const main = CAUSES.filter((cause) => cause.key).map((cause) => [seen[cause.key].at(tile) || 0, cause]).sort((a, b) => b[0] - a[0])[0][1];
      const path = new Path2D();
      trace(path, data.tiles.squares, tile);
      pen.globalAlpha = failed ? 0.9 : 0.15 + 0.75 * missed;
      pen.fillStyle = pen.createPattern(patterns.get((failed ? FAILED : main).code), "repeat");
      pen.fill(path);
      pen.globalAlpha = 1;
    });
    pen.setLineDash([]);
    pen.lineWidth = 1;
    pen.strokeStyle = "rgba(255,255,255,.28)";
    pen.stroke(all);
  }
  function drawGround() {
    const ground = state.showGround ? data.groundOf(state.year) : null;
    if (!ground) return;
    for (const look of GROUND) {
      const path = new Path2D();
      for (let i = 0; i < ground.shapes.length; i += 1) if (ground.kind.at(i) === look.kind) trace(path, ground.shapes, i);
      pen.fillStyle = pen.createPattern(patternOf(look), "repeat");
      pen.fill(path, "evenodd");
    }
  }
  function drawFeatures() {
    const shapes = state.shapes;
    // crowded symbols shrink, so that a region of many features stays a map
    const radius = Math.min(3.6, Math.max(1.3, 0.36 * Math.sqrt((size.width * size.height) / (state.visible.length + 1))));
    const kinds = state.classes.map((kind) => ({ kind, outlines: new Path2D(), symbols: [], any: false, ...stampOf(kind, radius, size.ratio) }));
    let drawn = 0;
    const [right, bottom] = [view.x + size.width / view.scale, view.y + size.height / view.scale];
    for (const row of state.visible) {
      const at = 4 * row;
      if (shapes.box[at] > right || shapes.box[at + 2] < view.x || shapes.box[at + 1] > bottom || shapes.box[at + 3] < view.y) continue;
      const group = kinds[state.classOf[row]];
      drawn += 1;
      if (Math.max(shapes.box[at + 2] - shapes.box[at], shapes.box[at + 3] - shapes.box[at + 1]) * view.scale < SMALL_PX) {
        group.symbols.push(...toScreen((shapes.box[at] + shapes.box[at + 2]) / 2, (shapes.box[at + 1] + shapes.box[at + 3]) / 2));
      } else { trace(group.outlines, shapes, row); group.any = true; }
    }
    for (const group of kinds) if (group.any) paintOutlines(pen, group.outlines, group.kind, 1.7);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    for (const { symbols, stamp, half } of kinds) {
      for (let i = 0; i < symbols.length; i += 2) pen.drawImage(stamp, Math.round(symbols[i] * size.ratio) - half, Math.round(symbols[i + 1] * size.ratio) - half);
    }
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    canvas.dataset.drawn = drawn;
    canvas.dataset.year = state.year;
  }
  function drawChosen() {
    const row = state.chosen === null ? undefined : data.year(state.year).rowOf.get(state.chosen);
    const [year, place] = row === undefined ? nearestYear() : [state.year, row];
    if (place === undefined) return;
    const shapes = data.shapesOf(year);
    const [left, top, right, bottom] = shapes.box.subarray(4 * place, 4 * place + 4);
    const [x, y] = toScreen((left + right) / 2, (top + bottom) / 2);
    const reach = Math.max(11, (Math.hypot(right - left, bottom - top) / 2) * view.scale + 6);
    pen.setLineDash(row === undefined ? [4, 4] : []);
    for (const [width, colour] of [[4.5, "rgba(8,12,16,.8)"], [2, "#fff"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.beginPath();
      pen.arc(x, y, reach, 0, 2 * Math.PI);
      pen.stroke();
    }
    pen.setLineDash([]);
    const words = data.ids[state.chosen] + (row === undefined ? `, outline of ${year}` : "");
    paintLabel(pen, words, Math.min(Math.max(x, 80), size.width - 80), y - reach - 8 < 16 ? y + reach + 18 : y - reach - 8);
  }
  function nearestYear() {
    if (state.chosen === null) return [null, undefined];
    const years = data.years.filter((year) => data.year(year).rowOf.has(state.chosen)).sort((a, b) => Math.abs(a - state.year) - Math.abs(b - state.year));
    return years.length ? [years[0], data.year(years[0]).rowOf.get(state.chosen)] : [null, undefined];
  }
  function draw() {
    if (!size.width || !state.shapes) return;
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    drawSurface();
    const masks = state.showCoverage ? pictures.masksOf(state.year) : null;
    if (masks) drawMasks(masks);
    if (state.showCoverage) drawTiles(masks);
    const border = new Path2D();
    for (let part = 0; part < data.region.length; part += 1) trace(border, data.region, part);
    paintOutlines(pen, border, { colour: "#ffffff", dashes: [] }, 1.1);
    drawGround();
    drawFeatures();
    drawChosen();
    paintScale(pen, size, plane.quantum_m / view.scale);
  }

  /* The smallest feature under the pointer, else the nearest small one within reach. */
  function featureAt(x, y) {
    const [px, py] = [view.x + x / view.scale, view.y + y / view.scale];
    const reach = 10 / view.scale;
    let [best, least, near, nearest] = [null, Infinity, null, reach * reach];
    for (const row of state.visible) {
      const [left, top, right, bottom] = state.shapes.box.subarray(4 * row, 4 * row + 4);
      if (px < left - reach || px > right + reach || py < top - reach || py > bottom + reach) continue;
      const extent = (right - left) * (bottom - top);
      if (extent < least && isInside(state.shapes, row, px, py)) [best, least] = [row, extent];
      const away = Math.max(left - px, px - right, 0) ** 2 + Math.max(top - py, py - bottom, 0) ** 2 || ((left + right) / 2 - px) ** 2 + ((top + bottom) / 2 - py) ** 2;
      if (away < nearest) [near, nearest] = [row, away];
    }
    return best ?? near;
  }
  function tileAt(x, y) {
    const [px, py] = [view.x + x / view.scale, view.y + y / view.scale];
    return data.tiles.names.findIndex((_, tile) => isInside(data.tiles.squares, tile, px, py));
  }
  function choose(x, y) {
    const row = featureAt(x, y);
    if (row === null) onTile(tileAt(x, y)); else onChoose(state.table.feature[row]);
  }
  function zoomTo(feature) {
    const row = data.year(state.year).rowOf.get(feature);
    const year = row === undefined ? nearestYear()[0] : state.year;
    if (year === null) return;
    const shapes = data.shapesOf(year);
    const place = data.year(year).rowOf.get(feature);
    fit(shapes.box.subarray(4 * place, 4 * place + 4), 0.28, units(300));
  }
  /* Where a feature is on the canvas, in CSS pixels: what a test presses. */
  function whereIs(feature) {
    const row = data.year(state.year).rowOf.get(feature);
    const [left, top, right, bottom] = state.shapes.box.subarray(4 * row, 4 * row + 4);
    return toScreen((left + right) / 2, (top + bottom) / 2);
  }
  listenToPointers(canvas, { move, zoom, choose, nameAt: (x, y) => { const row = featureAt(x, y); return row === null ? null : data.ids[state.table.feature[row]]; } });
  listenToKeys(canvas, { move, zoom, fitAll, size: () => size });
  new ResizeObserver(resize).observe(canvas);
  byId("zoom-in").addEventListener("click", () => zoom(1.6));
  byId("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
  byId("zoom-all").addEventListener("click", fitAll);
  return { redraw, draw, fitAll, zoomTo, whereIs };
}
