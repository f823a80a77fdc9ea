"""State of a training run: whole or absent, and read without running any code of its own."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from catalog.facts.errors import RecipeWrong, WeightsUnfit
from catalog.stores.files import write_atomic

STATE: Final = "state.pt"
CANDIDATES: Final = "candidates"


def put_state(folder: Path, state: dict[str, Any], fingerprint: str) -> None:
    """Write the state of a run; tensors and plain values only."""
    write_atomic(folder / STATE, _bytes({"fingerprint": fingerprint, "state": state}))


def find_state(folder: Path, fingerprint: str) -> dict[str, Any] | None:
    """Read the state of a run, or None when it never stopped; raises RecipeWrong when the folder holds another run."""
    path = folder / STATE
    if not path.is_file():
        return None
    content = _loaded(path)
    if content["fingerprint"] != fingerprint:
        raise RecipeWrong(f"{path} belongs to another recipe or other chips: choose another --out, or delete that folder to start again.")
    state: dict[str, Any] = content["state"]
    return state


def put_candidate(folder: Path, step: int, score: float, weights: Mapping[str, Tensor], *, keep: int) -> None:
    """Keep weights that were validated, and delete those that are no longer among the `keep` best."""
    content = {"step": step, "score": score, "weights": {name: value.cpu() for name, value in weights.items()}}
    write_atomic(folder / CANDIDATES / f"{step:07d}.pt", _bytes(content))
    ranked = sorted(candidates(folder), key=lambda found: (-float(found["score"]), int(found["step"])))
    for found in ranked[keep:]:
        (folder / CANDIDATES / f"{found['step']:07d}.pt").unlink(missing_ok=True)


def candidates(folder: Path) -> list[dict[str, Any]]:
    """Weights that were kept, with `step`, `score` and `weights`, in the order of their steps."""
    return [_loaded(path) for path in sorted((folder / CANDIDATES).glob("*.pt"))]


def _bytes(content: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _loaded(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise WeightsUnfit(f"{path}: cannot be read ({error}). Delete it to start this training again.") from error
    return content
