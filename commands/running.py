"""The door to the flows: Prefect takes seconds to import, so commands that run nothing never pass through it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.facts.options import MapOptions
from catalog.facts.records import RegionYearReport, StageReport, Target

if TYPE_CHECKING:
    from prefect import Flow


def run_annual(  # noqa: PLR0913 - the same form as the flow
    regions: list[str], years: list[int], catalog: str, store: str, model: str, options: MapOptions, outlines: str | None
) -> tuple[RegionYearReport, ...]:
    """Run the `annual` flow in this process."""
    from flows.annual import annual  # noqa: PLC0415 - see the module's first line

    return _quietly(annual)(regions, years, catalog, store, model, options, outlines)


def run_track(region: str, store: str, target: Target, options: MapOptions) -> StageReport:
    """Run the `track-region` flow in this process."""
    from flows.track_region import track_region  # noqa: PLC0415 - see the module's first line

    return _quietly(track_region)(region, store, target, options)


def _quietly(flow: "Flow[..., object]") -> Callable[..., object]:
    return flow
