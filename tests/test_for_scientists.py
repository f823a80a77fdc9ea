"""Every piece of code in docs/for_scientists.md runs, and what it shows is there."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import geopandas as gpd
import pytest

from commands.main import run
from tests.made_store import REGION, YEARS, made_store
from tests.publishing import publish

PAGE = Path(__file__).resolve().parents[1] / "docs" / "for_scientists.md"
BLOCKS = [
    (language, code.replace("demo_hma", REGION))
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a store and a release of it."""
    root = tmp_path_factory.mktemp("science")
    publish(made_store(root / "store"), root / "public")
    return root


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def numbered(language: str) -> list[str]:
    return [code for written, code in BLOCKS if written == language]


def test_every_block_is_in_a_language_that_is_run_here():
    assert {language for language, _ in BLOCKS} == {"python", "sql", "sh"}


@pytest.mark.parametrize("number", range(len(numbered("python"))))
def test_python_runs_and_shows_something(folder, number, capsys):
    code = compile(numbered("python")[number], PAGE.name, "exec")
    with inside(folder):
        exec(code, {})  # noqa: S102 - our own page
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("number", range(len(numbered("sql"))))
def test_sql_runs(folder, number):
    with inside(folder):
        for statement in filter(str.strip, numbered("sql")[number].split(";")):
            assert duckdb.sql(statement).columns


def test_sums_over_all_years_have_a_row_per_year(folder):
    with inside(folder):
        rows = duckdb.sql(numbered("sql")[0]).fetchall()
    assert [(region, year, lakes) for region, year, lakes, _ in rows] == [(REGION, year, 3) for year in YEARS]


def test_the_command_for_qgis_writes_a_geopackage(folder):
    with inside(folder):
        for line in filter(None, "".join(numbered("sh")).splitlines()):
            name, *arguments = shlex.split(line)
            assert name == "cryoatlas"
            with pytest.raises(SystemExit) as end:
                run(arguments)
            assert not end.value.code
        assert len(gpd.read_file("lakes.gpkg")) == 4
