"""Draw docs/images/demo.png: the demo's second job, without a code and with one.

    python scripts/picture.py

It runs the job of `anyk demo` on processes of this machine, in all three ways, with the same
faults. The picture shows two of them side by side, so that it stays readable in a narrow page;
what replication made of it is in its last line.
"""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from anyk import Processes
from anyk.demo.jobs import WORKERS, gram_job
from anyk.demo.race import race, roll_call
from anyk.demo.report import picture_rows
from anyk.demo.watch import PlainWatcher
from anyk.timeline import draw_timeline

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "demo.png"
COLOURS = 256  # of the palette: a third of the bytes, and nobody sees the difference


def main() -> None:
    """Run the job and write the picture."""
    job = gram_job(np.random.default_rng([0, 2]), seconds=5.0)
    watcher = PlainWatcher(print)
    watcher.begin(job)
    results = []
    with Processes(WORKERS) as executor:
        roll_call(executor)
        for way in job.ways:
            results.append(race(job, way, executor, watcher))
            roll_call(executor, results[-1].silent)
    watcher.end()
    uncoded, replicated, coded = results
    (row,) = picture_rows([[uncoded, coded]])
    drawn = io.BytesIO()
    draw_timeline(
        [replace(row, title=job.title)],
        drawn,  # type: ignore[arg-type] # matplotlib writes in a file of any kind
        title="any k of n answers are enough",
        caption=f"Replication with the same faults: {replicated.seconds:.1f} s, "
        f"{replicated.verdict}. Run it: anyk demo",
    )
    PICTURE.parent.mkdir(exist_ok=True)
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
