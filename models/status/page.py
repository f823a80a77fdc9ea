"""One HTML page without scripts: a heat map of years and regions, and below it what to do about each."""

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from catalog.facts.overview import STATES, Cell, CellState

SIGNS: Final[Mapping[CellState, str]] = {
    "complete": "✓",
    "waiting": "…",
    "short": "◐",
    "partly": "△",
    "failed": "✕",
    "interrupted": "‖",
    "running": "▶",
    "not begun": "·",
}
"""A sign per state, so that nothing rests on colour alone."""
_STYLE: Final = """
:root{color-scheme:light dark;--paper:#f6f5f2;--card:#fff;--ink:#1c2127;--faint:#5b6570;--rule:#dcd9d2;
--complete:#00664b;--waiting:#cfe3ef;--short:#56b4e9;--partly:#f0e442;--failed:#a33f00;--interrupted:#cc79a7;--running:#0072b2;--none:#efede8}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--card:#1c2228;--ink:#e7e9ec;--faint:#a2abb5;--rule:#343c45;
--complete:#0a8f6a;--waiting:#31506a;--failed:#c85000;--none:#262d35}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1200px;padding:20px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
h1{font-size:clamp(20px,3vw,28px);line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere} h2{font-size:17px;margin:26px 0 8px}
.faint{color:var(--faint);font-size:13px;margin:0}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:10px}
table{border-collapse:separate;border-spacing:3px} .list{border-spacing:0;width:100%}
th{font-weight:600;font-size:13px;text-align:left;white-space:nowrap}
.heat thead th{text-align:center}
.heat tbody th{position:sticky;left:0;background:var(--card);padding-right:10px;max-width:34vw;overflow:hidden;text-overflow:ellipsis}
.heat td{padding:0} .heat td>*{display:block;min-width:54px;padding:5px 4px;border-radius:6px;text-align:center;text-decoration:none;font-size:12px;line-height:1.25}
.heat b,.key b{font-size:15px} .heat b{display:block}
.s-complete,.s-failed,.s-running{color:#fff} .s-short,.s-partly,.s-interrupted{color:#111} .s-waiting,.s-not-begun{color:var(--ink)}
.s-complete{background:var(--complete)} .s-waiting{background:var(--waiting)} .s-short{background:var(--short)} .s-partly{background:var(--partly)}
.s-failed{background:var(--failed)} .s-interrupted{background:var(--interrupted)} .s-running{background:var(--running)} .s-not-begun{background:var(--none)}
ul{list-style:none;padding:0;margin:12px 0 0;display:grid;gap:5px;font-size:13px}
.key b{display:inline-block;width:26px;text-align:center;border-radius:5px;margin-right:8px}
.list th,.list td{padding:6px 14px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top;font-size:13.5px}
.list td:nth-child(-n+3){white-space:nowrap} .list tr:target{background:var(--none)}
code{font-size:12.5px;overflow-wrap:anywhere} a:focus-visible{outline:2.5px solid currentColor;outline-offset:2px}
"""


def status_page(cells: Sequence[Cell], store: str, when: str) -> str:
    """Return the page; what a store says is text in it, never HTML."""
    counts = Counter(cell.state for cell in cells)
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "nothing mapped yet"
    title = f"Region-years of {html.escape(store)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="faint">{html.escape(said)} · {html.escape(when)}</p>'
        f"<h2>Years and regions</h2>{_heat(cells)}{_key(counts)}{_list(cells)}</body></html>\n"
    )


def _heat(cells: Sequence[Cell]) -> str:
    years = sorted({cell.year for cell in cells})
    rows = {region: {c.year: c for c in cells if c.region == region} for region in sorted({cell.region for cell in cells})}
    head = "".join(f'<th scope="col">{year}</th>' for year in years)
    body = "".join(
        f'<tr><th scope="row" title="{html.escape(region)}">{html.escape(region)}</th>'
        + "".join(f"<td>{_box(of[year])}</td>" for year in years)
        + "</tr>"
        for region, of in rows.items()
    )
    return f'<div class="scroll"><table class="heat"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _box(cell: Cell) -> str:
    share = "" if cell.observed_share is None else f"{100 * cell.observed_share:.0f} %"
    words = (
        f"{cell.region} {cell.year}: {cell.state}"
        + (f", {share} observed" if share else "")
        + (f". {cell.because}" if cell.because else "")
    )
    inside = f'<b aria-hidden="true">{SIGNS[cell.state]}</b>{share or "&nbsp;"}'
    mark = f'class="{_class(cell.state)}" title="{html.escape(words)}" aria-label="{html.escape(words)}"'
    # what is listed below can be gone to
    return f'<a href="#{_name(cell)}" {mark}>{inside}</a>' if cell.state != "not begun" else f"<span {mark}>{inside}</span>"


def _key(counts: Mapping[CellState, int]) -> str:
    shown = [state for state in STATES if counts.get(state)]
    return '<ul class="key">' + "".join(f'<li><b class="{_class(s)}">{SIGNS[s]}</b>{s}: {STATES[s]}</li>' for s in shown) + "</ul>"


def _list(cells: Sequence[Cell]) -> str:
    begun = sorted((c for c in cells if c.state != "not begun"), key=lambda c: (c.state == "complete", c.region, c.year))
    rows = "".join(
        f'<tr id="{_name(cell)}"><td>{html.escape(cell.region)} {cell.year}</td><td>{SIGNS[cell.state]} {cell.state}</td><td>{_age(cell)}</td>'
        f"<td>{html.escape(cell.because)}{_command(cell)}</td></tr>"
        for cell in begun
    )
    head = "<tr><th>region-year</th><th>state</th><th>last run</th><th>why, and what mends it</th></tr>"
    return f'<h2>What to do</h2><div class="scroll"><table class="list"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _command(cell: Cell) -> str:
    return f"{'<br>' if cell.because else ''}<code>{html.escape(cell.mend)}</code>" if cell.mend else ""


def _age(cell: Cell) -> str:
    if cell.age_days is None:
        return "no record"
    ago = f"{24 * cell.age_days:.0f} h ago" if cell.age_days < 2 else f"{cell.age_days:.0f} d ago"
    return f'<span title="{html.escape(cell.last_run)}">{ago}</span>'


def _class(state: str) -> str:
    return f"s-{state.replace(' ', '-')}"


def _name(cell: Cell) -> str:
    return html.escape(f"{cell.region}-{cell.year}")
