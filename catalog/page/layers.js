/* What the map is painted with: pictures, patterns of what was not seen, symbols of small features. */

const CAUSES = [
  { code: 2, key: "cloud_share", words: "cloud", tint: "rgba(250,250,250,.62)", line: "#7d7d7d", draw: "dots" },
  { code: 5, key: "snow_ice_share", words: "snow or ice", tint: "rgba(120,195,245,.42)", line: "#0072b2", draw: "sparse" },
  { code: 4, key: "shadow_share", words: "shadow", tint: "rgba(94,60,153,.40)", line: "#d9c8f5", draw: "level" },
  { code: 3, key: null, words: "cloud shadow", tint: "rgba(60,60,70,.60)", line: "#d0d0d0", draw: "down" },
  { code: 1, key: "no_scene_share", words: "no scene", tint: "rgba(175,175,175,.80)", line: "#555555", draw: "up" },
  { code: 6, key: null, words: "failed", tint: "rgba(213,94,0,.75)", line: "#ffe6cd", draw: "both" },
];
const FAILED = CAUSES[5];

const GROUND = [
  { kind: "gain", words: "gained", tint: "rgba(86,180,233,.60)", line: "#003a5c", draw: "up" },
  { kind: "loss", words: "lost", tint: "rgba(213,94,0,.62)", line: "#ffd9bd", draw: "down" },
];

function patternOf(cause) {
  const tile = el("canvas", { width: 9, height: 9 });
  const pen = tile.getContext("2d");
  pen.fillStyle = cause.tint;
  pen.fillRect(0, 0, 9, 9);
  pen.strokeStyle = pen.fillStyle = cause.line;
  pen.lineWidth = 1.1;
  const stroke = (...ends) => { pen.beginPath(); for (const [a, b, c, d] of ends) { pen.moveTo(a, b); pen.lineTo(c, d); } pen.stroke(); };
  const up = [[-1, 10, 10, -1], [-1, 1, 1, -1], [8, 10, 10, 8]];
  const down = [[-1, -1, 10, 10], [-1, 8, 1, 10], [8, -1, 10, 1]];
  if (cause.draw === "dots") { pen.fillRect(1, 1, 2, 2); pen.fillRect(5.5, 5.5, 2, 2); }
  if (cause.draw === "sparse") pen.fillRect(3.5, 3.5, 2, 2);
  if (cause.draw === "level") stroke([0, 4.5, 9, 4.5]);
  if (cause.draw === "up") stroke(...up);
  if (cause.draw === "down") stroke(...down);
  if (cause.draw === "both") stroke(...up, ...down);
  return tile;
}

/* Adds a symbol to the path; r is its half width in pixels. */
function addSymbol(path, symbol, x, y, r) {
  const line = (...corners) => {
    path.moveTo(x + corners[0] * r, y + corners[1] * r);
    for (let i = 2; i < corners.length; i += 2) path.lineTo(x + corners[i] * r, y + corners[i + 1] * r);
    path.closePath();
  };
  if (symbol === "up") line(0, -1.25, 1.15, 0.85, -1.15, 0.85);
  else if (symbol === "down") line(0, 1.25, 1.15, -0.85, -1.15, -0.85);
  else if (symbol === "square") path.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else if (symbol === "diamond") line(0, -1.3, 1.3, 0, 0, 1.3, -1.3, 0);
  else if (symbol === "cross") line(-0.35, -1.1, 0.35, -1.1, 0.35, -0.35, 1.1, -0.35, 1.1, 0.35, 0.35, 0.35, 0.35, 1.1, -0.35, 1.1, -0.35, 0.35, -1.1, 0.35, -1.1, -0.35, -0.35, -0.35);
  else {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
    if (symbol === "ring") { path.moveTo(x + 0.45 * r, y); path.arc(x, y, 0.45 * r, 0, 2 * Math.PI, true); }
  }
}

/* Dark below, colour above: readable on snow and on rock. */
function paintSymbols(pen, path, colour, rim = 1.6) {
  pen.setLineDash([]);
  pen.lineWidth = rim;
  pen.strokeStyle = "rgba(8,12,16,.9)";
  pen.stroke(path);
  pen.fillStyle = colour;
  pen.fill(path, "evenodd");
}

