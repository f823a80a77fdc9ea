"""Scores as one page that needs nothing else: no network, no script, no font."""

import base64
import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.scores.lines import EVERYTHING, Scored, on, order
from models.scores.scorecard import Metric

_HEADLINES: Final = (
    ("wet", "iou", "global IoU, wet chips"),
    ("all", "object_f1", "object F1, lakes ≥ 0.1 ha"),
    ("size >1 ha", "object_recall", "recall, lakes > 1 ha"),
    ("all", "boundary_f_10m", "boundary F at 10 m"),
    ("all", "interval_coverage", "area intervals that hold the truth"),
    ("all", "ece", "calibration error (ECE)"),
)
_TABLE: Final = (
    ("all", "iou", "global IoU at 0.50, all chips"),
    ("all", "iou_best_on_val", "global IoU at the threshold that is best on val"),
    ("wet", "iou", "global IoU at 0.50, wet chips"),
    ("wet", "chip_iou", "mean IoU of wet chips"),
    ("all", "chip_iou_as_published", "mean of (I + 1) / (U + 1) over all chips, as published elsewhere"),
    ("wet", "tail_count", "wet chips with IoU < 0.05"),
    ("dry", "stays_dry_share", "dry chips without a predicted pixel, share"),
    ("all", "precision", "precision by pixel"),
    ("all", "recall", "recall by pixel"),
    ("all", "f1", "F1 by pixel"),
    ("all", "boundary_f_10m", "boundary F within 10 m"),
    ("all", "boundary_f_20m", "boundary F within 20 m"),
    ("all", "object_recall", "recall of lakes"),
    ("all", "object_precision", "precision of lakes"),
    ("all", "object_f1", "F1 of lakes"),
    ("all", "area_bias", "mean error of the area of found lakes"),
    ("all", "area_bias_share", "the same, as share of their true area"),
    ("all", "area_mae", "mean absolute error of that area"),
    ("all", "total_area_error", "error of the total area, missed and invented lakes included"),
    ("all", "interval_coverage", "95 % area intervals that hold the true area"),
    ("all", "interval_width_share", "their mean width, as share of the area"),
    ("all", "ece", "expected calibration error"),
    ("all", "brier", "Brier score"),
    ("all", "abstained_share", "judged pixels without an answer, counted as land"),
)
_STYLE: Final = """
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:#1f2328;background:#fff;margin:0 auto;max-width:1180px;padding:28px}
h1{font-size:26px;margin:0 0 4px} h2{font-size:19px;margin:38px 0 6px;border-top:1px solid #d6d3cc;padding-top:18px}
p{max-width:80ch;margin:6px 0} .faint{color:#57606a} .row{display:flex;flex-wrap:wrap;gap:18px;align-items:flex-start}
.tile{border:1px solid #d6d3cc;border-radius:6px;padding:10px 14px;min-width:150px} .tile b{display:block;font-size:24px}
.tile span{display:block;font-size:12.5px;color:#57606a;max-width:17ch}
table{border-collapse:collapse;font-size:13.5px;margin:8px 0} th,td{padding:3px 12px 3px 0;text-align:left;vertical-align:top}
th{border-bottom:1px solid #6b7280;font-weight:600} td{border-bottom:1px solid #eceae5} td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.range{color:#57606a} img{max-width:100%;height:auto} figure{margin:10px 0} figcaption{font-size:13px;color:#57606a;max-width:80ch}
code{font-size:12.5px;overflow-wrap:anywhere}
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a reader must know to judge the figures."""

    title: str
    split: str
    models: Sequence[Mapping[str, str]]
    """Per model, what it is: name, version, hash, training."""
    data: Sequence[Mapping[str, str]]
    """Per set of chips: place and counts."""
    blocks: str
    """What intervals are clustered by."""
    excused: int
    """True lakes that were not asked for."""
    best: float | None
    """Threshold chosen on val; None without val chips, and where val itself is scored."""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Plots:
    """SVG bytes by section, and pictures (PNG, caption)."""

    sweep: bytes
    reliability: bytes
    sizes: bytes
    classes: Sequence[bytes]
    regions: bytes | None
    subsets: bytes | None
    areas: bytes | None
    worst: Sequence[tuple[bytes, str]]


