"""How each event changes the record of a run; times and readings come in as values."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from catalog.facts.causes import State
from catalog.facts.run_events import (
    DeviceUsed,
    RegionYearBegan,
    RegionYearEnded,
    RunEvent,
    RunPlanned,
    ScenesChosen,
    StageBegan,
    StageEnded,
    UnitEnded,
)
from catalog.facts.run_records import DeviceRun, RegionYearRun, RunEnd, RunRecord, StagePhase, StageRun, Usage, cost_of, stamp

_SHOWN: Final = 20
"""Failed units that a stage names; the ledger has them all."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What a run had taken at one moment, of what only its processes know."""

    now: datetime
    cpu_s: float = 0.0
    retries: int = 0
    peak_bytes: int = 0


def after(record: RunRecord, event: RunEvent, meter: Meter) -> RunRecord:
    """Return the record with one more event; an event of a region-year or a stage that never began changes nothing."""
    if isinstance(event, RunPlanned):
        return replace(record, planned=record.planned + event.region_years)
    if isinstance(event, RegionYearBegan):
        known = tuple(entry for entry in record.region_years if (entry.region, entry.year) != (event.region, event.year))
        begun = RegionYearRun(event.region, event.year, "running", stamp(meter.now), tile_px=event.tile_px)
        return replace(record, region_years=(*known, begun))
    years = tuple(
        _in_year(entry, event, meter) if (entry.region, entry.year) == (event.region, event.year) else entry
        for entry in record.region_years
    )
    return replace(record, region_years=years)


def metered(record: RunRecord, meter: Meter) -> RunRecord:
    """Return the record as it is written: with what the run has taken so far. Later events belong to the record before this."""
    years = tuple(replace(entry, stages=tuple(_so_far(stage, meter) for stage in entry.stages)) for entry in record.region_years)
    stages = [stage for entry in years for stage in entry.stages]
    usage = Usage(
        wall_s=_since(record.began, meter),
        cpu_s=round(meter.cpu_s, 2),
        work_s=round(sum(stage.work_s for stage in stages), 2),
        gpu_s=round(sum(device.held_s for stage in stages for device in stage.devices), 2),
        read_bytes=sum(stage.read_bytes for stage in stages),
        retries=meter.retries,
        peak_bytes=meter.peak_bytes,
    )
    return replace(record, updated=stamp(meter.now), region_years=years, usage=replace(usage, cost=cost_of(usage, record.prices)))


def ended(record: RunRecord, end: RunEnd, message: str, meter: Meter) -> RunRecord:
    """Return the finished record: what was still running was stopped, and a run whose region-years did not all come through failed."""
    for entry in record.region_years:
        if entry.state == "running":
            record = after(record, RegionYearEnded(entry.region, entry.year, "stopped", message), meter)
    if end == "complete" and any(entry.state != "complete" for entry in record.region_years):
        end = "failed"
    return replace(metered(record, meter), end=end, message=message, ended=stamp(meter.now))


def _in_year(entry: RegionYearRun, event: RunEvent, meter: Meter) -> RegionYearRun:
    entry = replace(entry, wall_s=_since(entry.began, meter))
    if isinstance(event, ScenesChosen):
        return replace(entry, scenes_used=event.used, scenes_refused=event.refused)
    if isinstance(event, RegionYearEnded):
        stages = tuple(_closed(stage, "stopped", meter) for stage in entry.stages)
        return replace(entry, state=event.end, message=event.message, stages=stages)
    if isinstance(event, StageBegan):
        # what the meter says now is taken off when the stage ends
        begun = StageRun(event.stage, "running", stamp(meter.now), event.total, cpu_s=-meter.cpu_s, retries=-meter.retries)
        return replace(entry, stages=(*(stage for stage in entry.stages if stage.stage != event.stage), begun))
    if isinstance(event, UnitEnded):
        return _in_stage(entry, event.stage, lambda stage: _counted(stage, event, meter))
    if isinstance(event, DeviceUsed):
        return _in_stage(entry, event.stage, lambda stage: replace(stage, devices=(*stage.devices, _device(event))))
    assert isinstance(event, StageEnded)
    return _in_stage(entry, event.stage, lambda stage: _closed(stage, "ended" if event.finished else "stopped", meter))


def _in_stage(entry: RegionYearRun, name: str, change: Callable[[StageRun], StageRun]) -> RegionYearRun:
    return replace(entry, stages=tuple(change(stage) if stage.stage == name else stage for stage in entry.stages))


def _counted(stage: StageRun, event: UnitEnded, meter: Meter) -> StageRun:
    states = Counter(dict(stage.states)) + Counter([event.state])
    failed = (f"{event.tile}: {event.message}",) if event.state == State.FAILED and len(stage.failures) < _SHOWN else ()
    return replace(
        stage,
        states=dict(sorted(states.items())),
        worked=stage.worked + event.worked,
        current=stage.current + (not event.worked),
        work_s=round(stage.work_s + event.seconds * event.worked, 3),
        read_bytes=stage.read_bytes + event.read_bytes * event.worked,
        failures=stage.failures + failed,
        wall_s=_since(stage.began, meter),
    )


def _so_far(stage: StageRun, meter: Meter) -> StageRun:
    if stage.phase != "running":
        return stage
    return replace(
        stage, wall_s=_since(stage.began, meter), cpu_s=round(stage.cpu_s + meter.cpu_s, 2), retries=stage.retries + meter.retries
    )


def _closed(stage: StageRun, phase: StagePhase, meter: Meter) -> StageRun:
    return replace(_so_far(stage, meter), phase=phase) if stage.phase == "running" else stage


def _device(event: DeviceUsed) -> DeviceRun:
    total = event.total_s or 1.0
    return DeviceRun(
        event.device,
        round(event.held_s, 2),
        round(event.busy_s, 2),
        round(event.waiting_s, 2),
        round(event.total_s, 2),
        round(event.busy_s / total, 3),
        round(event.waiting_s / total, 3),
    )


def _since(began: str, meter: Meter) -> float:
    return round((meter.now - datetime.fromisoformat(began)).total_seconds(), 2)
