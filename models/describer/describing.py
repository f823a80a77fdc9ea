"""A describer at work on scenes of an inventory: what it is asked, and what of its answers may be printed.

Source: GLACIA, whose words are printed as they come. Here every claim is checked against the inventory, and nothing is used of a scene
where the words and the mask that they point at disagree about the number of lakes: there the network did not see what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.features import rasterize
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from catalog.facts.bulletins import Reply, Surroundings
from catalog.facts.describer_cards import DescriberCard
from catalog.facts.grids import to_lonlat
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.scene_facts import MANY, SceneFacts
from models.describer.answering import Answer, answer, lakes_drawn
from models.describer.answers import Ask, asks
from models.describer.inputs import views_of
from models.describer.network import Describer, build
from models.describer.pairs import pair_of
from models.describer.scenes import Scene, scenes_of, views_together
from models.describer.writer import additions, written
from models.language.dialogue import Dialogue
from models.language.instances import InstanceOptions, instances_of_labels
from models.language.parse import read
from models.language.tokenizer import tokenizer_of
from models.segmenter.tensors import fill, place_named

_ASKED: Final = ("describe", "refer_nearest", "extreme", "compare", "change")
MOST_COMPARED: Final = 3
"""Pairs of lakes that a describer is asked to compare."""


@dataclass(frozen=True, slots=True)
class LoadedDescriber:
    """A describer that is ready to answer."""

    card: DescriberCard
    network: Describer
    dialogue: Dialogue


@dataclass(frozen=True, slots=True)
class AskedScene:
    """A scene of an inventory with the facts that vouch for what is said of it."""

    scene: Scene
    facts: SceneFacts
    bounds_wsen: tuple[float, float, float, float]


def load(card: DescriberCard, tensors: Mapping[str, Tensor], vocabulary: str, device: str) -> LoadedDescriber:
    """Build a describer from its card and fill it; raises WeightsUnfit when they do not belong together, WrongCall for a device that is not here."""
    tokenizer: PreTrainedTokenizerFast = tokenizer_of(vocabulary)
    dialogue = Dialogue(tokenizer, card.network.vision.tokens)
    network = build(card.network, dialogue.ids, len(tokenizer))
    fill(network, tensors, where=card.name)
    return LoadedDescriber(card, network.eval().to(torch.device(place_named(device))), dialogue)


def asked_scene(
    s2: NDArray[np.uint16], dem: NDArray[np.float32], lakes: gpd.GeoDataFrame, facts: SceneFacts, grid: PixelGrid, card: DescriberCard
) -> AskedScene:
    """Put a window of a surface, s2 (12, y, x) counts and dem (y, x) metres, and the lakes of the inventory on its pixels together."""
    here = lakes[lakes["lake_id"].isin([lake.lake_id for lake in facts.lakes])]
    by_name = {str(row["lake_id"]): row for row in here.to_crs(grid.epsg).to_dict("records")}
    own = [by_name[lake.lake_id] for lake in sorted(facts.lakes, key=lambda lake: lake.number)]
    shapes = [(row["geometry"], number) for number, row in enumerate(own, 1)]
    labels = rasterize(shapes, grid.shape, transform=grid.transform, dtype="int32") if shapes else np.zeros(grid.shape, np.int32)
    options = InstanceOptions(min_area_m2=0.0, min_px=1)
    drawn = instances_of_labels(labels, [float(row["area_m2"]) for row in own], [str(row["lake_id"]) for row in own], options)
    views = views_of(s2[None], dem[None], grid.resolution_m, card.network, card.scaling)
    scene = scenes_of(views, [drawn], grid.resolution_m, [facts.scene_id], [facts.whereabouts])[0]
    left, bottom, right, top = grid.bounds_lbrt
    longitudes, latitudes = to_lonlat(grid.epsg).transform([left, right], [bottom, top])
    return AskedScene(scene, facts, (float(longitudes[0]), float(latitudes[0]), float(longitudes[1]), float(latitudes[1])))


def described(loaded: LoadedDescriber, asked: AskedScene, longest: int = 96) -> Surroundings:
    """Ask about one scene, check every claim, and keep what the rule does not say already."""
    questions = [pair_of(ask, asked.facts, 0, 0).question for ask in chosen_asks(asked.facts)]
    views = views_together([asked.scene] * len(questions))
    answers = answer(loaded.network, loaded.dialogue, views, questions, longest=longest)
    found = additions(asked.facts, tuple(each.text for each in answers), written(asked.facts))
    because = disagreement(answers[0], loaded.card.threshold)
    replies = zip(questions, answers, found.printed, strict=True)
    return Surroundings(
        name=asked.facts.scene_id,
        bounds_wsen=asked.bounds_wsen,
        replies=tuple(Reply(question, each.text, printed) for question, each, printed in replies),
        added=() if because else found.sentences,
        kept=found.kept,
        corrected=found.corrected,
        dropped=found.dropped,
        mask_iou=_overlap(answers[0], asked, loaded.card.threshold),
        refused_because=because,
    )


def chosen_asks(facts: SceneFacts) -> list[Ask]:
    """What is asked of a scene, the description first; the first few comparisons, since there can be dozens."""
    by_family: dict[str, list[Ask]] = {}
    for ask in asks(facts):
        by_family.setdefault(ask.family, []).append(ask)
    return [ask for family in _ASKED for ask in by_family.get(family, [])[:MOST_COMPARED]]


def disagreement(description: Answer, threshold: float) -> str:
    """Why a description is not to be trusted: its count and the lakes of its own mask differ; empty where they agree."""
    stated, drawn = read(description.text).count, lakes_drawn(description.mask(threshold))
    if stated is None:
        return "its description states no count"
    return "" if stated == min(drawn, MANY) else f"its description states {stated} lakes and its mask shows {drawn}"


def _overlap(description: Answer, asked: AskedScene, threshold: float) -> float:
    mask = description.mask(threshold)
    truth = asked.scene.target(range(1, len(asked.scene.lakes) + 1))[0].numpy() >= 0.5
    either = int(np.count_nonzero(mask | truth))
    return float(np.count_nonzero(mask & truth) / either) if either else float("nan")
