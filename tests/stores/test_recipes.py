from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from catalog.facts.errors import RecipeWrong
from catalog.stores.recipes import read_recipe


@dataclass(frozen=True)
class Steps:
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    total: int = 10


@dataclass(frozen=True)
class Small:
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    name: str
    steps: Steps = field(default_factory=Steps)

    def __post_init__(self) -> None:
        if self.steps.total < 1:
            raise RecipeWrong("total must be 1 or more.")


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "small.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_a_recipe_is_read_with_its_defaults_and_changes(written):
    recipe = read_recipe(written("name: a"), "lakes", Small, {"steps.total": 3})
    assert recipe == Small("a", Steps(3))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: a\nstep: 1", "step"),
        ("name: a\nsteps: {total: many}", r"steps\.total"),
        ("name: a\nsteps: {total: 0}", "1 or more"),
        ("- a", "mapping"),
        ("name: [", "not YAML"),
    ],
)
def test_what_a_recipe_cannot_hold_is_named(written, text, says):
    with pytest.raises(RecipeWrong, match=says):
        read_recipe(written(text), "lakes", Small)


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(RecipeWrong, match="tiny-demo"):
        read_recipe("tiny-dmo", "lakes", Small)
