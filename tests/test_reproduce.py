import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.bench.reproduce import letcc_rows, letcc_table, networks, vision
from anyk.bench.reproduce.cache import Cache, user_directory
from anyk.bench.reproduce.catalogue import EXPERIMENTS, find
from anyk.bench.reproduce.data import Images, digits, fashion_mnist
from anyk.bench.reproduce.estimate import bootstrap, geometric_mean_ratio, mean, ratio, slope
from anyk.bench.reproduce.experiment import Claim, Experiment, Report, Setting, Table
from anyk.bench.reproduce.inference import Case, measure, replicate, tuned
from anyk.bench.reproduce.models import Model
from anyk.bench.reproduce.perform import perform, picture_path
from anyk.bench.reproduce.picture import Picture
from anyk.bench.reproduce.progress import steps
from anyk.bench.reproduce.tuning import tune
from anyk.cli import main

PNG = b"\x89PNG\r\n\x1a\n"


def test_names_are_distinct_and_found():
    names = [experiment.name for experiment in EXPERIMENTS]
    assert len(set(names)) == len(names)
    assert [find(name).name for name in names] == names
    with pytest.raises(anyk.InvalidArgument, match="letcc-convergence"):
        find("letcc")


# Estimates


def test_an_interval_of_a_mean_covers_it_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [mean(rng.exponential(size=60)) for _ in range(100)]
    assert 0.87 <= np.mean([each.low <= 1.0 <= each.high for each in found]) <= 0.99


def test_a_paired_ratio_knows_that_trials_belong_together():
    rng = np.random.default_rng(1)
    hard = rng.exponential(size=50)
    same = ratio(3.0 * hard, hard)
    assert np.allclose([same.low, same.value, same.high], 3.0)
    apart = ratio(3.0 * hard, rng.permutation(hard))
    assert apart.high - apart.low > 1.0


def test_a_geometric_mean_is_not_decided_by_a_denominator_of_zero():
    found = geometric_mean_ratio([([1.0], [0.0]), ([4.0], [4.0])], most=100.0)
    assert np.isclose(found.value, 10.0)
    found = geometric_mean_ratio([([0.0], [0.0]), ([9.0], [1.0])], most=100.0)
    assert np.isclose(found.value, 3.0)


def test_a_slope_is_that_of_the_power_law():
    rng = np.random.default_rng(2)
    sizes = [10, 30, 100, 300]
    exact = slope(sizes, [[n**-2.5] for n in sizes])
    assert np.allclose([exact.low, exact.value, exact.high], -2.5)
    noisy = slope(sizes, [n**-1.5 * rng.exponential(size=100) for n in sizes])
    assert noisy.low < -1.5 < noisy.high < -1.2


def test_nothing_measured_is_refused():
    with pytest.raises(anyk.InvalidArgument, match="at least one trial"):
        bootstrap(lambda means: means[0][:, 0], [[]])


# The frame


def an_experiment(*, holds):
    def measured(setting):
        rows = [["x", setting.trials(full=9, tiny=2)]]
        small = Claim(text="small", measured="7", holds=True)
        large = Claim(text="large", measured="8", holds=holds)
        picture = Picture(
            title="P",
            caption="c",
            size=(3.0, 2.0),
            paint=lambda figure: figure.add_axes((0.2, 0.2, 0.6, 0.6)),
        )
        table = Table(title="T", header=["a", "b"], rows=rows)
        return Report(tables=(table,), notes=("a note",), claims=(small, large), picture=picture)

    return Experiment(name="one", summary="s", source="p", measure=measured)


@pytest.mark.parametrize(("tiny", "holds"), [(False, True), (False, False), (True, False)])
def test_a_report_is_printed_judged_and_drawn(tmp_path, tiny, holds):
    printed = []
    picture = tmp_path / "p.png"
    verdict = perform(an_experiment(holds=holds), Setting(tiny=tiny), picture, write=printed.append)
    text = "\n".join(printed)
    assert verdict == (tiny or holds)
    assert f"x  {2 if tiny else 9}" in text
    assert "a note" in text
    assert ("FAILS: large; measured: 8" in text) == (not tiny and not holds)
    assert ("holds: small; measured: 7" in text) == (not tiny)
    assert ("no verdict" in text) == tiny
    assert picture.read_bytes().startswith(PNG)


