"""`cryoatlas models`: which models there are, and what each needs and was trained on."""

from typing import Annotated

import typer

from commands.console import show_json, show_table
from models.segmenter.registry import MODELS, model_named

app = typer.Typer(no_args_is_help=True, help="List models, or show one with its input contract and citation.")


@app.command("list")
def list_models(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False) -> None:
    """List the models.

    Example: cryoatlas models list
    """
    rows = [(card.name, card.title, card.licence, card.trained_on) for card in MODELS.values()]
    if as_json:
        show_json([dict(zip(("name", "title", "licence", "trained_on"), row, strict=True)) for row in rows])
    else:
        show_table("Models", ("name", "title", "licence", "trained on"), rows)


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="A name of `cryoatlas models list`.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Show what a model needs, its version and hash, what it was trained on, and how to cite it.

    Example: cryoatlas models show indices
    """
    model = model_named(name)
    card, contract = MODELS[name], model.contract
    facts = {
        "name": model.name,
        "title": card.title,
        "version": model.version,
        "sha256": model.sha256,
        "licence": model.licence,
        "trained on": card.trained_on,
        "needs": "; ".join(
            f"{n.modality} {' '.join(n.bands)} [{n.units}]{'' if n.required else ' (optional)'}{' helped by ' + ' '.join(n.helpful) if n.helpful else ''}"
            for n in contract.needs
        ),
        "window px": contract.window_px,
        "stride px": contract.stride_px,
        "cite": card.citation,
    }
    if as_json:
        show_json(facts)
    else:
        show_table(card.title, ("what", "value"), list(facts.items()))
