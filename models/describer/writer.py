"""The bulletin that is always there: all that the facts of a scene support, said by rule.

It says what a describer may not invent, because no image shows it to the metre: names, areas, the place on Earth, change since the year
before. It is the floor: a describer is worth its words only where it says more that is true.
"""

from dataclasses import dataclass

from catalog.facts.scene_facts import LakeFact, SceneFacts
from models.describer.answers import LISTED, asks, description
from models.language.sentences import Claim, joined, write
from models.language.slots import Value
from models.language.verify import Verified, verified

Claims = tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What may be printed of a scene, and how it came about."""

    text: str
    written_by: str
    """`rule`, or the name of the describer whose words were used, too."""
    kept: int = 0
    corrected: int = 0
    dropped: int = 0
    """Claims of the describer that were true, that were mended, and that were left out."""


def written(facts: SceneFacts) -> Bulletin:
    """Say by rule how many lakes there are, where, how large, which stand out, what changed, and where on Earth that is."""
    claims = (*description(facts), *_measured(facts), *_named(facts), *_asked(facts, ("position", "extreme", "change")))
    return Bulletin(joined([write(claim) for claim in claims]), "rule")


def bulletin(facts: SceneFacts, answer: str, describer: str) -> Bulletin:
    """What a describer said, as far as it is true, after what is said by rule; the rule alone where nothing of it adds anything."""
    floor = written(facts)
    checked: Verified = verified(answer, facts)
    own = [sentence for sentence in _sentences(checked.text) if sentence not in floor.text]
    counts = (checked.kept, checked.corrected, checked.dropped)
    if not own:
        return Bulletin(floor.text, "rule", *counts)
    return Bulletin(f"{floor.text} {' '.join(own)}", describer, *counts)


def _sentences(text: str) -> list[str]:
    plain = text.partition(" [SEG]")[0]
    return [f"{sentence.rstrip('.')}." for sentence in plain.split(". ") if sentence]


def _measured(facts: SceneFacts) -> Claims:
    return (Claim("total_area", {"km2": facts.area_m2}),) if facts.lakes else ()


def _named(facts: SceneFacts) -> Claims:
    """Area of every named lake, and what it was the year before; of many lakes only the largest ones."""
    named = [lake for lake in facts.lakes if lake.lake_id]
    largest = sorted(named, key=lambda lake: -lake.area_m2)[:LISTED]
    return tuple(claim for lake in named if lake in largest for claim in (_area(lake), *_change(lake, facts)))


def _area(lake: LakeFact) -> Claim:
    return Claim("lake_area", {"lake_id": lake.lake_id, "km2": lake.area_m2, "place": lake.place})


def _change(lake: LakeFact, facts: SceneFacts) -> Claims:
    if facts.earlier is None or lake.area_before_m2 is None:
        return ()
    if not lake.area_before_m2:
        return (Claim("lake_new", {"lake_id": lake.lake_id, "year": facts.earlier.year}),)
    values: dict[str, Value] = {"lake_id": lake.lake_id, "before": lake.area_before_m2, "km2": lake.area_m2, "year": facts.earlier.year}
    return (Claim("lake_change", values),)


def _asked(facts: SceneFacts, families: tuple[str, ...]) -> Claims:
    return tuple(claim for ask in asks(facts) if ask.family in families for claim in ask.claims)
