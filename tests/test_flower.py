"""Secure aggregation in apps of Flower: FedAvg's result, and no vector reaches the server."""

import logging
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk import aggregation

pytest.importorskip("flwr")

from flwr.app import (
    Array,
    ArrayRecord,
    ConfigRecord,
    Context,
    Message,
    MetricRecord,
    RecordDict,
)
from flwr.app.user_config import UserConfig
from flwr.clientapp import ClientApp
from flwr.serverapp import strategy as strategies

from anyk.aggregation.flower import SecureMod, SecureStrategy, rehearse

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
from _flower_nodes import Nodes  # noqa: E402 - benchmarks are no package

sys.path.remove(str(ROOT / "benchmarks"))

CLIENTS = 5
MODEL = {
    "w": np.zeros((2, 3), np.float32),
    "b": np.zeros(3),
    "h": np.zeros(2, np.float16),
    "steps": np.array(0),
}
LENGTH = 12


def plan_of(**changes):
    return aggregation.Committee(
        **{
            "aggregators": 6,
            "length": LENGTH,
            "clients": CLIENTS,
            "numbers": anyk.FixedPoint(fraction_bits=30, magnitude=100.0),
            "colluders": 1,
            "adversaries": 1,
            "most_weight": 1000,
            "least_clients": 3,
            **changes,
        }
    )


def trained(part, server_round):
    """What a client has after a round: weights above 8 too, and its number of examples."""
    random = np.random.default_rng([part, server_round])
    arrays = {key: 9 + random.normal(size=old.shape) for key, old in MODEL.items()}
    return {k: np.asarray(v).astype(MODEL[k].dtype) for k, v in arrays.items()}, 10 + 7 * part


class Apps:
    """An app that notes what it trained, and can be told to fail, or to send something else."""

    def __init__(self, mods, gone=(), change=None):
        self.asked = []
        self.app = ClientApp(mods=mods)

        @self.app.train()
        def train(message, context):
            part = context.node_config["partition-id"]
            server_round = message.content["config"]["server-round"]
            self.asked.append((part, server_round))
            if (part, server_round) in gone:
                raise RuntimeError("gone")
            arrays, weight = trained(part, server_round)
            metrics = {"num-examples": weight, "loss": float(part)}
            if change:
                change(part, arrays, metrics)
            record = ArrayRecord({key: Array(each) for key, each in arrays.items()})
            content = RecordDict({"arrays": record, "metrics": MetricRecord(metrics)})
            return Message(content, reply_to=message)

        @self.app.evaluate()
        def evaluate(message, context):
            metrics = MetricRecord({"num-examples": 1, "part": context.node_config["partition-id"]})
            return Message(RecordDict({"metrics": metrics}), reply_to=message)


def ran(strategy, nodes, rounds=2):
    initial = ArrayRecord({key: Array(each) for key, each in MODEL.items()})
    return strategy.start(grid=nodes, initial_arrays=initial, num_rounds=rounds)


def secured(place, plan=None, inside=None, *, gone=(), change=None, parties=None, rounds=2):
    """A run of the whole of it: the result, the strategy, the nodes and the app."""
    plan = plan or plan_of()
    roster, committee = rehearse(place, plan, CLIENTS)
    apps = Apps([SecureMod(plan, rehearsal=place)], gone, change)
    nodes = Nodes(apps.app, CLIENTS)
    inside = inside or strategies.FedAvg(min_available_nodes=CLIENTS)
    strategy = SecureStrategy(inside, plan, roster, parties(committee) if parties else committee)
    return ran(strategy, nodes, rounds), strategy, nodes, apps


@pytest.mark.parametrize("kind", ["FedAvg", "FedAvgM", "FedProx", "FedAdam", "FedYogi"])
def test_the_result_is_that_of_the_strategy_without_it(kind, tmp_path):
    arguments = {"min_available_nodes": CLIENTS} | ({"proximal_mu": 0.1} if "Prox" in kind else {})
    gone = [(2, 1)]
    plain = ran(getattr(strategies, kind)(**arguments), Nodes(Apps([], gone).app, CLIENTS))
    secure, strategy, _, _ = secured(
        tmp_path, inside=getattr(strategies, kind)(**arguments), gone=gone
    )
    for key, array in plain.arrays.items():
        ours, theirs = secure.arrays[key].numpy(), array.numpy()
        assert ours.shape == theirs.shape
        assert ours.dtype == (np.float64 if key == "steps" else MODEL[key].dtype)
        accuracy = 1e-2 if key == "h" else 1e-5  # float16 is FedAvg's own trouble
        np.testing.assert_allclose(ours, theirs, rtol=accuracy)
    assert strategy.rounds[1].counted == ("client-0", "client-1", "client-3", "client-4")
    assert len(strategy.rounds[2].counted) == CLIENTS
    evaluated = secure.evaluate_metrics_clientapp[1]["part"]
    assert evaluated == pytest.approx(plain.evaluate_metrics_clientapp[1]["part"])


