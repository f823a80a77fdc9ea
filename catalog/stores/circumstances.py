"""How a year was seen: what its scenes have in common that another year's may not."""

from collections import Counter
from typing import TypedDict

import numpy as np

from catalog.facts.bands import OFFSET_SINCE_BASELINE
from catalog.facts.records import Scene
from catalog.stores.selections import read_choices
from catalog.stores.store import Store


class Seen(TypedDict):
    """Fields of `models.outlines.timeline.Circumstances` that the scenes tell."""

    baseline: str
    sensors: str
    provider: str
    middle_day: float


def circumstances_of(store: Store, region: str, year: int) -> Seen:
    """Tell a region-year's circumstances from the scenes that were used; empty without a record of scenes.

    `baseline`: the generation of most Sentinel-2 scenes, `before 04.00` or `from 04.00 on`. `middle_day`: median day of the year of the
    Sentinel-2 scenes. A scene counts once per tile that it was used for.
    """
    path = store.scenes(region, year)
    used = [choice.scene for choice in read_choices(path) if choice.used] if path.is_file() else []
    optical = [scene for scene in used if scene.sensor == "s2"]
    days = [scene.acquired.timetuple().tm_yday for scene in optical]
    return Seen(
        baseline=_most(sorted(_generation(scene) for scene in optical if scene.baseline)),
        sensors="+".join(sorted({scene.sensor.upper() for scene in used if scene.sensor != "dem"})),
        provider="+".join(sorted({scene.provider for scene in used})),
        middle_day=float(np.median(days)) if days else float("nan"),
    )


def _generation(scene: Scene) -> str:
    since = f"{OFFSET_SINCE_BASELINE:05.2f}"
    return f"from {since} on" if scene.baseline is not None and float(scene.baseline) >= OFFSET_SINCE_BASELINE else f"before {since}"


def _most(values: list[str]) -> str:
    counts = Counter(values)
    return max(values, key=lambda value: counts[value], default="")
