"""Models by name or by their weights; nothing heavy is imported for a model without weights."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.cards import TERRAMIND, NetworkConfig, Statistics, WeightsCard, check_statistics
from catalog.facts.errors import UnknownModel, WeightsMissing, WeightsUnfit, WrongCall
from models.segmenter.contract import Segmenter, WindowBatch
from models.segmenter.registry import ReadWeights, is_name, model_named

CARD = WeightsCard("mine", "7", "Mine", "CC0-1.0", "nothing", "nobody", "a" * 64, NetworkConfig())


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    from models.segmenter.network import build  # noqa: PLC0415 - terratorch takes seconds

    torch.manual_seed(1)
    return dict(build(CARD.network).state_dict())


def reader(card: WeightsCard, tensors: dict[str, torch.Tensor]) -> ReadWeights:
    return lambda _: (card, tensors)


def test_weights_become_a_model_that_answers_every_pixel(tensors: dict[str, torch.Tensor]) -> None:
    model = model_named("./somewhere", reader(CARD, tensors))
    assert isinstance(model, Segmenter)
    assert (model.name, model.sha256, model.licence) == ("mine", "a" * 64, "CC0-1.0")
    s2 = np.random.default_rng(1).integers(1, 5000, (1, 12, 224, 224)).astype(np.uint16)
    said = model.predict(WindowBatch(np.zeros((1, 2), np.int64), np.zeros((1, 224, 224), np.uint8), s2))
    assert said.answer.shape == (1, 224, 224)
    assert np.isfinite(said.answer).all()


def test_tensors_that_do_not_fit_the_card_are_named(tensors: dict[str, torch.Tensor]) -> None:
    lacking = {name: tensor for name, tensor in tensors.items() if not name.startswith("neck.")} | {"stranger": torch.zeros(1)}
    lacking["encoder.encoder_norm.weight"] = torch.zeros(384)
    message = r"Weights mine do not fit .*missing \(neck\..*encoder_norm\.weight is \(384,\), expected \(192,\).*1 unexpected \(stranger\)"
    with pytest.raises(WeightsUnfit, match=message):
        model_named("./somewhere", reader(CARD, lacking))


def test_statistics_in_other_units_never_reach_a_network(tensors: dict[str, torch.Tensor]) -> None:
    scaled = replace(TERRAMIND, s2_mean=tuple(mean / 1e4 for mean in TERRAMIND.s2_mean))
    with pytest.raises(WeightsUnfit, match="Card mine: its statistics"):
        model_named("./somewhere", reader(replace(CARD, statistics=scaled), tensors))


@pytest.mark.parametrize("config", [NetworkConfig(modalities=("S2L2A", "S3")), NetworkConfig(taps=(1, 2))])
def test_a_card_of_a_network_that_cannot_be_built_is_refused(tensors: dict[str, torch.Tensor], config: NetworkConfig) -> None:
    with pytest.raises(WeightsUnfit, match="Card mine describes no network that can be built"):
        model_named("./somewhere", reader(replace(CARD, network=config), tensors))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_device_that_is_not_here_is_refused(tensors: dict[str, torch.Tensor]) -> None:
    with pytest.raises(WrongCall, match="Device 'cuda' was asked for and is not here"):
        model_named("./somewhere", reader(CARD, tensors), device="cuda")
    assert model_named("./somewhere", reader(CARD, tensors), device="auto").name == "mine"


def nothing_there(reference: str) -> tuple[WeightsCard, dict[str, torch.Tensor]]:
    raise WeightsMissing(f"{reference} is not here")


@pytest.mark.parametrize(("name", "near"), [("indizes", "indices"), ("lakes-tyni", "lakes-tiny")])
def test_a_misspelt_name_gets_the_nearest_of_all_models(name: str, near: str) -> None:
    with pytest.raises(UnknownModel, match=f"did you mean '{near}'"):
        model_named(name, nothing_there, shipped=("lakes-tiny",))


@pytest.mark.parametrize("reference", ["./lakes-tiny", "hf://a/b/c.safetensors", "w.safetensors", "~/w"])
def test_a_reference_is_left_to_the_reader(reference: str) -> None:
    assert not is_name(reference)
    with pytest.raises(WeightsMissing):
        model_named(reference, nothing_there)


def test_a_model_without_weights_imports_neither_torch_nor_terratorch() -> None:
    program = (
        "import sys; from models.segmenter.registry import model_named; import catalog.stores.weights, commands.main;"
        "model_named('indices'); sys.exit(str([name for name in ('torch', 'terratorch', 'prefect') if name in sys.modules] or ''))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == ""


WRONG: list[tuple[dict[str, object], str]] = [
    ({"s2_mean": tuple(mean / 1e4 for mean in TERRAMIND.s2_mean)}, r"as reflectance has in 0\.\.1, counts"),
    ({"s2_mean": TERRAMIND.s2_mean[:11]}, "11 S2 means, there are 12 bands"),
    ({"s2_std": (*TERRAMIND.s2_std[:11], 0.0)}, "not positive"),
    ({"s2_std": (*TERRAMIND.s2_std[:11], float("nan"))}, "not positive"),
    ({"s2_bands": tuple(reversed(TERRAMIND.s2_bands))}, "S2 bands are in the order B12 B11"),
    ({"s1_mean": (0.09, 0.02), "s1_std": (0.1, 0.02)}, "dB is expected"),
    ({"s1_mean": (-20.293, -12.599)}, "wrong order"),
    ({"s1_bands": ("VH", "VV")}, "S1 bands are in the order VH VV"),
    ({"dem_mean": 0.67, "dem_std": 0.95}, "metres are expected"),
]


@pytest.mark.parametrize(("changes", "told"), WRONG)
def test_statistics_of_other_bands_or_units_are_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(WeightsUnfit, match=told):
        check_statistics(replace(TERRAMIND, **changes), where="Card x")  # type: ignore[arg-type]


def test_statistics_of_the_coast_and_of_snow_are_not_refused() -> None:
    tundra: Statistics = replace(TERRAMIND, dem_mean=12.0, dem_std=9.0, s1_mean=(-17.0, -26.0))
    check_statistics(tundra, where="tundra")
    check_statistics(replace(TERRAMIND, s2_mean=(9000.0,) * 12), where="snow")
