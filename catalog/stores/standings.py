"""What a store says of how much of a region-year was observed, and by which policy that is enough."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from catalog.facts.causes import State
from catalog.facts.errors import WrongCall
from catalog.facts.records import Job, Outcome, Target
from catalog.facts.seasons import season_of_region
from catalog.facts.standings import POLICIES, Policy, Standing, standing_of
from catalog.stores.files import write_if_changed
from catalog.stores.jobs import region_of, territory
from catalog.stores.store import Store

_ALL: Final = "*"
"""In place of a region: every region that has no entry of its own."""
_POLICY: Final = TypeAdapter(Policy)


def read_policy(store: Store, target: Target, region: str) -> Policy:
    """Return the policy of a region: its own, that of the store, or that of its target; raises WrongCall for a file that is wrong."""
    known = _read(store)
    fields = {"coverage_target": POLICIES[target].coverage_target, "grace_days": POLICIES[target].grace_days}
    try:
        return _POLICY.validate_python(fields | known.get(_ALL, {}) | known.get(region, {}))
    except ValidationError as error:
        raise WrongCall(
            f"{store.policy()}: not a policy ({error.errors()[0]['msg']}). Set it with `cryoatlas audit --set-target`."
        ) from error


def set_policy(store: Store, region: str | None, *, coverage_target: float | None, grace_days: int | None) -> None:
    """Set the policy of a region, or (None) of every region without one of its own; what is None stays. Raises WrongCall."""
    if coverage_target is not None and not 0 <= coverage_target <= 1:
        raise WrongCall(f"--set-target {coverage_target:g}: give the share of the ground to be observed, 0 to 1, for example 0.8.")
    if grace_days is not None and grace_days < 0:
        raise WrongCall(
            f"--set-grace-days {grace_days}: give the days after the season in which late scenes are waited for, for example 45."
        )
    known = _read(store)
    given = {"coverage_target": coverage_target, "grace_days": grace_days}
    known[region or _ALL] = known.get(region or _ALL, {}) | {name: value for name, value in given.items() if value is not None}
    write_if_changed(store.policy(), json.dumps(known, indent=1, sort_keys=True).encode())


def standing(store: Store, job: Job, outcomes: Sequence[Outcome], holes: int, today: date) -> Standing:
    """Say how a region-year stands by its records."""
    policy, season = read_policy(store, job.target, job.region), season_of_region(region_of(job), job.year)
    return standing_of(holes, observed_share(job, outcomes), policy, season.end, today)


def observed_share(job: Job, outcomes: Sequence[Outcome]) -> float | None:
    """Return the observed share of the ground that a region answers for and that can hold the target; None without any record of it."""
    states = {(o.unit.tile, o.unit.stage): o for o in outcomes}
    seen, ground, looked = 0.0, 0.0, False
    for zone in territory(job).zones:
        for tile in zone.owned:
            scenes, surface = states.get((tile.id, "scenes")), states.get((tile.id, "surface"))
            looked = looked or scenes is not None or surface is not None
            if scenes is not None and scenes.state == State.SKIPPED:
                continue
            chips = float(zone.chip_mask(tile).sum())
            ground += chips
            seen += chips * float(surface.measures.get("observed_share", 0.0)) if surface is not None else 0.0
    if not looked:
        return None
    # ground of which no part can hold the target is all that there was to see
    return seen / ground if ground else 1.0


def _read(store: Store) -> dict[str, dict[str, Any]]:
    path = store.policy()
    if not path.is_file():
        return {}
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_bytes())
    except ValueError as error:
        raise WrongCall(f"{path}: not JSON ({error}). Mend it, or delete it and set the policy again.") from error
    return found