def test_where_a_picture_goes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = an_experiment(holds=True)
    assert picture_path(one, None) == Path("anyk-one.png")
    assert picture_path(one, tmp_path) == tmp_path / "anyk-one.png"
    assert picture_path(one, tmp_path / "other.png") == tmp_path / "other.png"
    with pytest.raises(OSError, match="--output"):
        picture_path(one, tmp_path / "missing" / "other.png")


def test_a_setting_draws_alike_in_the_same_place_alone():
    draw = Setting(seed=3).generator(1, 2).random
    assert draw() == Setting(seed=3).generator(1, 2).random()
    assert Setting(seed=3).generator(1, 2).random() != Setting(seed=3).generator(2, 1).random()
    assert Setting(batches=4).trials(full=9, tiny=2) == 4


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_for_terminals(monkeypatch, terminal):
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", shown)
    with steps("counting", 2) as step:
        step()
        step()
    assert ("counting" in shown.getvalue()) == terminal


def test_tuning_finds_the_least_and_passes_over_what_is_refused():
    def prepare(outer):
        def score(inner):
            if inner == 1.0:
                raise anyk.InvalidArgument(
                    "smoothing", given="1", needed="less", change="Lower it."
                )
            return (outer - 2.0) ** 2 + (inner - 0.9) ** 2

        return score

    assert tune(prepare, encoder=(0.0, 2.0, 4.0), decoder=(0.0, 0.5, 1.0)) == (2.0, 0.5)


# letcc-convergence


def settled(text):
    """A report without the rows of a scheme whose probes nobody may foresee."""
    rows = text.splitlines()
    return [row for row in rows if not (row.startswith("noisy") and ": ours" in row)]


def test_convergence_says_what_it_measured(tmp_path, capsys):
    argv = ["reproduce", "letcc-convergence", "--tiny", "--output", str(tmp_path)]
    assert main(argv) == 0
    first = capsys.readouterr().out
    assert (tmp_path / "anyk-letcc-convergence.png").read_bytes().startswith(PNG)
    for text in ("noisy", "noiseless", "BACC", "LeTCC", "ours", "N=80", "S^3 N^-3"):
        assert text in first
    main(argv)
    again = capsys.readouterr().out
    assert settled(again) == settled(first)
    main([*argv, "--seed", "1"])
    assert capsys.readouterr().out != first


# Data and cache


def test_parts_of_a_data_set_share_no_picture():
    data = digits()
    parts = [data.train, data.tune, data.report]
    assert [len(part) for part in parts] == [1000, 297, 500]
    every = np.concatenate([part.pixels for part in parts])
    assert every.shape == (1797, 784)
    assert (every.min(), every.max()) == (0.0, 1.0)
    assert len(np.unique(every, axis=0)) == 1797
    assert data.digest == digits().digest