def score_page(facts: Facts, scored: Sequence[Scored], plots: Plots) -> str:
    """The page as HTML text."""
    shown = on(scored, facts.split)
    sections = [
        f"<h1>{_escaped(facts.title)}</h1>",
        _intro(facts, shown),
        _tiles(shown),
        "<h2>All figures</h2>",
        "<p class=faint>Value and 95 % interval; intervals are bootstrapped over " + _escaped(facts.blocks) + ".</p>",
        _figures(shown),
        *_plots(facts, shown, plots),
        *_subsets(facts, scored, plots),
        *_worst(plots),
        _meaning(facts),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_escaped(facts.title)}</title>'
    return f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body>{''.join(sections)}</body></html>\n"


def _intro(facts: Facts, shown: Sequence[Scored]) -> str:
    best = "no other threshold than 0.50 was chosen" if facts.best is None else f"best threshold on val {facts.best:.2f}"
    words = f"<p>Split <b>{_escaped(facts.split)}</b>; {best}; {_lakes(shown)}, {facts.excused} not asked for.</p>"
    notes = "".join(f"<p class=faint>{_escaped(note)}</p>" for note in facts.notes)
    return words + notes + _facts_table("model", facts.models) + _facts_table("chips", facts.data)


def _lakes(shown: Sequence[Scored]) -> str:
    recall = shown[0].get("all", "object_recall") if shown else None
    return "no lakes with outlines" if recall is None else f"{recall.n:,} lakes asked for".replace(",", "\u2009")


def _facts_table(kind: str, rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return ""
    names = list(rows[0])
    head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_escaped(row.get(name, ''))}</td>" for name in names) + "</tr>" for row in rows)
    return f'<table aria-label="{kind}"><tr>{head}</tr>{body}</table>'


def _tiles(shown: Sequence[Scored]) -> str:
    rows = []
    for one in shown:
        found = [(one.get(group, name), words) for group, name, words in _HEADLINES]
        tiles = "".join(f"<div class=tile><b>{_number(m)}</b><span>{words}</span><span>{_range(m)}</span></div>" for m, words in found if m)
        rows.append(f"<h3>{_escaped(one.model)}</h3><div class=row>{tiles}</div>")
    return "".join(rows)


def _figures(shown: Sequence[Scored]) -> str:
    head = "".join(f"<th class=n>{_escaped(one.model)}</th><th></th>" for one in shown)
    rows = []
    for group, name, words in _TABLE:
        found = [one.get(group, name) for one in shown]
        if any(found):
            unit = next(each.unit for each in found if each)
            cells = "".join(f"<td class=n>{_number(m) if m else ''}</td><td class=range>{_range(m) if m else ''}</td>" for m in found)
            rows.append(f"<tr><td>{words}{'' if unit == '1' else f' ({_unit(unit)})'}</td>{cells}</tr>")
    return f"<table><tr><th>figure</th>{head}</tr>{''.join(rows)}</table>"


def _plots(facts: Facts, shown: Sequence[Scored], plots: Plots) -> Iterator[str]:
    yield "<h2>Threshold and calibration</h2><div class=row>"
    yield _figure(plots.sweep, "Global IoU over all chips against the threshold; bands are 95 % intervals.")
    yield _figure(plots.reliability, "Mean probability of a bin against the share of its pixels that lakes cover; below, pixels per bin.")
    yield "</div><h2>Lakes by size</h2>"
    yield _figure(plots.sizes, f"Lakes of split {facts.split} by true area, number of true lakes in brackets; lines are 95 % intervals.")
    if plots.classes:
        yield "<h2>Lakes by kind, and hard ones</h2>"
        yield "<div class=row>" + "".join(
            _figure(each, "Number of true lakes in brackets; hard lakes stay in every other figure.") for each in plots.classes
        )
        yield "</div>"
    yield _groups(shown)
    if plots.areas:
        yield "<h2>Areas</h2>"
        yield _figure(plots.areas, "Found lakes of the first model; the dashed line is where both areas are equal.")
    if plots.regions:
        yield "<h2>Regions</h2>"
        yield _figure(plots.regions, "Global IoU at 0.50 over all chips of a region.")


