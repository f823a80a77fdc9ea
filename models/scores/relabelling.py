"""A table of labels after the verdicts of an audit."""

from collections.abc import Sequence

import numpy as np
import shapely

from models.scores.true_lakes import LabelTable
from models.scores.verdicts import Ruling, redrawn_labels


def relabelled_table(table: LabelTable, rulings: Sequence[Ruling], split: str) -> LabelTable:
    """Labels after all rulings; lakes that the reviewer added are of `split`, those of which nothing is left are gone."""
    outlines, extra = np.array(table.outlines), list[tuple[Ruling, shapely.Geometry]]()
    for ruling in rulings:
        same = (table.grounds == ruling.ground) & (table.regions == ruling.region) & (table.years == ruling.year)
        places = np.flatnonzero(same)
        outlines[places], new = redrawn_labels(outlines[places], ruling)
        if new is not None:
            extra.append((ruling, new))
    kept = ~shapely.is_empty(outlines)
    columns = {
        "outlines": [new for _, new in extra],
        "ids": [f"audit-{ruling.case}" for ruling, _ in extra],
        "grounds": [ruling.ground for ruling, _ in extra],
        "regions": [ruling.region for ruling, _ in extra],
        "years": [ruling.year for ruling, _ in extra],
        "splits": [split] * len(extra),
        "classes": ["unknown"] * len(extra),
        "reasons": [""] * len(extra),
    }
    own = {name: outlines if name == "outlines" else getattr(table, name) for name in columns}
    joined = {name: np.concatenate([own[name][kept], np.array(columns[name], own[name].dtype)]) for name in columns}
    return LabelTable(**joined)
