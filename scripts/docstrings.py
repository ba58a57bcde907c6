"""An extension of griffe, which reads docstrings for the site: our `Example:` is its `Examples:`.

Griffe takes `Example:` for a box of running text, in which `>>>` would be quotation marks.
"""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section, so that an example is shown as code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """See griffe's events."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE
            )
            # an asterisk of a shape, (K, *out), is no mark of emphasis
            obj.docstring.value = re.sub(r"(?<=[ (])\*(?=out\b)", r"\*", obj.docstring.value)