def _groups(shown: Sequence[Scored]) -> str:
    """Recall, precision and F1 by size, kind and reason, all models side by side."""
    names = (("object_recall", "recall"), ("object_precision", "precision"), ("object_f1", "F1"))
    found = sorted(
        (each.group for one in shown for prefix in ("size ", "class ", "hard ") for each in one.groups(prefix, "object_recall")), key=order
    )
    head = "".join(f"<th class=n>{words}, {_escaped(one.model)}</th>" for one in shown for _, words in names)
    rows = []
    for group in dict.fromkeys(found):
        cells = "".join(
            f"<td class=n>{_number(metric) if metric else ''}<br><span class=range>{_range(metric) if metric else ''}</span></td>"
            for one in shown
            for metric in (one.get(group, name) for name, _ in names)
        )
        counted = next(metric.n for one in shown if (metric := one.get(group, "object_recall")))
        rows.append(f"<tr><td>{_escaped(group.replace('_', ' '))}</td><td class=n>{counted}</td>{cells}</tr>")
    return f"<table><tr><th>lakes</th><th class=n>true</th>{head}</tr>{''.join(rows)}</table>" if rows else ""


def _subsets(facts: Facts, scored: Sequence[Scored], plots: Plots) -> Iterator[str]:
    if not plots.subsets:
        return
    rows = [one for one in scored if one.split == facts.split and one.model == scored[0].model]
    names = [(group, name, words) for group, name, words in _HEADLINES]
    head = "".join(f"<th class=n>{words}</th>" for _, _, words in names)
    body = "".join(
        f"<tr><td>{'all modalities' if one.subset == EVERYTHING else _escaped(one.subset)}</td>"
        + "".join(f"<td class=n>{_number(m) if (m := one.get(group, name)) else ''}</td>" for group, name, _ in names)
        + "</tr>"
        for one in rows
    )
    yield f"<h2>Modalities</h2><p>What is left when sensors are missing, model {_escaped(rows[0].model)}.</p>"
    yield f"<table><tr><th>shown to the model</th>{head}</tr>{body}</table>"
    yield _figure(plots.subsets, "95 % intervals by block.")


def _worst(plots: Plots) -> Iterator[str]:
    if plots.worst:
        yield "<h2>Where the first model fails most</h2>"
        yield from (_figure(picture, caption, kind="png") for picture, caption in plots.worst)


def _meaning(facts: Facts) -> str:
    lines = (
        "A pixel is judged when its label is known and a sensor saw it; it is true when lakes cover at least half of it. "
        "Pixels that several chips show count once per chip, as in other published scores.",
        "Lakes and shores count once: overlapping chips are laid together by the mean of their logits, then outlined. A lake is found "
        "when a predicted outline shares at least half of their union with it.",
        "Not asked for, and not held against a prediction: lakes under 0.1 ha, of another split, with less than 90 % inside the chips, "
        "or with less than half seen by a sensor.",
        "A prediction belongs to the size of the lake it matched, or to its own. Kinds and reasons are known of true lakes only: "
        "their F1 combines their recall with the precision over all lakes.",
        "Calibration compares probabilities with the share of each pixel that lakes cover, in 15 bins of equal width.",
        f"Intervals: 1000 bootstrap draws of {facts.blocks}; whole blocks are drawn, because neighbours are alike.",
    )
    return "<h2>What the figures mean</h2>" + "".join(f"<p>{_escaped(line)}</p>" for line in lines)


def _figure(picture: bytes, caption: str, *, kind: str = "svg+xml") -> str:
    data = base64.b64encode(picture).decode()
    return f'<figure><img alt="{_escaped(caption)}" src="data:image/{kind};base64,{data}"><figcaption>{_escaped(caption)}</figcaption></figure>'


def _number(metric: Metric) -> str:
    return _plain(metric.value, metric.unit)


def _range(metric: Metric) -> str:
    if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
        return "one block" if metric.blocks == 1 else "–"
    return f"{_plain(metric.low, metric.unit)} … {_plain(metric.high, metric.unit)}"


def _plain(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if unit == "1":
        return (f"{value:.4f}" if abs(value) < 0.05 else f"{value:.3f}").replace("-", "−")
    return f"{value:,.0f}".replace(",", "\u2009").replace("-", "−")


def _unit(unit: str) -> str:
    return unit.replace("m2", "m²")


def _escaped(text: str) -> str:
    return html.escape(text)
