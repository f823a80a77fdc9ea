"""What data of scenes says of itself, on pages of scores."""

from collections.abc import Sequence

from catalog.facts.seen_data import SIMULATED
from catalog.stores.chips import read_card
from catalog.stores.objects import local_path


def scored_data(places: Sequence[str]) -> list[dict[str, str]]:
    """Where scenes come from and under which licence; raises ChipsUnusable where a folder holds no set of chips."""
    rows = []
    for place in places:
        card = {} if place.startswith(SIMULATED) else read_card(local_path(place))
        made = "drawn anew from their seeds" if place.startswith(SIMULATED) else str(card.get("made", ""))
        rows.append({"scenes": place, "made": made, "licence": str(card.get("licence", "none needed"))})
    return rows
