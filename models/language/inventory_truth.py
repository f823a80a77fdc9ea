"""What no image shows and an inventory tells: names, intervals, changes and their verdicts, events, what was hidden from view."""

from collections.abc import Mapping
from typing import Final

from catalog.facts.scene_facts import MANY, LakeFact, Place, SceneFacts
from models.language.sentences import Claim

AREA_OFF_M2: Final = 500.0
"""Areas are told to 0.001 km2."""
_PERCENT_OFF: Final = 0.01
"""Shares are told in whole percent, rounded down: 99.6 percent is not all."""


def named(claim: Claim, facts: SceneFacts) -> list[LakeFact]:
    """Lakes of the name that a claim gives; names are read in lower case."""
    return [lake for lake in facts.lakes if lake.lake_id.lower() == str(claim.values["lake_id"]).lower()]


def year_before(lake: LakeFact, facts: SceneFacts) -> int | None:
    """The year that a lake is compared with."""
    return lake.year_before or (None if facts.earlier is None else facts.earlier.year)


def lake_change(claim: Claim, facts: SceneFacts) -> bool:
    """Area then and now, and since when."""
    return any(
        lake.area_before_m2 is not None
        and claim.values["year"] == year_before(lake, facts)
        and _equal(claim, {"before": lake.area_before_m2, "km2": lake.area_m2})
        for lake in named(claim, facts)
    )


def lake_new(claim: Claim, facts: SceneFacts) -> bool:
    """It was looked for then, and was not there."""
    return any(lake.area_before_m2 == 0 and claim.values["year"] == year_before(lake, facts) for lake in named(claim, facts))


def season(claim: Claim, facts: SceneFacts) -> bool:
    """The year of the scene."""
    return claim.values["year"] == facts.whereabouts.year


def unfinished(claim: Claim, facts: SceneFacts) -> bool:
    """Whether units of the inventory are missing."""
    return season(claim, facts) and not facts.complete


def observed(claim: Claim, facts: SceneFacts) -> bool:
    """Share of the ground that was observed."""
    return facts.observed_share is not None and 0 <= facts.observed_share - claim.number("percent") < _PERCENT_OFF


def unseen(claim: Claim, facts: SceneFacts) -> bool:
    """How many known lakes nobody could see."""
    stated = claim.values.get("tally", claim.values.get("lakes"))
    return stated == (facts.unseen if "tally" in claim.values else min(facts.unseen, MANY)) and season(claim, facts)


def partly(claim: Claim, facts: SceneFacts) -> bool:
    """How many listed lakes were only partly observed, or that one was."""
    if "lake_id" in claim.values:
        return season(claim, facts) and any(lake.seen_in_part for lake in named(claim, facts))
    stated = claim.values.get("tally", claim.values.get("lakes"))
    return stated == (facts.seen_in_part if "tally" in claim.values else min(facts.seen_in_part, MANY)) and season(claim, facts)


def tally(claim: Claim, facts: SceneFacts) -> bool:
    """The exact number of lakes, of all or of a quadrant, however many they are."""
    lakes = facts.within(claim.place("quadrant").quadrant) if "quadrant" in claim.values else facts.lakes
    return claim.values["tally"] == len(lakes)


def incomparable(claim: Claim, facts: SceneFacts) -> bool:
    """With which year the scene cannot be compared as a whole."""
    return claim.values["year"] == facts.incomparable_with


def lake_measured(claim: Claim, facts: SceneFacts) -> bool:
    """Area with the ends of its interval, and where."""
    return any(
        lake.low_m2 is not None
        and lake.high_m2 is not None
        and alike(lake.place, claim.place())
        and _equal(claim, {"km2": lake.area_m2, "low": lake.low_m2, "high": lake.high_m2})
        for lake in named(claim, facts)
    )


def lake_changed(claim: Claim, facts: SceneFacts) -> bool:
    """Area then and now, and what the table of changes says of it: also that it cannot say anything."""
    verdict = claim.values.get("verdict", "not_comparable")
    return any(
        lake.verdict == verdict
        and claim.values["year"] == year_before(lake, facts)
        and (verdict == "not_comparable" or _equal(claim, {"before": lake.area_before_m2 or 0.0, "km2": lake.area_m2}))
        for lake in named(claim, facts)
    )


def lake_event(claim: Claim, facts: SceneFacts) -> bool:
    """What happened to a lake, when, and whether that is an alarm."""
    stated = (str(claim.values["lake_id"]).lower(), *(claim.values[name] for name in ("event", "since", "year", "alarm")))
    return stated in {(e.lake_id.lower(), e.event, e.year_from, e.year_to, "yes" if e.alarm else "no") for e in facts.events}


def lake_missed(claim: Claim, facts: SceneFacts) -> bool:
    """A known lake that is not listed, and why."""
    wanted = (str(claim.values["lake_id"]).lower(), claim.kind == "lake_absent")
    return season(claim, facts) and wanted in {(lake.lake_id.lower(), lake.looked_for) for lake in facts.missed}


def alike(place: Place, other: Place) -> bool:
    """Two places are the same as far as both tell."""
    return place.quadrant == other.quadrant and (place.near == other.near or None in (place.near, other.near))


def _equal(claim: Claim, areas: Mapping[str, float]) -> bool:
    return all(abs(claim.number(slot) - area) <= AREA_OFF_M2 for slot, area in areas.items())