def test_weights_above_eight_are_not_clipped(tmp_path):
    secure, _, _, _ = secured(tmp_path, rounds=1)
    truth = [trained(part, 1) for part in range(CLIENTS)]
    for key, old in MODEL.items():
        mean = sum(arrays[key].astype(float) * weight for arrays, weight in truth)
        exact = mean / sum(weight for _, weight in truth)
        expected = exact.astype(old.dtype if key != "steps" else float)
        np.testing.assert_allclose(secure.arrays[key].numpy(), expected, rtol=1e-7)
    assert secure.arrays["b"].numpy().max() > 8.5


def test_metrics_pass_with_equal_weights_as_those_of_clients_are_secret(tmp_path):
    secure, _, _, _ = secured(tmp_path)
    assert secure.train_metrics_clientapp[1] == {"loss": np.mean(range(CLIENTS))}


def test_the_server_gets_neither_vectors_nor_weights(tmp_path):
    got = []

    class Spy(strategies.FedAvg):
        def aggregate_train(self, server_round, replies):
            got.extend(replies)
            return super().aggregate_train(server_round, replies)

    plan = plan_of()
    rehearse(tmp_path, plan, CLIENTS)
    nodes = Nodes(Apps([SecureMod(plan, rehearsal=tmp_path)]).app, CLIENTS)
    config = ConfigRecord({"server-round": 1, "anyk-round": 1})
    model = ArrayRecord({key: Array(each) for key, each in MODEL.items()})
    content = RecordDict({"arrays": model, "config": config})
    (reply,) = nodes.send_and_receive([Message(content, 1, "train")])
    assert not reply.content.array_records
    assert reply.content["metrics"] == {"num-examples": 1, "loss": 0.0}
    sealed = reply.content["anyk"]["message"]
    arrays, _ = trained(0, 1)
    assert all(array.tobytes() not in sealed for key, array in arrays.items() if key != "steps")
    _, _, _, _ = secured(tmp_path / "other", inside=Spy(min_available_nodes=CLIENTS), rounds=1)
    first = got[0].content["arrays"]
    assert all(
        np.array_equal(each.content["arrays"]["w"].numpy(), first["w"].numpy()) for each in got
    )


@pytest.mark.parametrize("bad", [101.0, math.nan, math.inf])
def test_what_is_out_of_range_fails_at_its_client_and_nowhere_else(bad, tmp_path, caplog):
    def change(part, arrays, metrics):  # noqa: ARG001
        if part == 3:
            arrays["b"][1] = bad

    with caplog.at_level(logging.ERROR, "flwr"):
        _, strategy, nodes, _ = secured(tmp_path, change=change, rounds=1)
    (error,) = nodes.errors
    assert "100" in error if bad == 101.0 else "finite" in error
    assert str(bad) not in error.split()  # the server hears of the limit alone
    assert strategy.rounds[1].counted == ("client-0", "client-1", "client-2", "client-4")


@pytest.mark.parametrize("weight", [0, -3, 1001, 2.5, math.nan])
def test_a_weight_that_is_none_fails_at_its_client(weight, tmp_path):
    def change(part, arrays, metrics):  # noqa: ARG001
        if part == 0:
            metrics["num-examples"] = weight

    _, strategy, nodes, _ = secured(tmp_path, change=change, rounds=1)
    assert len(nodes.errors) == 1
    assert "client-0" not in strategy.rounds[1].counted


@pytest.mark.parametrize("what", ["shape", "missing", "complex"])
def test_arrays_unlike_the_model_fail_at_their_client(what, tmp_path):
    def change(part, arrays, metrics):  # noqa: ARG001
        if part == 1:
            arrays["b"] = arrays["b"] * 1j if what == "complex" else arrays["b"][:2]
            if what == "missing":
                del arrays["w"]

    _, strategy, nodes, _ = secured(tmp_path, change=change, rounds=1)
    assert ["arrays" in error for error in nodes.errors] == [True]
    assert len(strategy.rounds[1].counted) == CLIENTS - 1


