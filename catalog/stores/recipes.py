"""Recipes of trainings in YAML: those that are shipped, and those of users."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from catalog.facts.errors import CryoatlasError, RecipeWrong

SHIPPED: Final = Path(__file__).parent.parent / "recipes"
_T = TypeVar("_T")


def shipped_recipes(target: str) -> tuple[str, ...]:
    """Names of the recipes that come with the program."""
    return tuple(sorted(path.stem for path in (SHIPPED / target).glob("*.yaml")))


def read_recipe(reference: str, target: str, kind: type[_T], changes: dict[str, Any] | None = None) -> _T:
    """Read a recipe by its shipped name or its path, with some values changed (dotted names).

    Raises RecipeWrong for a name that is not there, for YAML that is none, and for keys and values that the recipe has no place for.
    """
    path = Path(reference).expanduser()
    if path.suffix not in {".yaml", ".yml"}:
        path = SHIPPED / target / f"{reference}.yaml"
    if not path.is_file():
        near = get_close_matches(reference, shipped_recipes(target), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"shipped are {', '.join(shipped_recipes(target))}."
        raise RecipeWrong(f"No recipe {reference!r} for {target}: {hint}")
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise RecipeWrong(f"{path}: not YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(content, dict):
        raise RecipeWrong(f"{path}: a recipe is a mapping of names to values; this is {type(content).__name__}.")
    for name, value in (changes or {}).items():
        _set(content, name.split("."), value)
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise RecipeWrong(f"{path}: {wrong}.") from error
    except CryoatlasError as error:
        raise RecipeWrong(f"{path}: {error}") from error


def _set(content: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        content = content.setdefault(name, {})
        if not isinstance(content, dict):
            raise RecipeWrong(f"{name} of the recipe holds a value, not a mapping: it has no {names[-1]}.")
    content[names[-1]] = value