def write_idx(directory, part, count):
    rng = np.random.default_rng(count)
    pixels = rng.integers(256, size=(count, 784), dtype=np.uint8)
    labels = rng.integers(10, size=count, dtype=np.uint8)
    images = bytes(16) + pixels.tobytes()
    (directory / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (directory / f"{part}-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(bytes(8) + labels.tobytes())
    )
    return pixels, labels


def test_idx_files_are_read(tmp_path):
    train, _ = write_idx(tmp_path, "train", 7)
    test, labels = write_idx(tmp_path, "t10k", 2003)
    data = fashion_mnist(tmp_path)
    assert np.array_equal(np.rint(data.train.pixels * 255), train)
    assert np.array_equal(np.rint(data.report.pixels * 255), test[2000:])
    assert np.array_equal(data.report.labels, labels[2000:])
    assert len(data.tune) == 2000


def test_missing_or_broken_files_say_what_to_do(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"apt-get install dataset-fashion-mnist.*--fashion"
    ):
        fashion_mnist(tmp_path)
    write_idx(tmp_path, "train", 7)
    write_idx(tmp_path, "t10k", 2001)
    labels = tmp_path / "train-labels-idx1-ubyte.gz"
    whole = labels.read_bytes()
    labels.write_bytes(gzip.compress(bytes(10)))
    with pytest.raises(OSError, match=r"and 2 labels are no pictures.*--fashion"):
        fashion_mnist(tmp_path)
    for damaged in (b"no gzip", whole[:-9]):
        labels.write_bytes(damaged)
        with pytest.raises(OSError, match=r"damaged.*--fashion"):
            fashion_mnist(tmp_path)


def test_what_is_kept_is_found_by_what_produced_it(tmp_path):
    cache = Cache(tmp_path / "new")
    made = []

    def make():
        made.append(1)
        return {"x": np.full(3, len(made))}

    assert cache.get("n", {"a": 1}, make)["x"][0] == 1
    assert cache.get("n", {"a": 1}, make)["x"][0] == 1
    assert cache.get("n", {"a": 2}, make)["x"][0] == 2
    assert len(list(cache.directory.iterdir())) == 2


def plant_a_pickle(path):
    np.savez(path, x=np.array([{}], dtype=object))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b""),
        plant_a_pickle,
    ],
)
def test_a_spoilt_file_is_made_again_and_never_unpickled(tmp_path, spoil):
    cache = Cache(tmp_path)
    cache.get("n", {}, lambda: {"x": np.ones(2)})
    (path,) = tmp_path.iterdir()
    spoil(path)
    assert cache.get("n", {}, lambda: {"x": np.zeros(2)})["x"].tolist() == [0.0, 0.0]
    assert cache.get("n", {}, dict)["x"].tolist() == [0.0, 0.0]


def test_a_failure_leaves_no_file(tmp_path):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).get("n", {}, fail)
    assert not list(tmp_path.iterdir())


def test_the_user_chooses_where_things_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_directory() == tmp_path / "anyk"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert user_directory().name == "anyk"


# letcc-table


