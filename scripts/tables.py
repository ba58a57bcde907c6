"""Write the tables of schemes into the pages, from the rows of the catalogue.

    python scripts/tables.py

A page says where a table goes by two lines, `<!-- schemes -->` before it and `<!-- /schemes -->`
after it. Matrix products and gradient codes have tables of their own, `products` and `sums` in
place of `schemes`, and are one line each of the other.

`tests/test_catalogue.py` fails where a page has another table.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import anyk

ROOT = Path(__file__).parents[1]
COLUMNS = ("scheme", "computes", "late", "wrong", "curious", "value")
PRODUCT_COLUMNS = ("scheme", "numbers", "enough", "wrong", "curious", "when")
PRODUCTS = (
    "`matmul(A, B, executor, stragglers=S, adversaries=A, colluders=T, pieces=r)`",
    "the product of two matrices, by the cheapest of its schemes: `docs/matrix-products.md`",
    "S workers",
    "A liars are named",
    "T workers learn nothing",
    "exact of integers; floating point, with an error estimate",
)
GRADIENT_CODES = "sums of any function. One of several gradient codes: `docs/gradient-codes.md`"
NUMBERS = {"PrimeField": "integers", "Reals": "reals", "Complex": "complex"}

Row = anyk.SchemeRow | anyk.WrapperRow


def scheme_table(catalogue: Sequence[Row]) -> str:
    """The table of schemes, in Markdown."""
    told = [
        _told(row)
        for row in catalogue
        if row.solves is not anyk.MatMul
        and (not _gradient_code(row) or row.scheme is anyk.FractionalRepetition)
    ]
    return _table(COLUMNS, [*told, PRODUCTS])


def sum_table(catalogue: Sequence[Row]) -> str:
    """The table of gradient codes, in Markdown."""
    told = [_told(row, alone=True) for row in catalogue if _gradient_code(row)]
    return _table(COLUMNS, told)


def _told(row: Row, *, alone: bool = False) -> list[str]:
    words = row.words
    computes = words.computes if alone or not _gradient_code(row) else GRADIENT_CODES
    return [f"`{words.call}`", computes, words.late, words.wrong, words.curious, words.value]


def _gradient_code(row: Row) -> bool:
    """Whether it adds up any function."""
    if not isinstance(row, anyk.SchemeRow) or row.solves is not anyk.Sum:
        return False
    return all(each.problem.degree is None for each in row.examples())


def product_table(catalogue: Sequence[Row]) -> str:
    """The table of schemes for matrix products, in Markdown."""
    told = [
        [f"`{words.call}`", _numbers(row), words.late, words.wrong, words.curious, words.when]
        for row in catalogue
        for words in [row.words]
        if row.solves is anyk.MatMul
    ]
    return _table(PRODUCT_COLUMNS, told)


def _numbers(row: Row) -> str:
    """In which numbers a scheme for products computes."""
    able = getattr(row.scheme, "can", None)
    if able is None:
        return "any" if row.name == "Uncoded" else "integers, reals"
    return ", ".join(NUMBERS[kind.__name__] for kind in able.domains)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


TABLES = {"schemes": scheme_table, "products": product_table, "sums": sum_table}


def pages() -> list[Path]:
    """The pages with a table of schemes."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    texts = {path: path.read_text(encoding="utf-8") for path in found}
    return [
        path for path, text in texts.items() if any(f"<!-- {name} -->" in text for name in TABLES)
    ]


def with_table(text: str, catalogue: Sequence[Row]) -> str:
    """A page's text, its tables as the catalogue has them."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        table = f"{begin}\n\n{make(catalogue)}\n\n{end}"
        text = re.sub(f"{begin}.*?{end}", lambda _, table=table: table, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    for page in pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(with_table(text, anyk.CATALOGUE), encoding="utf-8")
