/* The packed columns: whole numbers in planes of bytes, words as places in a list, outlines as steps. */

async function unpackedBytes(text) {
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const MISSING = -(2 ** 31);

function wholes(buffer, [start], length) {
  const values = new Int32Array(length);
  const at = (plane) => start + plane * length;
  for (let i = 0; i < length; i += 1) {
    values[i] = buffer[at(0) + i] | (buffer[at(1) + i] << 8) | (buffer[at(2) + i] << 16) | (buffer[at(3) + i] << 24);
  }
  return values;
}

/* A column answers `at(row)`: a number or NaN, a word or null. */
function unpackColumn(buffer, header) {
  const values = wholes(buffer, header.at, header.length);
  if (header.kind === "words") {
    const list = [null, ...JSON.parse(textAt(buffer, header.list))];
    return { kind: "words", list, codes: values, at: (row) => list[values[row]] };
  }
  // 4.3, not 43 x 0.1 = 4.300000000000001
  const per = header.quantum < 1 ? Math.round(1 / header.quantum) : 0;
  const number = (whole) => (per ? whole / per : whole * header.quantum);
  return { kind: "numbers", values, at: (row) => (values[row] === MISSING ? NaN : number(values[row])) };
}

function textAt(buffer, [start, length]) {
  return new TextDecoder().decode(buffer.subarray(start, start + length));
}

function varintsAt(buffer, [start, length]) {
  const values = [];
  for (let at = start; at < start + length; ) {
    let value = 0;
    let scale = 1;
    let octet;
    do {
      octet = buffer[at];
      at += 1;
      value += (octet & 127) * scale;
      scale *= 128;
    } while (octet > 127);
    values.push(value % 2 ? -(value + 1) / 2 : value / 2);
  }
  return values;
}

function summed(steps) {
  const values = new Int32Array(steps.length);
  let sum = 0;
  for (let i = 0; i < steps.length; i += 1) { sum += steps[i]; values[i] = sum; }
  return values;
}

function ends(counts) {
  const from = new Int32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i += 1) from[i + 1] = from[i] + counts[i];
  return from;
}

/* Feature f has rings ring[f]..ring[f+1], ring r has points point[r]..point[r+1]; box holds left, top, right, bottom. */
function unpackOutlines(buffer, header) {
  const ring = ends(varintsAt(buffer, header.rings));
  const point = ends(varintsAt(buffer, header.points));
  const x = summed(varintsAt(buffer, header.x));
  const y = summed(varintsAt(buffer, header.y));
  const box = new Float64Array(4 * header.length);
  for (let feature = 0; feature < header.length; feature += 1) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = point[ring[feature]]; i < point[ring[feature + 1]]; i += 1) {
      if (x[i] < left) left = x[i];
      if (x[i] > right) right = x[i];
      if (y[i] < top) top = y[i];
      if (y[i] > bottom) bottom = y[i];
    }
    box.set([left, top, right, bottom], 4 * feature);
  }
  return { length: header.length, ring, point, x, y, box };
}

function isInside(shapes, feature, px, py) {
  let inside = false;
  for (let r = shapes.ring[feature]; r < shapes.ring[feature + 1]; r += 1) {
    for (let i = shapes.point[r], before = shapes.point[r + 1] - 1; i < shapes.point[r + 1]; before = i, i += 1) {
      const [xi, yi, xj, yj] = [shapes.x[i], shapes.y[i], shapes.x[before], shapes.y[before]];
      if (yi > py !== yj > py && px < ((xj - xi) * (py - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

/* Everything the page knows; years are unpacked when they are first looked at. */
async function openData() {
  const summary = JSON.parse(byId("summary").textContent);
  const buffer = await unpackedBytes(byId("bulk").textContent.trim());
  const knownYears = new Map();
  const open = (headers) => Object.fromEntries(Object.entries(headers).filter(([, h]) => h && h.kind).map(([name, h]) => [name, unpackColumn(buffer, h)]));
  const ids = textAt(buffer, summary.features.ids.at).split("\n");
  const years = summary.counts.filter((row) => row.mapped).map((row) => row.year);
  function year(number) {
    if (!knownYears.has(number)) {
      const columns = open(summary.features.years[number]);
      const feature = columns.feature.values;
      const rowOf = new Map();
      feature.forEach((place, row) => rowOf.set(place, row));
      knownYears.set(number, { year: number, length: feature.length, feature, rowOf, columns, shapes: null });
    }
    return knownYears.get(number);
  }
  function shapesOf(number) {
    const found = year(number);
    found.shapes ??= unpackOutlines(buffer, summary.map.years[number]);
    return found.shapes;
  }
  const tiles = summary.map.tiles;
  const ground = new Map();
  function groundOf(number) {
    const headers = summary.map.ground?.years[number];
    if (!headers) return null;
    if (!ground.has(number)) ground.set(number, { ...open({ feature_id: headers.feature_id, kind: headers.kind }), shapes: unpackOutlines(buffer, headers.shapes) });
    return ground.get(number);
  }
  return {
    summary, ids, years, year, shapesOf, groundOf,
    place: new Map(ids.map((name, index) => [name, index])),
    columns: summary.features.columns,
    tracks: summary.features.tracks && { years: summary.features.tracks.years, columns: open(summary.features.tracks) },
    trends: summary.features.trends && open(summary.features.trends),
    events: summary.events ? JSON.parse(textAt(buffer, summary.events.at)).events : null,
    region: unpackOutlines(buffer, summary.map.region),
    tiles: { names: tiles.names, squares: unpackOutlines(buffer, tiles.squares), years: Object.fromEntries(Object.entries(tiles.years).map(([y, h]) => [y, open(h)])) },
    pictures: JSON.parse(byId("pictures").textContent),
  };
}