def test_a_server_without_the_strategy_gets_nothing_and_nothing_is_trained(tmp_path):
    plan = plan_of()
    rehearse(tmp_path, plan, CLIENTS)
    apps = Apps([SecureMod(plan, rehearsal=tmp_path)])
    nodes = Nodes(apps.app, CLIENTS)
    result = ran(strategies.FedAvg(min_available_nodes=CLIENTS), nodes, rounds=1)
    assert apps.asked == []
    assert len(nodes.errors) == CLIENTS
    assert "SecureStrategy" in nodes.errors[0]
    assert len(result.arrays) == 0


def test_rounds_have_numbers_of_their_own_though_the_clock_stands_still(tmp_path):
    plan = plan_of()
    roster, committee = rehearse(tmp_path, plan, CLIENTS)
    inside = strategies.FedAvg(min_available_nodes=CLIENTS)
    strategy = SecureStrategy(inside, plan, roster, committee, clock=lambda: 5.0)
    ran(strategy, Nodes(Apps([SecureMod(plan, rehearsal=tmp_path)]).app, CLIENTS))
    assert [len(strategy.rounds[each].counted) for each in (1, 2)] == [CLIENTS, CLIENTS]


def test_a_client_without_the_mod_is_left_out(tmp_path):
    plan = plan_of()
    roster, committee = rehearse(tmp_path, plan, CLIENTS)
    mod = SecureMod(plan, rehearsal=tmp_path)

    def some(message, context, call_next):
        if context.node_config["partition-id"] == 1:
            return call_next(message, context)
        return mod(message, context, call_next)

    inside = strategies.FedAvg(min_available_nodes=CLIENTS)
    strategy = SecureStrategy(inside, plan, roster, committee)
    ran(strategy, Nodes(Apps([some]).app, CLIENTS), rounds=1)
    assert strategy.rounds[1].counted == ("client-0", "client-2", "client-3", "client-4")


def test_a_client_takes_nobody_s_place_by_a_name_or_by_its_message(tmp_path):
    plan = plan_of()
    roster, committee = rehearse(tmp_path, plan, CLIENTS)
    nodes = Nodes(Apps([SecureMod(plan, rehearsal=tmp_path)]).app, CLIENTS)
    strategy = SecureStrategy(
        strategies.FedAvg(min_available_nodes=CLIENTS), plan, roster, committee
    )
    model = ArrayRecord({key: Array(each) for key, each in MODEL.items()})
    asked = strategy.configure_train(1, model, ConfigRecord(), nodes)
    replies = sorted(nodes.send_and_receive(asked), key=lambda reply: reply.metadata.src_node_id)
    replies[1].content["anyk"]["name"] = "client-0"  # its own message, and another's name
    replies[2].content["anyk"]["message"] = replies[0].content["anyk"]["message"]  # another's
    replies[2].content["metrics"]["loss"] = 1000.0
    _, metrics = strategy.aggregate_train(1, replies)
    assert strategy.rounds[1].counted == ("client-0", "client-1", "client-3", "client-4")
    assert metrics["loss"] == np.mean([0, 1, 3, 4])


def test_a_client_answers_no_round_twice(tmp_path):
    plan = plan_of()
    rehearse(tmp_path, plan, CLIENTS)
    nodes = Nodes(Apps([SecureMod(plan, rehearsal=tmp_path)]).app, CLIENTS)
    model = ArrayRecord({key: Array(each) for key, each in MODEL.items()})

    def asked(number):
        config = ConfigRecord({"server-round": 1, "anyk-round": number})
        content = RecordDict({"arrays": model, "config": config})
        (reply,) = nodes.send_and_receive([Message(content, 1, "train")])
        return reply.has_content()

    assert [asked(number) for number in (5, 5, 4, 6)] == [True, False, False, True]


def test_arrays_in_other_replies_do_not_leave_the_client(tmp_path):
    plan = plan_of()
    rehearse(tmp_path, plan, CLIENTS)
    app = ClientApp(mods=[SecureMod(plan, rehearsal=tmp_path)])

    @app.query()
    def query(message, context):  # noqa: ARG001
        arrays = ArrayRecord({"w": Array(np.ones(3))})
        return Message(RecordDict({"arrays": arrays}), reply_to=message)

    nodes = Nodes(app, 1)
    (reply,) = nodes.send_and_receive([Message(RecordDict(), 1, "query")])
    assert reply.has_error()


