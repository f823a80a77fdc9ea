"""`cryoatlas models`: which models there are, what each needs and was trained on; and checkpoints of others made usable."""

from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from catalog.facts.cards import WeightsCard
from catalog.facts.describer_cards import DescriberCard
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.embedder_cards import EmbedderCard
from catalog.facts.options import DEFAULT_MODELS
from catalog.facts.referrer_cards import ReferrerCard
from catalog.stores.objects import local_path
from catalog.stores.weights import Card, find_card, shipped_names
from commands.cards import facts_of_describer, facts_of_detector, facts_of_embedder, facts_of_referrer, origin_of
from commands.console import say, show_json, show_table
from commands.running import run_convert
from infra.settings import read_settings
from models.segmenter.registry import MODELS, is_name, model_named

app = typer.Typer(no_args_is_help=True, help="List models, show one with its input contract and citation, or convert a checkpoint.")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("list")
def list_models(*, as_json: _Json = False) -> None:
    """List the models.

    Example: cryoatlas models list
    """
    facts = [(card.name, "lakes", card.title, card.licence, card.trained_on) for card in MODELS.values()]
    shipped = [card for card, _ in map(find_card, shipped_names())]
    facts += [(card.name, _target_of(card), card.title, card.licence, card.trained_on) for card in shipped]
    rows = [(*row, "default" if row[0] in DEFAULT_MODELS.values() else "") for row in facts]
    if as_json:
        show_json([dict(zip(("name", "maps", "title", "licence", "trained_on", "use"), row, strict=True)) for row in rows])
    else:
        show_table("Models", ("name", "maps", "title", "licence", "trained on", "use"), rows)


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="A name of `cryoatlas models list`, or weights: a folder, a file, hf://..., https://...")],
    *,
    as_json: _Json = False,
) -> None:
    """Show what a model needs, its version and hash, what it was trained on and scaled by, its scores, and how to cite it.

    Example: cryoatlas models show indices
    """
    if name in MODELS or (is_name(name) and name not in shipped_names()):
        model = model_named(name, shipped=shipped_names())  # an unknown name ends here, with the nearest right one
        title, facts = MODELS[name].title, _facts_without_weights(name, model.version, model.sha256)
    else:
        card, _ = find_card(name, read_settings().weights)
        title, facts = card.title, _facts_of(card)
    if as_json:
        show_json(facts)
    else:
        show_table(title, ("what", "value"), [(what, _told(value)) for what, value in facts.items()])


@app.command("convert")
def convert(  # noqa: PLR0913 - the options of the command
    source: Annotated[str, typer.Argument(help="A .ckpt of CryoSentinel's layout: a file, hf://..., or https://...#sha256=...")],
    out: Annotated[str, typer.Option(help="Folder to write weights.safetensors and card.json to.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the weights; products carry it.")] = "cryosentinel",
    statistics: Annotated[
        Literal["cryosentinel", "terramind"], typer.Option(help="Numbers that its inputs were scaled by.")
    ] = "cryosentinel",
    licence: Annotated[str, typer.Option(help="Licence of the weights, as SPDX writes it.")] = "Apache-2.0",
    trained_on: Annotated[str, typer.Option(help="What it was trained on; the card says so.")] = "not said by whoever converted it",
    as_json: _Json = False,
) -> None:
    """Turn a published checkpoint into safetensors and a card, without running anything that is in it.

    Example: cryoatlas models convert hf://abzal-glw/cryosentinel-terramind-v3/terramind_v3_finetune_almaty_v2/checkpoints/soup.ckpt
    --out cryosentinel --trained-on "12 regions of High Mountain Asia, 2017 to 2023"
    """
    folder = local_path(out)
    card = run_convert(source, folder, name=name, statistics=statistics, licence=licence, trained_on=trained_on)
    if as_json:
        show_json(_facts_of(card))
    else:
        show_table(card.title, ("what", "value"), [(what, _told(value)) for what, value in _facts_of(card).items()])
        say(f"Use it: cryoatlas run --model {folder if '/' in str(folder) else f'./{folder}'} ...")


def _facts_without_weights(name: str, version: str, sha256: str) -> dict[str, object]:
    card, contract = MODELS[name], MODELS[name].make().contract
    return {
        "name": name,
        "title": card.title,
        "version": version,
        "sha256": sha256,
        "licence": card.licence,
        "trained on": card.trained_on,
        "needs": "; ".join(
            f"{n.modality} {' '.join(n.bands)} [{n.units}]{'' if n.required else ' (optional)'}{' helped by ' + ' '.join(n.helpful) if n.helpful else ''}"
            for n in contract.needs
        ),
        "window px": contract.window_px,
        "stride px": contract.stride_px,
        "cite": card.citation,
    }


def _target_of(card: Card) -> str:
    if isinstance(card, DescriberCard):
        return "nothing: it describes"
    if isinstance(card, ReferrerCard):
        return "what words mean"
    if isinstance(card, EmbedderCard):
        return "nothing: it searches"
    return "slumps" if isinstance(card, DetectorCard) else "lakes"


def _facts_of(card: Card) -> dict[str, object]:
    if isinstance(card, DescriberCard):
        return facts_of_describer(card)
    if isinstance(card, ReferrerCard):
        return facts_of_referrer(card)
    if isinstance(card, EmbedderCard):
        return facts_of_embedder(card)
    return facts_of_detector(card) if isinstance(card, DetectorCard) else _facts_of_segmenter(card)


def _facts_of_segmenter(card: WeightsCard) -> dict[str, object]:
    network, scaled = card.network, card.statistics
    return {
        **origin_of(card),
        "network": f"{network.backbone}, decoder {network.decoder} of {network.channels} channels, detail {network.detail}, "
        f"{'with' if network.indices else 'without'} indices",
        "needs": ", ".join(network.modalities),
        "statistics": f"{scaled.source}: elevation {scaled.dem_mean:g} +- {scaled.dem_std:g} m, VV {scaled.s1_mean[0]:g} dB, B03 {scaled.s2_mean[2]:g}",
        "window px": card.window_px,
        "stride px": card.stride_px,
        "temperature": card.temperature,
        "best threshold": card.threshold,
        "figures": card.figures,
        "cite": card.citation,
    }


def _told(value: object) -> object:
    if isinstance(value, Mapping):
        return "; ".join(f"{what} {number:.4g}" for what, number in value.items()) or "none"
    return value
