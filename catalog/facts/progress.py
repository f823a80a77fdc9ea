"""How fast a run goes, and when it is expected to end: estimates from what is behind it, without a clock of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from catalog.facts.run_events import RegionYearBegan, RegionYearEnded, RunEvent, RunPlanned, StageBegan, StageEnded, UnitEnded

FIRST_GUESS: Final[Mapping[str, float]] = {
    "look": 0.10,
    "scenes": 0.02,
    "surface": 0.60,
    "segment": 0.15,
    "outline": 0.04,
    "features": 0.06,
    "inventory": 0.03,
}
"""Share of a region-year's time that a stage takes, until one region-year is behind (docs/scale.md); other stages share the rest of theirs."""
_OTHER_GUESS: Final = 0.10
_FADE: Final = 0.5
"""What a region-year weighs beside the one that ended after it: what a run does changes on the way, from current years to new ones."""
_RECENT: Final = 32
"""Units from which the pace of a stage is taken: the last ones, because neighbours are alike."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a stage goes."""

    began_s: float
    total: int
    tile_px: int = 0
    done: int = 0
    worked: int = 0
    read_bytes: int = 0
    marks_s: tuple[float, ...] = ()
    """When the last units that were worked on ended, and before them when the first began."""

    def with_unit(self, event: UnitEnded, now_s: float) -> "Pace":
        """Return the pace with one more unit; units that were current say nothing of the pace."""
        if not event.worked:
            # what comes before the first unit of work is no work either
            marks = (now_s,) if len(self.marks_s) < 2 else self.marks_s
            return replace(self, done=event.done, marks_s=marks)
        marks = ((self.marks_s or (self.began_s,)) + (now_s,))[-_RECENT - 1 :]
        return replace(self, done=event.done, worked=self.worked + 1, read_bytes=self.read_bytes + event.read_bytes, marks_s=marks)

    @property
    def units_per_s(self) -> float | None:
        """Units worked on per second, of late; None before the first."""
        if len(self.marks_s) < 2 or self.marks_s[-1] <= self.marks_s[0]:
            return None
        return (len(self.marks_s) - 1) / (self.marks_s[-1] - self.marks_s[0])

    @property
    def left_s(self) -> float | None:
        """Seconds to the end of the stage, if all units left must be worked on."""
        if self.done >= self.total:
            return 0.0
        return None if self.units_per_s is None else (self.total - self.done) / self.units_per_s

    @property
    def pixels_per_s(self) -> float | None:
        """Ground pixels per second; None where tiles have no size."""
        return None if self.units_per_s is None or not self.tile_px else self.units_per_s * self.tile_px**2

    def bytes_per_s(self) -> float | None:
        """Decoded bytes read per second, of late by the mean of a unit; None where nothing is read."""
        if self.units_per_s is None or not self.read_bytes:
            return None
        return self.units_per_s * self.read_bytes / self.worked


@dataclass(frozen=True, slots=True)
class _Year:
    """A region-year on its way."""

    began_s: float
    tile_px: int
    ended: Mapping[str, float] = field(default_factory=dict)
    """Stage -> seconds, of those behind it."""
    running: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a run stands over all its region-years, and what it learned on the way."""

    planned: int = 0
    ended: int = 0
    years: Mapping[tuple[str, int], _Year] = field(default_factory=dict)
    paces: Mapping[tuple[str, int, str], Pace] = field(default_factory=dict)
    """(region, year, stage) -> its pace, while it runs."""
    year_s: float | None = None
    """Seconds that a region-year takes, the later ones weighing more; None before the first has ended."""
    stage_s: Mapping[str, float] = field(default_factory=dict)
    """Likewise of each stage."""

    def left_s(self, now_s: float) -> float | None:
        """Seconds to the end of the run; None as long as nothing can be said."""
        whole = self._whole_s(now_s)
        waiting = max(self.planned - self.ended - len(self.years), 0)
        if whole is None or not (self.years or waiting):
            return None if self.years or waiting or not self.ended else 0.0
        running = [whole * (1 - self._share(key)) for key in self.years]
        # as many lanes as there are region-years side by side now
        return max([sum(running) / max(len(running), 1) + whole * waiting / max(len(running), 1), *running])

    def _whole_s(self, now_s: float) -> float | None:
        if self.year_s is not None:
            return self.year_s
        known = [(now_s - year.began_s) / share for key, year in self.years.items() if (share := self._share(key)) > 0]
        return sum(known) / len(known) if known else None

    def _share(self, key: tuple[str, int]) -> float:
        """How much of a region-year is behind it, by the time its stages take."""
        year, weights = self.years[key], self.stage_s or FIRST_GUESS
        total = sum(weights.values())
        done = sum(weights.get(stage, _OTHER_GUESS if not self.stage_s else 0.0) for stage in year.ended)
        pace = self.paces.get((*key, year.running))
        if pace is not None and pace.total:
            done += weights.get(year.running, 0.0) * pace.done / pace.total
        return min(done / total, 0.99) if total else 0.0


def on_course(course: Course, event: RunEvent, now_s: float) -> Course:
    """Return the course after an event at a time of any steady clock, in seconds."""
    if isinstance(event, RunPlanned):
        return replace(course, planned=course.planned + event.region_years)
    if isinstance(event, RegionYearBegan):
        return replace(course, years={**course.years, (event.region, event.year): _Year(now_s, event.tile_px)})
    return _on_year(course, event, now_s) if (event.region, event.year) in course.years else course


def _on_year(course: Course, event: RunEvent, now_s: float) -> Course:
    assert not isinstance(event, RunPlanned)
    key = (event.region, event.year)
    if isinstance(event, StageBegan):
        return _begun(course, key, event, now_s)
    if isinstance(event, UnitEnded):
        pace = course.paces.get((*key, event.stage))
        return course if pace is None else replace(course, paces={**course.paces, (*key, event.stage): pace.with_unit(event, now_s)})
    if isinstance(event, StageEnded):
        return _stage_over(course, key, event.stage, now_s)
    return _year_over(course, key, event, now_s) if isinstance(event, RegionYearEnded) else course


def _begun(course: Course, key: tuple[str, int], event: StageBegan, now_s: float) -> Course:
    year = course.years[key]
    paces = {**course.paces, (*key, event.stage): Pace(now_s, event.total, year.tile_px)}
    return replace(course, years={**course.years, key: replace(year, running=event.stage)}, paces=paces)


def _stage_over(course: Course, key: tuple[str, int], stage: str, now_s: float) -> Course:
    year, pace = course.years[key], course.paces.get((*key, stage))
    if pace is None:
        return course
    after = replace(year, ended={**year.ended, stage: now_s - pace.began_s}, running="")
    return replace(course, years={**course.years, key: after}, paces={k: p for k, p in course.paces.items() if k != (*key, stage)})


def _year_over(course: Course, key: tuple[str, int], event: RegionYearEnded, now_s: float) -> Course:
    year = course.years[key]
    years = {other: entry for other, entry in course.years.items() if other != key}
    paces = {other: pace for other, pace in course.paces.items() if other[:2] != key}
    course = replace(course, ended=course.ended + 1, years=years, paces=paces)
    if event.end == "stopped":
        return course
    stages = {**course.stage_s, **{stage: _faded(course.stage_s.get(stage), seconds) for stage, seconds in year.ended.items()}}
    return replace(course, year_s=_faded(course.year_s, now_s - year.began_s), stage_s=stages)


def _faded(known: float | None, seconds: float) -> float:
    return seconds if known is None else _FADE * known + (1 - _FADE) * seconds