def a_model():
    """Pictures of noise, classified by a fixed random layer; the parts share nothing."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((784, 10)) / 10

    def softmax(pixels):
        scores = np.exp(pixels @ weights)
        return scores / scores.sum(axis=1, keepdims=True)

    def part():
        pixels = rng.random((40, 784))
        return Images(pixels=pixels, labels=softmax(pixels).argmax(axis=1))

    return Model(name="noise", softmax=softmax, tune=part(), report=part())


@pytest.mark.parametrize(("workers", "late"), [(4, 1), (9, 4), (12, 0)])
def test_replication_keeps_what_one_replica_answered(workers, late):
    rng = np.random.default_rng([workers, late])
    truth = rng.dirichlet(np.ones(10), size=4)
    for _ in range(20):
        answered = sorted(rng.choice(workers, workers - late, replace=False).tolist())
        value, known = replicate(truth, workers, answered)
        for block in range(4):
            alive = any(worker % 4 == block for worker in answered)
            assert known[block] == alive
            assert np.allclose(value[block], truth[block] if alive else 0.1)


def test_all_sides_meet_the_same_trials_and_nobody_late_is_no_error():
    model = a_model()
    case = Case(workers=8, blocks=4, late=0)
    counted = []
    scores = measure(model, case, (0.0, 0.0), np.random.default_rng(0), batches=3,
                     step=lambda: counted.append(1))  # fmt: skip
    assert len(counted) == 3
    assert scores.base.tolist() == [1.0, 1.0, 1.0]
    assert scores.errors["replication"].tolist() == [0.0, 0.0, 0.0]
    assert scores.hits["replication"].tolist() == [1.0, 1.0, 1.0]
    for side in ("BACC", "LeTCC", "curve", "ours"):
        assert 0.0 <= scores.errors[side].max() < 0.5
    again = measure(model, case, (0.0, 0.0), np.random.default_rng(0), batches=3, step=lambda: None)
    assert all(np.array_equal(scores.errors[side], again.errors[side]) for side in scores.errors)


def test_lambdas_are_chosen_on_other_pictures_than_are_reported():
    model = a_model()
    seen = []

    def softmax(pixels):
        seen.append(pixels)
        return model.softmax(pixels)

    alone = Model(name="tune", softmax=softmax, tune=model.tune, report=model.report[:0])
    case = Case(workers=8, blocks=4, late=2)
    found = tuned(
        alone, case, np.random.default_rng(0), batches=2, encoder=(0.0, 1e9), decoder=(0.0, 1e-6)
    )
    assert found[0] == 0.0
    assert seen


def test_claims_hold_or_fail_by_the_numbers():
    case = Case(workers=8, blocks=4, late=2)

    def claims(bacc, letcc, ours, hits):
        errors = {"BACC": bacc, "LeTCC": letcc, "curve": 1.0, "ours": ours, "replication": 1.0}
        scores = letcc_table.Scores(
            errors={side: np.array([value]) for side, value in errors.items()},
            hits={side: np.array([hits if side == "ours" else 0.8]) for side in errors},
            base=np.array([1.0]),
            lambdas=(0.0, 0.0),
        )
        row = letcc_rows.Row(make=a_model, cases=(case,), share=1.0, gain=("", ""), like="")
        measured = letcc_table._Measured(row=row, name="m", scores=[(case, scores)])
        return [claim.holds for claim in letcc_table._claims([measured])]

    assert claims(2.6, 2.1, 1.0, 0.9) == [True, True, True]
    assert claims(2.4, 1.9, 1.0, 0.8) == [False, False, True]
    assert claims(2.6, 2.1, 1.0, 0.7) == [True, True, False]


def test_the_table_from_training_to_picture(tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(letcc_rows, "vit_model", lambda *_args, **_given: a_model())
    argv = [
        "reproduce",
        "letcc-table",
        "--tiny",
        "--cache",
        str(tmp_path / "c"),
        "--output",
        str(tmp_path),
    ]
    assert main(argv) == 0
    first = capsys.readouterr().out
    for text in ("LeNet5, digits", "RepVGG, digits", "noise", "15 %", "17 %", "9 %", "(10, 6, 2)"):
        assert text in first
    assert (tmp_path / "anyk-letcc-table.png").read_bytes().startswith(PNG)
    kept = {path.name.split("-")[0] for path in (tmp_path / "c").iterdir()}
    assert kept == {"lenet5", "repvgg"}
    assert main(argv) == 0
    assert capsys.readouterr().out == first


def test_a_fused_network_is_the_same_function():
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    weights = networks.repvgg_weights(generator, (4, 6))
    for name, value in weights.items():  # as if trained
        if name.split(".")[-1] in {"scale", "shift", "mean", "var"}:
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    images = torch.rand((5, 1, 28, 28), generator=generator)
    branches = networks.repvgg(weights, images, training=False)
    fused = networks.repvgg_fused(networks.fuse(weights), images)
    assert torch.allclose(branches, fused, atol=1e-4)
    assert branches.std() > 1e-3


def test_lenet5_is_the_network_of_that_name():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    weights = networks.lenet5_weights(torch.Generator().manual_seed(0))
    assert sum(value.numel() for value in weights.values()) == 61706
    usual = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84),
        nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    with torch.no_grad():
        for theirs, ours in zip(usual.parameters(), weights.values(), strict=True):
            theirs.copy_(ours)
        images = torch.rand(3, 1, 28, 28)
        assert torch.allclose(networks.lenet5(weights, images), usual(images - 0.5), atol=1e-5)


def test_pictures_are_widened_by_interpolation():
    wide = vision._widening()
    assert wide.shape == (224, 28)
    assert np.allclose(wide.sum(axis=1), 1.0)
    line = wide @ np.arange(28.0)
    assert np.allclose(np.diff(line)[4:-4], 0.125)
