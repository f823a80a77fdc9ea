"""A question in plain words to the tables, the outlines and the surfaces of a store, and its answer."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from catalog.facts.ask_records import AskAnswer, AskItem, AskRequest, Opinion, Outcome, Way
from catalog.facts.attribute_queries import AttributeQuery, Unread
from catalog.facts.bulletins import RULE
from catalog.facts.feature_classes import covers, words_of
from catalog.facts.grids import PIXEL_M
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Job
from catalog.facts.referrer_cards import DEFAULT_REFERRER
from catalog.stores.asked_places import Place, features_at, grid_asked, outlines_by_name, outlines_of_year, place_asked
from catalog.stores.attribute_answers import answer_attributes, outlines_asked
from catalog.stores.jobs import mapped_tiles
from catalog.stores.report_tables import read_report_tables
from catalog.stores.scenes_of_regions import surface_on
from catalog.stores.store import Store, open_store
from catalog.stores.weights import read_referrer, shipped_names
from models.describer.region_facts import observed_share_of, year_of
from models.referrer import replies
from models.referrer.attribute_phrases import CLASS_OF, said_query, told_attributes
from models.referrer.attributes import Known, read_attributes
from models.referrer.meaning import grouped, meant
from models.referrer.references import Cell, Reference
from models.referrer.sightings import Sighting, in_degrees
from models.referrer.wording import cell_words, phrase_of, reference_of, without_cell

_LEAST_SEEN: Final = 0.5
"""Share of a scene that must have been observed for a referrer to be asked about it."""
_MOST_GROUPED: Final = 500
"""Features whose rows and clusters are worth the wait: distances of all shores to each other are needed."""
_log = logging.getLogger("cryoatlas.progress")


def answer_question(request: AskRequest, store: str) -> AskAnswer:
    """Answer a question to a store, which needs no orchestrator; words that cannot be read, or mean several things, are asked back.

    Raises WrongCall for what the store does not hold, WeightsUnfit or WeightsMissing for a referrer that cannot be used.
    """
    opened = open_store(store)
    place = place_asked(opened, request)
    answer = _answered(opened, place, request)
    if answer.outcome in ("unreadable", "unknown"):
        return answer
    tables = read_report_tables(opened, place.region)
    grid = None if place.tile is None else grid_asked(opened, place, answer.year)
    share, whole = observed_share_of(tables, answer.year, grid), year_of(tables, answer.year).provenance.get("complete", True)
    return replace(answer, text=answer.text + replies.told_of_ground(answer.year, share, complete=whole is not False))


def _answered(opened: Store, place: Place, request: AskRequest) -> AskAnswer:
    empty = AskAnswer(request.words, place.region, place.tile, request.year or place.years[-1], "unreadable", "attributes", "")
    known = Known(place.target, place.years, request.year)
    query = read_attributes(request.words, known)
    if isinstance(query, AttributeQuery):
        return _by_tables(opened, place, query, empty)
    # `frozen lakes` are all of them
    reference = reference_of(request.words) or reference_of(f"all {request.words}")
    if reference is None:
        words, cell = without_cell(request.words)
        rest = query if cell is None else read_attributes(words, known)
        return _by_tables(opened, place, rest, empty, cell) if isinstance(rest, AttributeQuery) else _back(rest if cell else query, empty)
    if not covers(reference.noun, CLASS_OF[place.target]):
        return _by_sight_alone(opened, place, request, reference, empty)
    return _by_rule(opened, place, request, reference, empty)


def _back(unread: Unread, empty: AskAnswer) -> AskAnswer:
    outcome: Outcome = "ambiguous" if unread.ambiguous else "unreadable"
    return replace(empty, outcome=outcome, text=replies.asked_back(empty.words, unread.text))


def _by_tables(store: Store, place: Place, query: AttributeQuery, empty: AskAnswer, cell: Cell | None = None) -> AskAnswer:
    year, kind = query.year or empty.year, CLASS_OF[place.target]
    if query.target != place.target:
        words = f"{place.region} is an inventory of {place.target}, and knows nothing of {words_of(CLASS_OF[query.target]).many}."
        return replace(empty, outcome="unknown", text=words)
    names = None
    if cell is not None:
        everything = outlines_by_name(store, place, outlines_asked(store, place.region, query, place.tile))
        names = replies.names_within(grid_asked(store, place, year), everything, cell)
    found = answer_attributes(store, place.region, query, place.tile, names)
    outlines = outlines_by_name(store, place, {(row["feature_id"], row["year"]) for row in found.rows})
    return replace(
        empty,
        year=year,
        outcome="found" if found.rows else "none",
        text=told_attributes(query, place.words, len(found.rows), found.number, (found.small, found.incomparable), cell),
        items=replies.items_of_rows(found.rows, outlines, kind),
        read_as=said_query(query) if cell is None else f"{said_query(query)} {cell_words(cell)}",
        number=None if query.asks == "list" else found.number,
        sql=found.statement.sql,
        parameters=found.statement.parameters,
    )


def _by_rule(store: Store, place: Place, request: AskRequest, reference: Reference, empty: AskAnswer) -> AskAnswer:
    """Among the features of the inventory, which was vouched for; a referrer that is named tells what it sees beside it."""
    way: Way = "rule"
    frame, kind = features_at(store, place, empty.year), CLASS_OF[place.target]
    if grouped(reference) and len(frame) > _MOST_GROUPED:
        text = f"{len(frame)} {words_of(kind).many} are too many to be told apart by rows and clusters: ask about one tile with --tile."
        return replace(empty, outcome="ambiguous", way=way, text=text, read_as=phrase_of(reference))
    grid = grid_asked(store, place, empty.year)
    own = meant(phrase_of(reference), replies.features_of_frame(grid, frame, kind))
    items = replies.items_of_features(own.numbers, frame, kind, empty.year)
    text = replies.told_by_rule(own, len(items), f"{place.words} in {empty.year}")
    answer = replace(empty, outcome=own.outcome, way=way, text=text, items=items, read_as=phrase_of(reference))
    if request.model in (None, RULE):
        return answer
    opinion, note = _opinion(store, place, request, reference, grid, empty.year)
    if opinion is None:
        return replace(answer, note=note)
    return replace(answer, opinion=replace(opinion, text=f"{opinion.text} {replies.agreement(items, opinion.items, opinion.model)}"))


def _by_sight_alone(store: Store, place: Place, request: AskRequest, reference: Reference, empty: AskAnswer) -> AskAnswer:
    """Of a class that the inventory does not know."""
    many = words_of(reference.noun).many
    unknown = f"The inventory of {place.region} is one of {place.target} and does not know {many}"
    asked = replace(empty, outcome="unknown", way="sight", read_as=phrase_of(reference))
    if request.model == RULE:
        return replace(asked, text=f"{unknown}; a referrer may see them: name one with --model.")
    opinion, note = _opinion(store, place, request, reference, grid_asked(store, place, empty.year), empty.year)
    if opinion is None:
        return replace(asked, text=f"{unknown}; {note}.", note=note)
    outcome: Outcome = "none" if not opinion.items else "found" if reference.relation == "all" or len(opinion.items) == 1 else "ambiguous"
    return replace(asked, outcome=outcome, text=opinion.text, items=opinion.items, opinion=opinion)


def _opinion(
    store: Store, place: Place, request: AskRequest, reference: Reference, grid: PixelGrid, year: int
) -> tuple[Opinion | None, str]:
    """What a referrer draws of a phrase in all scenes of a place, or why none can be asked."""
    if not any(store.cube(place.region, year, 0).parent.glob("*.zarr")):
        return None, f"the store holds no surface of {place.region} {year}, so that no referrer could look at it"
    name = request.model or DEFAULT_REFERRER
    if name == DEFAULT_REFERRER and name not in shipped_names():
        return None, f"no {name} comes with this version; give --model a folder of `cryoatlas train refer`"
    # an answer by rule must not wait ten seconds for torch and transformers
    from models.referrer import loading, seeing  # noqa: PLC0415 - see above

    card, tensors, vocabulary = read_referrer(name, Path(request.cache) if request.cache else None)
    loaded = loading.load(card, tensors, vocabulary, request.device or "auto")
    drawn: dict[int, list[Sighting]] = {}
    scenes = 0
    for window in _windows(store, place, year, card.ground_m):
        surface = surface_on(store, place.region, year, window, ("s2", "cause"))
        if surface is None or float((surface["cause"] == 0).mean()) < _LEAST_SEEN:
            continue
        scenes += 1
        drawn.setdefault(window.epsg, []).extend(seeing.drawn_in(loaded, surface["s2"], reference.noun, window))
        _log.info("%s: scene %d looked at", place.words, scenes)
    found = in_degrees(drawn)
    own = meant(phrase_of(reference), replies.features_of_sightings(grid, found, reference.noun))
    inventory = outlines_of_year(store, place, year)
    items: tuple[AskItem, ...] = replies.items_of_sightings(
        [found[number - 1] for number in own.numbers], inventory, reference.noun, year, grid.epsg
    )
    return Opinion(card.name, card.sha256, replies.told_by_sight(own, items, scenes, card.name), items, scenes), ""


def _windows(store: Store, place: Place, year: int, ground_m: float) -> Iterator[PixelGrid]:
    """Scenes as wide as those that a referrer learned from, side by side over the tiles that are asked about."""
    side = round(ground_m / PIXEL_M)
    for tile in mapped_tiles(Job(place.region, year, place.target, str(store.root))):
        if place.tile not in (None, tile.id):
            continue
        left, _, _, top = tile.bounds_lbrt
        for row in range(0, tile.size_px, side):
            for column in range(0, tile.size_px, side):
                yield PixelGrid(tile.epsg, float(left + column * PIXEL_M), float(top - row * PIXEL_M), float(PIXEL_M), side, side)
