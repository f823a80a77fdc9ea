"""A region is mapped with weights from a folder; other weights map it again, the same ones do not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from catalog.facts.cards import NetworkConfig, WeightsCard
from catalog.facts.options import MapOptions
from catalog.facts.records import RegionYearReport
from catalog.stores.checkpoints import write_weights
from catalog.stores.tables import read_provenance
from simulator.make import make
from tests.small_world import SMALLEST, World

YEAR = 2021
CARD = WeightsCard(
    "untrained", "1", "Untrained", "CC0-1.0", "nothing", "nobody", "", NetworkConfig(decoder="compact", detail=8), stride_px=208
)


def weights_of_seed(seed: int, folder: Path) -> WeightsCard:
    from models.segmenter.network import build  # noqa: PLC0415 - terratorch takes seconds

    torch.manual_seed(seed)
    return write_weights(folder, build(CARD.network).state_dict(), CARD)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    make(SMALLEST, [YEAR], root)
    return World(root)


@pytest.mark.slow
def test_weights_of_a_folder_map_a_region_and_are_its_provenance(world: World, prefect_server: None, tmp_path: Path) -> None:
    from flows.map_region import map_region  # noqa: PLC0415 - Prefect reads the environment when it is imported

    def mapped(folder: Path) -> RegionYearReport:
        return map_region(world.region, YEAR, world.catalog, str(tmp_path / "store"), str(folder), MapOptions())

    def segmented(report: RegionYearReport) -> int:
        return next(stage.written for stage in report.stages if stage.stage == "segment")

    first = weights_of_seed(1, tmp_path / "first")
    report = mapped(tmp_path / "first")
    assert not report.failures
    tiles = segmented(report)
    assert tiles >= 1
    provenance = read_provenance(next((tmp_path / "store" / "inventory").rglob("part.parquet")))
    assert provenance["model_sha256"] == first.sha256
    assert str(provenance["model"]).startswith("untrained 1")
    assert segmented(mapped(tmp_path / "first")) == 0
    second = weights_of_seed(2, tmp_path / "second")
    assert replace(second, sha256="") == replace(first, sha256="")
    assert segmented(mapped(tmp_path / "second")) == tiles
