"""What the worker of `fuzz_the_wire` offers, and what it does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["gram"]


def gram(x: Any) -> Any:
    """X^T X; each run leaves a byte."""
    with (Path(os.environ["ANYK_FUZZ"]) / "ran").open("ab") as file:
        file.write(b"g")
    return x.T @ x


def hidden(*_: Any) -> Any:
    """Nobody may call this one."""
    (Path(os.environ["ANYK_FUZZ"]) / "executed").touch()
    return 0
