"""Ground in the mountains that is easily taken for a lake: dark rock, wet moraine, dry lake beds, wet snow."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon
from shapely.strtree import STRtree

from simulator.features import Feature
from simulator.look import Look
from simulator.noise import generator
from simulator.shapes import Blob, wobble
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
HECTARES = {"dark_rock": (0.2, 8.0), "wet_moraine": (0.15, 3.0), "dry_bed": (0.3, 12.0), "wet_snow": (0.1, 4.0)}
GAP_M = 50.0
TRIES = 12


def marks_of(world: World, seed: int, lakes: Sequence[Polygon]) -> tuple[tuple[str, Polygon], ...]:
    """Place the marks that a world wants, clear of its lakes and of one another."""
    taken = list(lakes)
    marks: list[tuple[str, Polygon]] = []
    for kind, wanted in () if world.lakescape is None else world.lakescape.marks:
        rng = generator(seed, world.name, "marks", kind)
        for _ in range(wanted):
            shape = next((shape for shape in (_drawn(world, kind, rng) for _ in range(TRIES)) if _free(shape, taken)), None)
            if shape is not None:
                marks.append((kind, shape))
                taken.append(shape)
    return tuple(marks)


def mark_layers(kind: str, look: Look) -> Floats:
    """Layers of the ground of a mark."""
    if kind == "dark_rock":
        return np.asarray(0.42 * look.layers("rock"), dtype=np.float32)
    if kind == "wet_moraine":
        return np.asarray(0.5 * look.layers("moraine"), dtype=np.float32)
    return look.layers("sediment" if kind == "dry_bed" else "wet_snow")


def beds(marks: Sequence[tuple[str, Polygon]]) -> list[tuple[Feature, Polygon]]:
    """Dry lake beds, which are as level as lakes."""
    shapes = [shape for kind, shape in marks if kind == "dry_bed"]
    return [
        (Feature(f"bed-{number:02d}", "dry_bed", Blob(shape.centroid.x, shape.centroid.y, shape.area)), shape)
        for number, shape in enumerate(shapes)
    ]


def _drawn(world: World, kind: str, rng: np.random.Generator) -> Polygon:
    left, bottom, right, top = world.bounds
    low, high = np.log(HECTARES[kind])
    area = float(np.exp(rng.uniform(low, high))) * 10_000
    x, y = float(rng.uniform(left, right)), float(rng.uniform(bottom, top))
    return Blob(x, y, area, float(rng.uniform(1.0, 3.0)), float(rng.uniform(0, 180)), wobble(rng)).polygon()


def _free(shape: Polygon, taken: Sequence[Polygon]) -> bool:
    return not taken or STRtree(list(taken)).query(shape, predicate="dwithin", distance=GAP_M).size == 0
