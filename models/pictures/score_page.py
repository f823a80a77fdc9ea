"""Scores as one page that needs nothing else: no network, no script, no font."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.pictures.score_tables import HEADLINES, escaped, facts_table, figures_table, groups_table, headline_tiles, number
from models.scores.lines import EVERYTHING, Scored, on

_STYLE: Final = """
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:#1f2328;background:#fff;margin:0 auto;max-width:1180px;padding:28px}
h1{font-size:26px;margin:0 0 4px} h2{font-size:19px;margin:38px 0 6px;border-top:1px solid #d6d3cc;padding-top:18px}
p{max-width:80ch;margin:6px 0} .faint{color:#57606a} .row{display:flex;flex-wrap:wrap;gap:18px;align-items:flex-start}
.tile{border:1px solid #d6d3cc;border-radius:6px;padding:10px 14px;min-width:150px} .tile b{display:block;font-size:24px}
.tile span{display:block;font-size:12.5px;color:#57606a;max-width:17ch}
table{border-collapse:collapse;font-size:13.5px;margin:8px 0} th,td{padding:3px 12px 3px 0;text-align:left;vertical-align:top}
th{border-bottom:1px solid #6b7280;font-weight:600} td{border-bottom:1px solid #eceae5} td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.range{color:#57606a} .keep{white-space:nowrap} img{max-width:100%;height:auto} figure{margin:10px 0} figcaption{font-size:13px;color:#57606a;max-width:80ch}
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
    gains: bytes | None = None


def score_page(facts: Facts, scored: Sequence[Scored], plots: Plots) -> str:
    """The page as HTML text."""
    shown = on(scored, facts.split)
    given = [*shown, *on(scored, f"{facts.split} relabelled")]
    sections = [
        f"<h1>{escaped(facts.title)}</h1>",
        _intro(facts, shown),
        headline_tiles(shown),
        "<h2>All figures</h2>",
        "<p class=faint>Value and 95 % interval; intervals are bootstrapped over " + escaped(facts.blocks) + ".</p>",
        figures_table(given, facts.split),
        *_plots(facts, shown, plots),
        *_gains(plots),
        *_subsets(facts, scored, plots),
        *_worst(plots),
        _meaning(facts),
    ]
    return page_html(facts.title, sections)


def page_html(title: str, sections: Sequence[str]) -> str:
    """A whole page of sections."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escaped(title)}</title>'
    return f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body>{''.join(sections)}</body></html>\n"


def _intro(facts: Facts, shown: Sequence[Scored]) -> str:
    best = "no other threshold than 0.50 was chosen" if facts.best is None else f"best threshold on val {facts.best:.2f}"
    words = f"<p>Split <b>{escaped(facts.split)}</b>; {best}; {_lakes(shown)}, {facts.excused} not asked for.</p>"
    notes = "".join(f"<p class=faint>{escaped(note)}</p>" for note in facts.notes)
    return words + notes + facts_table("model", facts.models) + facts_table("chips", facts.data)


def _lakes(shown: Sequence[Scored]) -> str:
    recall = shown[0].get("all", "object_recall") if shown else None
    return "no lakes with outlines" if recall is None else f"{recall.n:,} lakes asked for".replace(",", "\u2009")


def _plots(facts: Facts, shown: Sequence[Scored], plots: Plots) -> Iterator[str]:
    yield "<h2>Threshold and calibration</h2><div class=row>"
    yield figure_html(plots.sweep, "Global IoU over all chips against the threshold; bands are 95 % intervals.")
    yield figure_html(
        plots.reliability, "Mean probability of a bin against the share of its pixels that lakes cover; below, pixels per bin."
    )
    yield "</div><h2>Lakes by size</h2>"
    yield figure_html(
        plots.sizes, f"Lakes of split {facts.split} by true area, number of true lakes in brackets; lines are 95 % intervals."
    )
    if plots.classes:
        yield "<h2>Lakes by kind, and hard ones</h2>"
        yield "<div class=row>" + "".join(
            figure_html(each, "Number of true lakes in brackets; hard lakes stay in every other figure.") for each in plots.classes
        )
        yield "</div>"
    yield groups_table(shown)
    if plots.areas:
        yield "<h2>Areas</h2>"
        yield figure_html(plots.areas, "Found lakes of the first model; the dashed line is where both areas are equal.")
    if plots.regions:
        yield "<h2>Regions</h2>"
        yield figure_html(plots.regions, "Global IoU at 0.50 over all chips of a region.")


def _subsets(facts: Facts, scored: Sequence[Scored], plots: Plots) -> Iterator[str]:
    if not plots.subsets:
        return
    rows = [one for one in scored if one.split == facts.split and one.model == scored[0].model]
    names = [(group, name, words) for group, name, words in HEADLINES]
    head = "".join(f"<th class=n>{words}</th>" for _, _, words in names)
    body = "".join(
        f"<tr><td>{'all modalities' if one.subset == EVERYTHING else escaped(one.subset)}</td>"
        + "".join(f"<td class=n>{number(m) if (m := one.get(group, name)) else ''}</td>" for group, name, _ in names)
        + "</tr>"
        for one in rows
    )
    yield f"<h2>Modalities</h2><p>What is left when sensors are missing, model {escaped(rows[0].model)}.</p>"
    yield f"<table><tr><th>shown to the model</th>{head}</tr>{body}</table>"
    yield figure_html(plots.subsets, "95 % intervals by block.")


def _gains(plots: Plots) -> Iterator[str]:
    if plots.gains:
        words = (
            "Blocks are drawn for both models at once; an interval that leaves out 0 tells the two apart. Number of true lakes in brackets."
        )
        yield "<h2>Ahead or behind</h2>"
        yield figure_html(plots.gains, words)


def _worst(plots: Plots) -> Iterator[str]:
    if plots.worst:
        yield "<h2>Where the first model fails most</h2>"
        yield from (figure_html(picture, caption, kind="png") for picture, caption in plots.worst)


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
    return "<h2>What the figures mean</h2>" + "".join(f"<p>{escaped(line)}</p>" for line in lines)


def figure_html(picture: bytes, caption: str, *, kind: str = "svg+xml") -> str:
    """A picture with its caption, in the page itself."""
    data = base64.b64encode(picture).decode()
    return (
        f'<figure><img alt="{escaped(caption)}" src="data:image/{kind};base64,{data}"><figcaption>{escaped(caption)}</figcaption></figure>'
    )
