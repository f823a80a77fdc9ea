"""Words of a sample: what a reviewer does, and what the answers say."""

from collections.abc import Mapping
from typing import Any, Final

from catalog.facts.samples import Accuracy, Figure

_UNITS: Final = {"lakes": "lakes", "slumps": "thaw slumps"}


def readme_of(about: Mapping[str, Any], cases: tuple[int, int]) -> str:
    """Return the README of a sample; `cases`: features and cells."""
    what = _UNITS[about["target"]]
    return f"""A sample of {what} listed in {about["region"]} {about["year"]}, to be checked by a person.

Open sample.gpkg in QGIS over imagery of {about["year"]}, or look at the PNG of each case (three panels: true colour; the same with the
outline in question in red and others in blue; infrared, where water is black).

Layer `features`, {cases[0]} cases. Fill in `verdict`:
  correct   the outline is one of the {what}, whatever its shore
  merged    several {what} are outlined as one
  split     one of the {what} is outlined as several; say it of each
  wrong     there is none
  unsure    cannot be told; leave empty what you did not look at
Where the shore is wrong draw the right outline in the layer `redraw` with the same `case`, or write its area into `true_area_m2`.
Without either the listed area counts as right.

Layer `cells`, {cases[1]} squares of 2.24 km. Look at all of a square for {what} of at least {about["least_area_m2"]:,.0f} m2 whose middle
lies in it and that the layer `listed` has not. Draw each in the layer `missed` (or set a point and write `area_m2`), and write `yes` into
`checked`, also when nothing is missing; `unsure` when it cannot be told.

Cases are in random order: whoever stops early still has a random sample. Then:
  cryoatlas sample score {about["folder"]}

key.parquet says how likely each case was to be drawn. Do not look at it before you are done.
"""


def statement_of(accuracy: Accuracy) -> str:
    """Return a paragraph to cite."""
    figures, what = accuracy.figures, _UNITS[accuracy.target]
    said = [
        f"Of the {accuracy.listed_features:,} {what} listed in {accuracy.region} {accuracy.year} ({accuracy.listed_area_m2 / 1e6:,.3f} km2), "
        f"{_percent(figures['users_accuracy_count'])} are {what}, and {_percent(figures['users_accuracy_area'])} of the listed area is right."
    ]
    if "true_area_m2" in figures:
        said.append(
            f"{_percent(figures['producers_accuracy_count'])} of all {what} on the ground looked at are listed, with "
            f"{_percent(figures['producers_accuracy_area'])} of their area; F1 is {_share(figures['f1_count'])} by count and "
            f"{_share(figures['f1_area'])} by area. The area corrected for both is {_km2(figures['true_area_m2'])}."
        )
    answered = accuracy.answered
    said.append(
        f"Stratified random samples of {answered['features']} listed features and {answered['cells']} cells of ground were checked "
        f"({answered['features_unsure'] + answered['cells_unsure']} more could not be told, "
        f"{answered['features_unanswered'] + answered['cells_unanswered']} were not answered); estimators and 95 % intervals after Olofsson et al. 2014."
    )
    return " ".join(said)


def _percent(figure: Figure) -> str:
    return f"{100 * figure.value:.1f} % (95 % interval {100 * figure.low:.1f}-{100 * figure.high:.1f} %)"


def _share(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"


def _km2(figure: Figure) -> str:
    return f"{figure.value / 1e6:,.3f} km2 ({figure.low / 1e6:,.3f}-{figure.high / 1e6:,.3f} km2)"
