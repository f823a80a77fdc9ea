"""A region of slumps is mapped with weights from a folder; other weights look again, the same ones do not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from catalog.facts.causes import State
from catalog.facts.detector_cards import DetectorCard, DetectorConfig, DetectorStatistics
from catalog.facts.options import MapOptions, SlumpOptions
from catalog.facts.records import RegionYearReport
from catalog.stores import ledger
from catalog.stores.checkpoints import write_weights
from catalog.stores.store import open_store
from catalog.stores.tables import read_provenance, read_table
from simulator.make import make
from tests.small_world import SMALLEST_TUNDRA, World

YEAR = 2021
CONFIG = DetectorConfig(
    "mvitv2_nano", ("rgb", "ndvi", "topo"), window_px=64, channels=32, head_convolutions=1, head_width=32, mask_convolutions=1, proposals=10
)
STATISTICS = DetectorStatistics(
    "a test",
    {"rgb": (0.3, 0.3, 0.3), "ndvi": (0.6,), "topo": (0.5, 0.1)},
    {"rgb": (0.1, 0.1, 0.1), "ndvi": (0.2,), "topo": (0.1, 0.1)},
)
CARD = DetectorCard("untrained", "1", "Untrained", "CC0-1.0", "nothing", "nobody", "", CONFIG, STATISTICS, 64, threshold=0.0)
OPTIONS = MapOptions(slumps=SlumpOptions(keep_score=0.0))


def weights_of_seed(seed: int, folder: Path) -> DetectorCard:
    from models.detector.network import build  # noqa: PLC0415 - torchvision takes seconds

    torch.manual_seed(seed)
    return write_weights(folder, build(CONFIG).state_dict(), CARD)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    make(SMALLEST_TUNDRA, [YEAR], root)
    return World(root)


@pytest.mark.slow
def test_weights_of_a_folder_map_slumps_and_are_their_provenance(world: World, prefect_server: None, tmp_path: Path) -> None:
    from flows.map_region import map_region  # noqa: PLC0415 - Prefect reads the environment when it is imported

    def mapped(folder: Path) -> RegionYearReport:
        return map_region(world.region, YEAR, world.catalog, str(tmp_path / "store"), str(folder), OPTIONS)

    def written(report: RegionYearReport) -> dict[str, int]:
        return {stage.stage: stage.written for stage in report.stages}

    first = weights_of_seed(1, tmp_path / "first")
    report = mapped(tmp_path / "first")
    assert not report.failures
    assert [stage.stage for stage in report.stages][-4:] == ["detect", "merge", "inventory", "counts"]
    store = open_store(str(tmp_path / "store"))
    for path in (store.inventory("slumps", "demo_arctic", YEAR), store.counts("slumps", "demo_arctic", YEAR)):
        assert read_provenance(path)["model_sha256"] == first.sha256
        assert str(read_provenance(path)["model"]).startswith("untrained 1")
    assert read_table(store.counts("slumps", "demo_arctic", YEAR)).num_rows == 1
    assert {o.state for o in ledger.find_all(store, "demo_arctic", YEAR)} <= {State.DONE, State.EMPTY}
    assert sum(written(mapped(tmp_path / "first")).values()) == 0
    second = weights_of_seed(2, tmp_path / "second")
    assert replace(second, sha256="") == replace(first, sha256="")
    assert written(mapped(tmp_path / "second"))["detect"] >= 1