def test_a_lying_aggregator_is_named_and_a_dead_one_told(tmp_path):
    class Lies(aggregation.AbstractParty):
        def __init__(self, party):
            self.party = party

        def answer(self, request):
            answer = self.party.answer(request)
            if request[5:6] != b"T":
                return answer
            spoilt = bytearray(answer)
            spoilt[10] ^= 1
            return bytes(spoilt)

    def parties(committee):
        own = dict(committee.parties)
        own["aggregator-2"] = Lies(own["aggregator-2"])
        return aggregation.LocalParties(own)

    secure, strategy, _, _ = secured(tmp_path, parties=parties)
    done = strategy.rounds[1]
    assert "aggregator-2" in {*done.liars, *done.silent}
    assert secure.arrays["b"].numpy().min() > 5


def test_a_round_with_too_few_clients_leaves_the_model_as_it_is(tmp_path):
    gone = [(part, 1) for part in range(3)]
    _, strategy, nodes, _ = secured(tmp_path, gone=gone)
    assert "client" in strategy.rounds[1]
    assert len(strategy.rounds[2].counted) == CLIENTS
    assert len(nodes.errors) == 3


@pytest.mark.parametrize(
    "kind",
    ["FedMedian", "FedTrimmedAvg", "Krum", "MultiKrum", "Bulyan", "FedXgbBagging", "FedXgbCyclic"],
)
def test_strategies_that_look_at_single_clients_are_refused(kind, tmp_path):
    plan = plan_of()
    own = type("Own", (getattr(strategies, kind),), {})
    for each in (getattr(strategies, kind), own):
        with pytest.raises(anyk.InvalidArgument, match="mean"):
            SecureStrategy(each(), plan, *rehearse(tmp_path, plan, CLIENTS))


def test_noise_of_flower_around_it_is_refused(tmp_path):
    plan = plan_of()
    noisy = strategies.DifferentialPrivacyServerSideFixedClipping(
        strategies.FedAvg(), noise_multiplier=1.0, clipping_norm=1.0, num_sampled_clients=5
    )
    with pytest.raises(anyk.InvalidArgument, match="FedAvg"):
        SecureStrategy(noisy, plan, *rehearse(tmp_path, plan, CLIENTS))


def test_a_plan_of_another_length_is_told_before_anybody_trains(tmp_path):
    with pytest.raises(anyk.InvalidArgument, match="length=12"):
        secured(tmp_path, plan_of(length=11))


def test_a_metric_that_is_no_weight_does_not_spoil_the_mean(tmp_path):
    plan = plan_of()
    roster, committee = rehearse(tmp_path, plan, CLIENTS)
    mod = SecureMod(plan, rehearsal=tmp_path)

    def hostile(message, context, call_next):
        reply = mod(message, context, call_next)
        if reply.has_content() and "loss" in reply.content.get("metrics", {}):
            reply.content["metrics"]["num-examples"] = math.nan
        return reply

    inside = strategies.FedAvg(min_available_nodes=CLIENTS)
    result = ran(
        SecureStrategy(inside, plan, roster, committee), Nodes(Apps([hostile]).app, CLIENTS)
    )
    assert np.isfinite(result.arrays["b"].numpy()).all()


def test_a_node_finds_its_keys_by_its_own_configuration(tmp_path):
    plan = plan_of()
    rehearse(tmp_path, plan, CLIENTS)
    app = Apps([SecureMod(plan)]).app
    config = ConfigRecord({"server-round": 1, "anyk-round": 1})
    model = ArrayRecord({key: Array(each) for key, each in MODEL.items()})
    nodes = Nodes(app, 1)
    answers = {}
    for path in ("client-4", "nowhere", None):
        settings = {"partition-id": 0} | ({"anyk-party": str(tmp_path / path)} if path else {})
        nodes.contexts[1] = Context(
            run_id=1,
            node_id=1,
            node_config=UserConfig(settings),
            state=RecordDict(),
            run_config=UserConfig({"anyk-party": str(tmp_path / "client-3")}),  # not the server's
        )
        message = Message(RecordDict({"arrays": model, "config": config}), 1, "train")
        (answers[path],) = nodes.send_and_receive([message])
    assert b"\x08client-4" in answers["client-4"].content["anyk"]["message"]
    assert "no keys" in answers["nowhere"].error.reason
    assert str(tmp_path) not in answers["nowhere"].error.reason
    assert "--node-config" in answers[None].error.reason


def test_keys_are_kept_from_one_rehearsal_to_the_next(tmp_path):
    plan = plan_of()
    first, _ = rehearse(tmp_path, plan, CLIENTS)
    second, _ = rehearse(tmp_path, plan, CLIENTS)
    assert first == second


def test_the_package_is_read_without_flower():
    code = "import anyk.aggregation, sys; assert 'flwr' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
