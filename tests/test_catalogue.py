"""The catalogue: one row a scheme, and all that is made of it."""

import importlib.util
from pathlib import Path

import anyk

ROOT = Path(__file__).parents[1]
specification = importlib.util.spec_from_file_location("tables", ROOT / "scripts" / "tables.py")
tables = importlib.util.module_from_spec(specification)
specification.loader.exec_module(tables)


def test_the_pages_have_the_table_of_the_catalogue():
    pages = tables.pages()
    assert pages
    for page in pages:
        text = page.read_text()
        assert text == tables.with_table(text, anyk.CATALOGUE), "run python scripts/tables.py"
