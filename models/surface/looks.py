"""The looks of a season at a window: read concurrently, in the order of their dates, scenes that fail set aside whole."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from catalog.facts.bands import S2_NAMES, SCL_NAME, native_resolution_m
from catalog.facts.errors import SourceBroken, SourceUnavailable
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Scene
from models.surface.clouds import LookStack
from models.surface.optical import halve, harmonise
from models.surface.window import Window

Result = TypeVar("Result")

Counts = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.uint8]
TEN_M: Final = tuple(name for name in S2_NAMES if native_resolution_m(name) == 10)
SWIR: Final = "B11"
UNCLASSIFIED: Final = 7
"""SCL's own code; for scenes delivered without a classification only the second opinion judges."""


class ReadBand(Protocol):
    """How a model gets pixels: the caller reads, so that models do no I/O."""

    def __call__(self, scene: Scene, band: str, grid: PixelGrid) -> npt.NDArray[np.generic]:
        """Return one band of a scene on a grid; raises SourceUnavailable or SourceBroken."""
        ...


class SceneLost(Exception):
    """A scene could not be read to the end; it is dropped for the whole tile, and the run goes on."""

    def __init__(self, scene: Scene, cause: Exception) -> None:  # noqa: D107
        super().__init__(f"{scene.id}: {cause}")
        self.scene = scene
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Looks:
    """What the masks need of every scene, harmonised, in the order of `scenes`."""

    scenes: tuple[Scene, ...]
    at_10m: dict[str, Counts]
    """Band -> (date, y, x), kept for the composite so that nothing is read twice."""
    at_20m: LookStack

    def without(self, scene: Scene) -> "Looks":
        """Return the looks of all other scenes."""
        keep = np.array([other.id != scene.id for other in self.scenes])
        stack = LookStack(**{entry.name: getattr(self.at_20m, entry.name)[keep] for entry in fields(LookStack)})
        kept = tuple(other for other in self.scenes if other.id != scene.id)
        return Looks(kept, {band: values[keep] for band, values in self.at_10m.items()}, stack)


@dataclass(frozen=True, slots=True)
class PendingStack:
    """A stack (date, y, x) that is being filled."""

    values: Counts
    reads: tuple[Future[None], ...]

    def wait(self) -> Counts:
        """Return the filled stack; raises SceneLost for the first scene that failed."""
        for read in self.reads:
            read.result()
        return self.values


@dataclass(slots=True)
class LookReader:
    """Reads of one window through one pool; remembers which scenes were lost."""

    read: ReadBand
    window: Window
    pool: Executor
    lost: list[Scene] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def drop(self, loss: SceneLost) -> Scene:
        """Note a lost scene and return it."""
        if loss.scene.id not in self.failed:
            self.failed[loss.scene.id] = str(loss.cause)
            self.lost.append(loss.scene)
        return loss.scene

    def read_looks(self, scenes: Sequence[Scene]) -> Looks:
        """Read the classification of all scenes, then the bands of the masks for those with data in the window.

        Scenes are taken by date, then ID, so that the order of a catalog's answer changes nothing.
        """
        ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
        classes = self._survivors(ordered, [self._submit(scene, self._read_classes) for scene in ordered])
        seen = [(scene, values) for scene, values in classes if values.any()]
        looks = self._empty_looks([scene for scene, _ in seen], [values for _, values in seen])
        fills = [self._submit(scene, partial(self._fill, looks, t)) for t, scene in enumerate(looks.scenes)]
        alive = {scene.id for scene, _ in self._survivors(looks.scenes, fills)}
        for scene in looks.scenes:
            looks = looks if scene.id in alive else looks.without(scene)
        return looks

    def start_stack(self, scenes: Sequence[Scene], needed: Sequence[bool], band: str) -> PendingStack:
        """Begin to read one band of the needed scenes at its native resolution; other dates and missing assets stay 0."""
        grid = self.window.native(native_resolution_m(band))
        values = np.zeros((len(scenes), *grid.shape), dtype=np.uint16)

        def fill(t: int, scene: Scene) -> None:
            values[t] = self.counts(scene, band, grid)

        wanted = [(t, scene) for t, scene in enumerate(scenes) if needed[t] and band in scene.assets]
        return PendingStack(values, tuple(self._submit(scene, partial(fill, t)) for t, scene in wanted))

    def counts(self, scene: Scene, band: str, grid: PixelGrid) -> Counts:
        """Read harmonised counts."""
        return harmonise(self.read(scene, band, grid).astype(np.uint16, copy=False), scene.offset_counts)

    def _read_classes(self, scene: Scene) -> Codes:
        grid = self.window.native(20)
        if SCL_NAME not in scene.assets:
            return np.full(grid.shape, UNCLASSIFIED, dtype=np.uint8)
        return self.read(scene, SCL_NAME, grid).astype(np.uint8, copy=False)

    def _empty_looks(self, scenes: Sequence[Scene], classes: Sequence[Codes]) -> Looks:
        fine, coarse = self.window.native(10).shape, self.window.native(20).shape
        at_10m = {band: np.zeros((len(scenes), *fine), np.uint16) for band in TEN_M}
        blue, green, red, nir, swir = (np.zeros((len(scenes), *coarse), np.uint16) for _ in range(5))
        tags = np.stack(classes) if classes else np.zeros((0, *coarse), np.uint8)
        return Looks(tuple(scenes), at_10m, LookStack(blue, green, red, nir, swir, tags))

    def _fill(self, looks: Looks, t: int, scene: Scene) -> None:
        """One scene's bands, one after the other: the pool works on several scenes at once."""
        halves = {"B02": looks.at_20m.blue, "B03": looks.at_20m.green, "B04": looks.at_20m.red, "B08": looks.at_20m.nir}
        for band in TEN_M:
            looks.at_10m[band][t] = self.counts(scene, band, self.window.native(10))
            halves[band][t] = halve(looks.at_10m[band][t])
        if SWIR in scene.assets:
            looks.at_20m.swir[t] = self.counts(scene, SWIR, self.window.native(20))

    def _submit(self, scene: Scene, action: Callable[[Scene], Result]) -> Future[Result]:
        return self.pool.submit(_guarded, action, scene)

    def _survivors(self, scenes: Sequence[Scene], reads: Sequence[Future[Result]]) -> list[tuple[Scene, Result]]:
        done = []
        for scene, pending in zip(scenes, reads, strict=True):
            try:
                done.append((scene, pending.result()))
            except SceneLost as loss:
                self.drop(loss)
        return done


def _guarded(action: Callable[[Scene], Result], scene: Scene) -> Result:
    try:
        return action(scene)
    except (SourceUnavailable, SourceBroken) as error:
        raise SceneLost(scene, error) from error
