"""Write the table of schemes into the pages, from the rows of the catalogue.

    python scripts/tables.py

A page says where it goes by two lines, `<!-- schemes -->` before it and `<!-- /schemes -->` after
it. `tests/test_catalogue.py` fails where a page has another table.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import anyk

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- schemes -->", "<!-- /schemes -->"
COLUMNS = ("scheme", "computes", "late", "wrong", "curious", "value")

Row = anyk.SchemeRow | anyk.WrapperRow


def scheme_table(catalogue: Sequence[Row]) -> str:
    """The table of schemes, in Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for row in catalogue:
        words = row.words
        cells = (f"`{words.call}`", words.computes, words.late, words.wrong, words.curious)
        lines.append(f"| {' | '.join((*cells, words.value))} |")
    return "\n".join(lines)


def pages() -> list[Path]:
    """The pages with a table of schemes."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in found if BEGIN in path.read_text(encoding="utf-8")]


def with_table(text: str, catalogue: Sequence[Row]) -> str:
    """A page's text, its table as the catalogue has it."""
    table = f"{BEGIN}\n\n{scheme_table(catalogue)}\n\n{END}"
    return re.sub(f"{BEGIN}.*?{END}", lambda _: table, text, flags=re.DOTALL)


if __name__ == "__main__":
    for page in pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(with_table(text, anyk.CATALOGUE), encoding="utf-8")
