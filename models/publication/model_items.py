"""A model as a STAC item by the Machine Learning Model extension, from its card."""

from collections.abc import Sequence
from typing import Any, Final

import pystac
from pystac.extensions.file import FileExtension

from catalog.facts.bands import DEM_NAME, S1_NAMES, S2_NAMES
from catalog.facts.cards import WeightsCard
from catalog.facts.detector_cards import DetectorCard, channels_of, kind_of
from catalog.facts.publication import ModelFacts, ReleasedFile

Document = dict[str, Any]
MLM_SCHEMA: Final = "https://stac-extensions.github.io/mlm/v1.4.0/schema.json"
MODELS: Final = "models"
"""Folder and ID of the collection of models."""
WORLD: Final[Document] = {
    "type": "Polygon",
    "coordinates": [[[-180.0, -90.0], [180.0, -90.0], [180.0, 90.0], [-180.0, 90.0], [-180.0, -90.0]]],
}
_PIXELS: Final = ["batch", "channel", "height", "width"]


def model_folder(name: str, version: str, sha256: str) -> str:
    """Folder of a model inside a publication, which is also the ID of its item."""
    words = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in f"{name}-{version}")
    return f"{MODELS}/{words}{f'-{sha256[:8]}' if sha256 else ''}"


def described_segmenter(card: WeightsCard) -> Document:
    """Return the MLM properties of a network that gives each pixel a probability of water."""
    numbers, side = card.statistics, card.window_px
    inputs = [
        _input("Sentinel-2 L2A", S2_NAMES, side, "reflectance x 10 000", numbers.s2_mean, numbers.s2_std),
        _input("Sentinel-1 RTC", S1_NAMES, side, "gamma0 in dB", numbers.s1_mean, numbers.s1_std),
        _input("elevation", (DEM_NAME,), side, "metres above the geoid", (numbers.dem_mean,), (numbers.dem_std,)),
    ]
    kept = [
        entry for entry, modality in zip(inputs, ("S2", "S1", "DEM"), strict=True) if any(modality in m for m in card.network.modalities)
    ]
    result = {"shape": [-1, 1, side, side], "dim_order": _PIXELS, "data_type": "float32"}
    output = {"name": "probability of water", "tasks": ["semantic-segmentation"], "result": result}
    architecture = f"{card.network.backbone} with decoder {card.network.decoder}"
    return _mlm(card.name, architecture, "semantic-segmentation", kept, output) | _trained(card.temperature, card.threshold)


def described_detector(card: DetectorCard) -> Document:
    """Return the MLM properties of a network that gives boxes, scores and masks of slumps."""
    side = card.network.network_px
    inputs = []
    for modality in card.network.modalities:
        names = tuple(f"{modality}-{index + 1}" for index in range(channels_of(modality)))
        mean, std = card.statistics.mean[kind_of(modality)], card.statistics.std[kind_of(modality)]
        inputs.append(_input(modality, names, side, "clipped to 0..1", mean, std))
    result = {"shape": [-1, 6], "dim_order": ["detection", "values"], "data_type": "float32"}
    output = {"name": "slumps", "tasks": ["instance-segmentation"], "result": result, "description": "boxes, scores and 28 x 28 masks"}
    architecture = f"{card.network.heads} R-CNN on {card.network.backbone}, fusion {card.network.fusion.kind}"
    return _mlm(card.name, architecture, "instance-segmentation", inputs, output) | _trained(1.0, card.threshold)


def described_rules(name: str, title: str) -> Document:
    """Return the MLM properties of a model without weights."""
    bands = (*S2_NAMES, *S1_NAMES, DEM_NAME)
    structure = {"shape": [len(bands), -1, -1], "dim_order": ["channel", "height", "width"], "data_type": "float32"}
    entry = {"name": "surface", "bands": list(bands), "input": structure, "description": "reflectance, gamma0 in dB, metres"}
    result = {"shape": [-1, -1], "dim_order": ["height", "width"], "data_type": "float32"}
    output = {"name": "probability of water", "tasks": ["semantic-segmentation"], "result": result}
    return _mlm(name, f"{title}; rules of the literature", "semantic-segmentation", [entry], output) | {"mlm:framework": "cryoatlas"}


def model_item(model: ModelFacts, files: Sequence[ReleasedFile]) -> Document:
    """Return the item of a model; one without a card says its name and hash only."""
    item = pystac.Item(
        id=model.folder.rpartition("/")[2],
        geometry=WORLD,
        bbox=[-180.0, -90.0, 180.0, 90.0],
        datetime=None,
        properties={
            "start_datetime": "1970-01-01T00:00:00Z",
            "end_datetime": "9999-12-31T23:59:59Z",
            "title": model.title or f"{model.name} {model.version}",
            "description": f"Trained on: {model.trained_on}"
            if model.trained_on
            else "No card of this model was at hand when it was published.",
            "version": model.version,
            "cryoatlas:model_sha256": model.sha256,
            "cryoatlas:citation": model.citation,
            **({"license": model.licence} if model.licence else {}),
            **model.description,
        },
        collection=MODELS,
    )
    bands = [{"name": name} for entry in model.description.get("mlm:input", ()) for name in entry["bands"]]
    if model.description:
        item.stac_extensions.append(MLM_SCHEMA)
        item.properties["bands"] = bands
    for file in files:
        asset = pystac.Asset(href=f"./{file.path.rpartition('/')[2]}", title=file.title, media_type=file.media_type, roles=list(file.roles))
        item.add_asset(file.key, asset)
        FileExtension.ext(asset, add_if_missing=True).apply(size=file.size, checksum=file.multihash)
        if "mlm:model" in file.roles and model.description:
            # STAC allows bands in the properties only beside bands of an asset, and MLM asks for them in the properties
            asset.extra_fields["bands"] = bands
            asset.extra_fields["mlm:artifact_type"] = "safetensors.torch.save_file" if file.path.endswith(".safetensors") else "card"
    item.links = [
        pystac.Link("root", "../../catalog.json", pystac.MediaType.JSON),
        pystac.Link("parent", "../collection.json", pystac.MediaType.JSON),
        pystac.Link("collection", "../collection.json", pystac.MediaType.JSON),
    ]
    return dict(item.to_dict(include_self_link=False, transform_hrefs=False))


def _mlm(name: str, architecture: str, task: str, inputs: list[Document], output: Document) -> Document:
    return {
        "mlm:name": name,
        "mlm:architecture": architecture,
        "mlm:tasks": [task],
        "mlm:input": inputs,
        "mlm:output": [output],
    }


def _trained(temperature: float, threshold: float) -> Document:
    return {"mlm:framework": "PyTorch", "mlm:hyperparameters": {"temperature": temperature, "threshold": threshold}}


def _input(name: str, bands: Sequence[str], side: int, unit: str, mean: Sequence[float], std: Sequence[float]) -> Document:
    return {
        "name": name,
        "bands": list(bands),
        "input": {"shape": [-1, len(bands), side, side], "dim_order": _PIXELS, "data_type": "float32"},
        "description": unit,
        "value_scaling": [{"type": "z-score", "mean": m, "stddev": s} for m, s in zip(mean, std, strict=True)],
    }
