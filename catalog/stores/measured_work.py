"""What the finished units of a store took, in CPU seconds where the records of its runs tell them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from catalog.facts.causes import COMPLETE_STATES
from catalog.facts.cost_fits import Measured, ModelWork, Work
from catalog.facts.grids import CHIP_PX
from catalog.facts.records import Outcome
from catalog.facts.run_records import RegionYearRun, RunRecord, StageRun
from catalog.facts.unit_costs import SHIPPED, ModelCost
from catalog.stores.files import size_in

_MODEL_STAGES: Final = ("segment", "detect")
_FEATURE_STAGES: Final = ("features", "merge")
"""They find the features of a region-year, and say how many."""
_REGION_STAGES: Final = (*_FEATURE_STAGES, "inventory", "counts")
_TIMED: Final = ("look", "surface", "outline", *_MODEL_STAGES, *_REGION_STAGES)
"""Stages that a plan reckons with; tracks and pictures are drawn of all years at once."""
_OBSERVED_ARRAYS: Final = ("s2", "looks", "day")
"""Arrays of a cube whose files grow with what was observed."""

Place = tuple[str, int]
"""Region and year."""
Stage = tuple[str, int, str]
"""Region, year and stage."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Stages that a run did from end to end, with nothing beside them: only of these do the CPU seconds belong to their units."""

    stages: Mapping[Stage, StageRun]
    """Of several the last."""
    first: frozenset[Place]
    """Region-years that were the first of their process, which compiled and loaded for all that came later."""

    def cpu_share(self, outcome: Outcome) -> float:
        """CPU seconds per second of a unit, by the run that did it, or else by the others; 1 where no record tells."""
        unit = outcome.unit
        own = self.stages.get((unit.region, unit.year, unit.stage))
        if own is not None:
            return own.cpu_s / own.work_s
        others = [run.cpu_s / run.work_s for (_, _, stage), run in self.stages.items() if stage == unit.stage]
        return median(others) if others else 1.0


def runs_of(records: Iterable[RunRecord]) -> Runs:
    """Return what can be trusted of records, given the last begun first."""
    stages: dict[Stage, StageRun] = {}
    first = set[Place]()
    for record in reversed(list(records)):
        years = sorted(record.region_years, key=lambda run: run.began)
        first |= {(year.region, year.year) for year in years[:1] if any(stage.worked for stage in year.stages)}
        for year in (year for year in years if not _beside_another(year, years)):
            stages |= {(year.region, year.year, stage.stage): stage for stage in year.stages if _tells(stage)}
    return Runs(stages, frozenset(first))


def _tells(stage: StageRun) -> bool:
    # the choice of scenes is not timed unit by unit
    return stage.phase == "ended" and stage.worked > 0 and stage.cpu_s > 0 and (stage.work_s > 0 or stage.stage == "scenes")


def _beside_another(year: RegionYearRun, all_years: Sequence[RegionYearRun]) -> bool:
    """Whether a process was at work on two region-years at once, whose CPU seconds it cannot tell apart."""

    def span(run: RegionYearRun) -> tuple[datetime, datetime]:
        began = datetime.fromisoformat(run.began)
        return began, began + timedelta(seconds=run.wall_s)

    began, ended = span(year)
    return any(other is not year and span(other)[0] < ended and began < span(other)[1] for other in all_years)


def finished(units: Iterable[Outcome]) -> list[Outcome]:
    """Leave out units that failed, and units that will be done again: their seconds are not those of work that was done."""
    return [outcome for outcome in units if outcome.state in COMPLETE_STATES and outcome.fingerprint]


def warmed_up(units: Sequence[Outcome], runs: Runs, targets: Mapping[str, str]) -> list[Outcome]:
    """Leave out first region-years of a process wherever the same target has others; `targets` by region."""
    warm = {targets[o.unit.region] for o in units if o.unit.stage == "surface" and (o.unit.region, o.unit.year) not in runs.first}
    return [o for o in units if targets[o.unit.region] not in warm or (o.unit.region, o.unit.year) not in runs.first]


