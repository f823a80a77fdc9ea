"use strict";
/* Elements and words. Text reaches the page as text only, so that nothing a store says can run. */

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
const UNKNOWN = "\u2013";

function fixed(value, digits) {
  if (!known(value)) return UNKNOWN;
  const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const zero = Number(Math.abs(value).toFixed(digits)) === 0;
  return (value < 0 && !zero ? "\u2212" : "") + text;
}

/* Areas arrive in m2 and are read in hectares: three figures are enough beside an interval of some per cent. */
function hectares(m2) {
  if (!known(m2)) return UNKNOWN;
  const size = Math.abs(m2) / 1e4;
  return fixed(m2 / 1e4, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function area(m2) {
  if (!known(m2)) return UNKNOWN;
  return Math.abs(m2) >= 1e6 ? `${fixed(m2 / 1e6, 2)} km\u00b2` : `${hectares(m2)} ha`;
}

function signed(text, value) {
  return known(value) && value > 0 ? `+${text}` : text;
}

function share(value) {
  if (!known(value)) return UNKNOWN;
  const percent = 100 * value;
  return `${fixed(percent, percent > 0 && percent < 1 ? 1 : 0)} %`;
}

function pValue(value) {
  return known(value) && value < 0.001 ? "< 0.001" : fixed(value, 3);
}

function day(days) {
  return known(days) ? new Date(days * 864e5).toISOString().slice(0, 10) : UNKNOWN;
}

function bytes(count) {
  const steps = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (count >= 1000 && step < steps.length - 1) { count /= 1000; step += 1; }
  return `${fixed(count, step === 0 || count >= 100 ? 0 : 1)} ${steps[step]}`;
}

function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  if (seconds < 90) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${fixed(seconds / 60, 1)} min` : `${fixed(seconds / 3600, 1)} h`;
}

const spaced = (word) => (known(word) ? String(word).replaceAll("_", " ").replace(/,(?=\S)/g, ", ") : UNKNOWN);

function shown(column, value) {
  if (!known(value)) return UNKNOWN;
  switch (column.show) {
    case "area": return hectares(value);
    case "change": return signed(hectares(value), value);
    case "share": return share(value);
    case "date": return day(value);
    case "number": return fixed(value, Math.max(0, Math.round(-Math.log10(column.quantum))));
    case "word": return /_id$|^tile$|^edit_note$/.test(column.name) ? value : spaced(value);
    default: return spaced(value);
  }
}

function unitOf(column) {
  return { m2: "ha", "m2/yr": "ha/yr", m3: "m\u00b3", deg: "\u00b0" }[column.unit] ?? column.unit;
}

function tableOf(heads, rows, caption) {
  // years and spans of years are names, not amounts
  const isAmount = (content) => /^[\u2212+]?[\d.,]+( (ha|km\u00b2|%|per year|s|min|h|[kMGT]?B))*( to .*)?$|^\u2013$/.test(content) && !/^\d{4}( to \d{4})?$/.test(content);
  const numeric = heads.map((_, place) => rows.length > 0 && rows.every((row) => isAmount(String(row[place]?.textContent ?? row[place]))));
  const kindOf = (content, place) => (numeric[place] ? "n" : String(content).length > 44 ? "long" : null);
  const cell = (tag, content, place) => el(tag, { class: kindOf(content, place), scope: tag === "th" ? "col" : null }, content);
  return el("div", { class: "scroll" }, el("table", {},
    caption ? el("caption", { class: "faint" }, caption) : null,
    el("thead", {}, el("tr", {}, ...heads.map((head, place) => cell("th", head, place)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((content, place) => cell("td", content, place)))))));
}

/* `words` between backticks are commands. */
function withCode(text) {
  return text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));
}

function listOf(pairs) {
  return el("dl", {}, ...pairs.filter(([, value]) => known(value) && value !== "").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
