"""Facts and what a describer saw to one bulletin: first what is said by rule, then what the describer adds that is true."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.facts.bulletins import RULE, Bulletin, BulletinRequest, Surroundings, Teller
from catalog.facts.scene_facts import SceneFacts
from models.describer.writer import written
from models.language.check import check


def vouched(facts: SceneFacts, focus: str = "") -> str:
    """What the rule says, after it was read back; it is made from the facts that it is checked by, so that a false claim is a fault of ours."""
    floor = written(facts, focus)
    false = [each.claim for each in check(floor, facts).judged if not each.true]
    assert not false, f"the rule said what is not so: {false}"
    return floor


def bulletin_of(
    request: BulletinRequest, region: str, facts: SceneFacts, looked: Sequence[Surroundings], teller: Teller, inventory: Mapping[str, Any]
) -> Bulletin:
    """Put a bulletin together; `inventory` is the provenance of what it rests on.

    Sentences about the scene around a lake name that scene first, since `top left` is meant of it and not of the tile or the region.
    """
    focus = request.name if request.scope == "lake" else ""
    paragraphs = [vouched(facts, focus), *(_paragraph(scene, alone=request.scope == "lake") for scene in looked if scene.added)]
    return Bulletin(
        scope=request.scope,
        name=request.name,
        region=region,
        year=facts.whereabouts.year or 0,
        text="\n".join(paragraphs),
        written_by=teller.name if len(paragraphs) > 1 else RULE,
        kept=sum(scene.kept for scene in looked),
        corrected=sum(scene.corrected for scene in looked),
        dropped=sum(scene.dropped for scene in looked),
        facts=facts.as_dict(),
        surroundings=tuple(looked),
        inventory=inventory,
        describer_sha256=teller.sha256,
        note=teller.note or _refusals(looked),
    )


def _paragraph(scene: Surroundings, *, alone: bool) -> str:
    said = " ".join(scene.added)
    return said if alone else f"Around {scene.name}: {said}"


def _refusals(looked: Sequence[Surroundings]) -> str:
    refused = [f"around {scene.name} nothing was used, since {scene.refused_because}" for scene in looked if scene.refused_because]
    return "; ".join(refused)