def measured_of(units: Iterable[Outcome], runs: Runs) -> Measured:
    """Return what finished units took."""
    by_stage: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in finished(units):
        by_stage[outcome.unit.stage].append(outcome)
    surfaces = [o for o in by_stage["surface"] if o.read_bytes]
    shares = [runs.cpu_share(o) for o in surfaces]
    return Measured(
        looks=[Work(o.seconds * runs.cpu_share(o), _scenes(o)) for o in by_stage["look"]],
        surfaces=[Work(o.seconds * share, o.read_bytes / 1e9) for o, share in zip(surfaces, shares, strict=True)],
        outlines=[Work(o.seconds * runs.cpu_share(o), 1) for o in by_stage["outline"]],
        choices=[Work(run.cpu_s, run.total) for (_, _, stage), run in runs.stages.items() if stage == "scenes" and run.total],
        features=_features(by_stage, runs),
        models=_models(by_stage, runs),
        ground=[Work(_stored(o, optical=False), _ground_px(o)) for o in surfaces] + [Work(_stored(o), 0) for o in _answers(by_stage)],
        observed=[Work(_stored(o, optical=True), _ground_px(o) * o.measures.get("observed_share", 0.0)) for o in surfaces],
        wall_share=1 / median(shares) if shares else 1.0,
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """What one region-year took, to stand beside its plan."""

    tiles: int
    """Looked at."""
    read_bytes: int
    stored_bytes: float
    """Of cubes and of the model's answers."""
    windows: float
    cpu_s: float
    """Of all stages."""


def taken_by(units: Iterable[Outcome], runs: Runs) -> Taken:
    """Sum up the finished units of one region-year."""
    done = finished(units)
    stages = {(o.unit.region, o.unit.year, o.unit.stage) for o in done}
    kept = [o for o in done if o.unit.stage in ("surface", "outline", *_MODEL_STAGES)]
    return Taken(
        tiles=sum(o.unit.stage == "look" for o in done),
        read_bytes=sum(o.read_bytes for o in done),
        stored_bytes=sum(map(_stored, kept)),
        windows=sum(windows_in(o) for o in done if o.unit.stage in _MODEL_STAGES),
        cpu_s=sum(o.seconds * runs.cpu_share(o) for o in done if o.unit.stage in _TIMED)
        + sum(runs.stages[stage].cpu_s for stage in stages if stage[2] == "scenes" and stage in runs.stages),
    )


def _scenes(look: Outcome) -> float:
    return float(sum(name.startswith("clear:") for name in look.measures))


def windows_in(outcome: Outcome) -> float:
    """Windows that a model saw for a unit."""
    return float(outcome.measures.get("windows_predicted", outcome.measures.get("windows", 0.0)))


def _answers(by_stage: Mapping[str, Sequence[Outcome]]) -> list[Outcome]:
    return [o for stage in (*_MODEL_STAGES, "outline") for o in by_stage.get(stage, [])]


def _stored(outcome: Outcome, *, optical: bool | None = None) -> float:
    """Bytes of a unit's products; of a surface those of the arrays that grow with what was observed, or the others."""
    return float(
        sum(
            size_in(promise)
            for path, promise in outcome.outputs.items()
            if optical is None or (path.partition(".zarr/")[2].partition("/")[0] in _OBSERVED_ARRAYS) == optical
        )
    )


def _ground_px(surface: Outcome) -> float:
    return float(bin(int(str(surface.inputs["chips"]), 16)).count("1") * CHIP_PX**2)


def features_per_mpx(units: Iterable[Outcome], otherwise: float) -> float:
    """Lakes or slumps on a megapixel of mapped ground; `otherwise` where none was mapped."""
    done = finished(units)
    features = sum(o.measures.get("features", 0.0) for o in done if o.unit.stage in _FEATURE_STAGES)
    mapped = sum(_ground_px(o) for o in done if o.unit.stage == "surface") / 1e6
    return features / mapped if mapped and any(o.unit.stage in _FEATURE_STAGES for o in done) else otherwise


def _features(by_stage: Mapping[str, Sequence[Outcome]], runs: Runs) -> list[Work]:
    """Per region-year, what its features took in all stages that go over them."""
    seconds, counts = defaultdict[Place, float](float), dict[Place, float]()
    for outcome in (o for stage in _REGION_STAGES for o in by_stage.get(stage, [])):
        place = outcome.unit.region, outcome.unit.year
        seconds[place] += outcome.seconds * runs.cpu_share(outcome)
        if outcome.unit.stage in _FEATURE_STAGES:
            counts[place] = outcome.measures.get("features", 0.0)
    return [Work(seconds[place], count) for place, count in counts.items()]


def _models(by_stage: Mapping[str, Sequence[Outcome]], runs: Runs) -> list[ModelWork]:
    """What each model did whose windows are known here."""
    by_name: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in (o for stage in _MODEL_STAGES for o in by_stage.get(stage, [])):
        by_name[str(outcome.inputs.get("model", "")).partition(" ")[0]].append(outcome)
    return [_model(name, SHIPPED.models[name], units, runs) for name, units in sorted(by_name.items()) if name in SHIPPED.models]


def _model(name: str, known: ModelCost, units: Sequence[Outcome], runs: Runs) -> ModelWork:
    cost = replace(known, sha256=str(units[0].inputs.get("model_sha256", "")))
    windows: dict[Stage, list[Work]] = defaultdict(list)
    for outcome in units:
        stage = outcome.unit.region, outcome.unit.year, outcome.unit.stage
        windows[stage].append(Work(outcome.seconds * runs.cpu_share(outcome), windows_in(outcome)))
    on_gpu = {stage: seconds for stage in windows if stage in runs.stages and (seconds := _busy_s(runs.stages[stage])) is not None}
    return ModelWork(
        name,
        cost,
        [work for stage, done in windows.items() if stage not in on_gpu for work in done],
        [Work(seconds, sum(work.amount for work in windows[stage])) for stage, seconds in on_gpu.items()],
    )


def _busy_s(run: StageRun) -> float | None:
    """Seconds in which a GPU was at work; None on a CPU."""
    busy = [device.busy_s for device in run.devices if device.device.startswith("cuda")]
    return sum(busy) if busy else None