/* One symbol as a small picture: twenty thousand are stamped faster than they are traced. */
function stampOf(kind, radius, ratio) {
  const half = Math.ceil((1.35 * radius + 1.2) * ratio);
  const stamp = el("canvas", { width: 2 * half, height: 2 * half });
  const pen = stamp.getContext("2d");
  pen.translate(half, half);
  pen.scale(ratio, ratio);
  const path = new Path2D();
  addSymbol(path, radius < 2 ? "square" : kind.symbol, 0, 0, radius);
  paintSymbols(pen, path, kind.colour, radius < 2 ? 0.8 : 1.6);
  return { stamp, half };
}

function paintOutlines(pen, path, kind, width) {
  pen.setLineDash([]);
  pen.lineWidth = width + 2.2;
  pen.strokeStyle = "rgba(8,12,16,.72)";
  pen.stroke(path);
  pen.setLineDash(kind.dashes);
  pen.lineWidth = width;
  pen.strokeStyle = kind.colour;
  pen.stroke(path);
  pen.setLineDash([]);
}

function paintLabel(pen, words, x, y) {
  pen.font = "600 12.5px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = "rgba(8,12,16,.85)";
  pen.strokeText(words, x, y);
  pen.fillStyle = "#fff";
  pen.fillText(words, x, y);
}

/* The longest of 1, 2, 5 x 10^n metres that is a third of the map at most. */
function paintScale(pen, size, metresPerPixel) {
  const widest = metresPerPixel * Math.min(130, size.width / 3);
  const step = 10 ** Math.floor(Math.log10(widest));
  const length = [5, 2, 1].map((n) => n * step).find((n) => n <= widest);
  const [x, y, width] = [14, size.height - 14, length / metresPerPixel];
  for (const [stroke, colour] of [[5, "rgba(8,12,16,.7)"], [2.2, "#fff"]]) {
    pen.lineWidth = stroke;
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + width, y);
    pen.stroke();
  }
  paintLabel(pen, length >= 1000 ? `${length / 1000} km` : `${length} m`, x + width / 2, y - 8);
}

/* A sample of a class for legends and tables: outline and symbol. */
function sampleOf(kind, width = 40) {
  const sample = el("canvas", { width: 2 * width, height: 36, "aria-hidden": "true", style: `width:${width}px;height:18px;background:var(--map)` });
  const pen = sample.getContext("2d");
  pen.scale(2, 2);
  const symbol = new Path2D();
  addSymbol(symbol, kind.symbol, 9, 9, 4);
  paintSymbols(pen, symbol, kind.colour);
  if (width > 20) {
    const line = new Path2D();
    line.moveTo(18, 9);
    line.lineTo(width - 3, 9);
    paintOutlines(pen, line, kind, 1.8);
  }
  return sample;
}

function swatchOf(cause) {
  const swatch = el("canvas", { width: 28, height: 16, "aria-hidden": "true", style: "background:var(--map)" });
  const pen = swatch.getContext("2d");
  pen.fillStyle = pen.createPattern(patternOf(cause), "repeat");
  pen.fillRect(0, 0, 28, 16);
  return swatch;
}

/* Surfaces and masks of causes, decoded when a year is first shown; of masks only those of the last year are kept. */
function makePictures(data, redraw) {
  const surfaces = new Map();
  let masks = { year: null, of: new Map() };
  const placeOf = (year) => data.summary.pictures.find((picture) => picture.year === year);
  function load(year, name, type, done) {
    const image = new Image();
    image.src = `data:image/${type};base64,${data.pictures[year][name]}`;
    image.decode().then(() => { done(image); redraw(); });
  }
  function surface(year) {
    if (!placeOf(year)) return null;
    if (!surfaces.has(year)) { surfaces.set(year, null); load(year, "surface", "webp", (image) => surfaces.set(year, image)); }
    return surfaces.get(year);
  }
  function masksOf(year) {
    if (!placeOf(year)) return null;
    if (masks.year !== year) {
      masks = { year, of: new Map() };
      load(year, "causes", "png", (image) => { if (masks.year === year) masks.of = masksFrom(image); });
    }
    return masks.of;
  }
  return { placeOf, surface, masksOf };
}

function masksFrom(image) {
  const { width, height } = image;
  const canvas = el("canvas", { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const codes = pen.getImageData(0, 0, width, height).data;
  const masks = new Map();
  for (const cause of CAUSES) {
    const mask = new ImageData(width, height);
    let found = false;
    for (let i = 0; i < codes.length; i += 4) if (codes[i] === cause.code) { mask.data[i + 3] = 255; found = true; }
    if (!found) continue;
    const layer = el("canvas", { width, height });
    layer.getContext("2d").putImageData(mask, 0, 0);
    masks.set(cause.code, layer);
  }
  return masks;
}
