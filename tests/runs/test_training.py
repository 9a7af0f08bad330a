"""One run: the same record whatever happens on the way, and the same noise whatever the objective."""

import dataclasses
import itertools
import math
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from batches import heard, timeless
from msgspec.structs import replace
from PIL import Image
from records_of import reading

from gsm_cli.data import find_dataset
from gsm_cli.data.dataset import Images
from gsm_cli.data.split import load
from gsm_cli.errors import GsmError, UsageError
from gsm_cli.fingerprint import fingerprint
from gsm_cli.model.terms import Terms
from gsm_cli.records.curves import Epoch
from gsm_cli.records.run import read_run
from gsm_cli.runs import evaluation, steps, training
from gsm_cli.runs.build import binarise, shuffle, stream
from gsm_cli.runs.evaluation import Classification
from gsm_cli.runs.places import StoppedError
from gsm_cli.runs.training import Run, read_test_set, train
from gsm_cli.schedules import is_probed, kl_weight, learning_rate
from gsm_cli.settings import build
from gsm_cli.streams import Purpose

TINY = {"hidden": [8], "latent": 2, "auxiliary": 2, "epochs": 4, "batch_size": 200}
OBJECTIVES = ("marginalize", "gumbel", "straight-through-gumbel", "gumbel-rao", "reinmax", "sum-and-sample")
MORE = ("sparse-marginalize", "reinforce", "supervised")


@pytest.fixture(scope="module")
def split():
    return load(find_dataset("digits"), 100, 0)


def config(objective: str = "gumbel", **settings):
    return build({**TINY, "objective": objective, **settings})


def classified(accuracy: float, images: Images) -> Classification:
    """What a classifier of that accuracy finds."""
    return Classification(np.arange(len(images.classes)) >= accuracy * len(images.classes), 0.1, 1.0)


class TestSchedules:
    def test_learning_rate_falls_over_its_last_part(self):
        falling = config(learning_rate=0.1, decay=0.25, epochs=100)  # of ten steps
        rates = [learning_rate(falling, step, 10) for step in (0, 500, 750, 875, 1000)]
        assert rates == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.0])
        assert learning_rate(config(learning_rate=0.1, decay=0.0, epochs=100), 999, 10) == 0.1

    @pytest.mark.parametrize(("start", "middle"), [(5.0, 3.0), (0.2, 0.6)])
    def test_kl_weight_comes_to_one(self, start, middle):
        coming = config(kl_start=start, kl_warmup=0.5, epochs=100)  # of ten steps
        assert [kl_weight(coming, step, 10) for step in (0, 250, 500, 900)] == pytest.approx([start, middle, 1.0, 1.0])
        assert kl_weight(config(kl_start=start, kl_warmup=0.0), 0, 10) == 1.0

    def test_temperature_falls_with_the_steps_to_its_least(self):
        falling = config(tau=1.0, tau_min=0.5, tau_rate=0.01).estimator
        assert [falling.temperature(step, 3) for step in (0, 10, 1000)] == pytest.approx([1.0, math.exp(-0.1), 0.5])
        assert config(tau=0.7).estimator.temperature(10**6, 3) == 0.7
        assert config("marginalize").estimator.temperature(0, 1) is None

    def test_temperature_may_fall_between_epochs_alone(self):
        falling = config(tau=1.0, tau_rate=0.01, tau_by_epoch=True).estimator
        found = [falling.temperature(step, 10) for step in (0, 9, 10, 25)]
        assert found == pytest.approx([1.0, 1.0, math.exp(-0.1), math.exp(-0.2)])

    @pytest.mark.parametrize("rate", [746, 1e300])
    def test_temperature_never_falls_to_zero(self, rate):
        assert config(tau=1.0, tau_rate=rate).estimator.temperature(10, 3) == 2.0**-126


class TestRecord:
    @pytest.mark.parametrize("objective", OBJECTIVES + MORE)
    def test_two_runs_of_one_seed_are_equal(self, split, tmp_path, objective):
        first, second = (train(config(objective), split, tmp_path / f"{i}.pt") for i in range(2))
        assert timeless(first) == timeless(second)
        assert first.finished
        assert len(first.epochs) == 4
        assert all(math.isfinite(value) for column in first.columns.values() for value in column or [] if value)
        first.save(tmp_path / "a.json")
        assert read_run(tmp_path / "a.json") == first  # rounded before anybody reads it

    def test_another_seed_is_another_run(self, split, tmp_path):
        first, second = (train(config(seed=seed), split, tmp_path / f"{seed}.pt") for seed in (0, 1))
        assert first.epochs.unlabelled_bound != second.epochs.unlabelled_bound

    def test_evaluations_are_counted(self, split, tmp_path):
        counted = {
            name: train(config(name, epochs=1), split, tmp_path / f"{name}.pt").epochs.evaluations[0]
            for name in OBJECTIVES + MORE
        }
        once = dict.fromkeys(("gumbel", "straight-through-gumbel", "gumbel-rao", "reinmax"), 1)
        assert counted == once | {
            **{"marginalize": 10, "sum-and-sample": 2, "reinforce": 2, "supervised": 0},
            "sparse-marginalize": pytest.approx(10, abs=1.0),
        }

    def test_training_learns(self, split, tmp_path):
        record = train(config(epochs=20, hidden=[32], batch_size=50, seed=0), split, tmp_path / "a.pt")
        assert record.test.chosen.accuracy > 0.7
        assert record.epochs.unlabelled_bound[-1] > record.epochs.unlabelled_bound[0] + 5

    def test_the_test_set_is_read_once_with_the_first_best_epoch(self, split, tmp_path, monkeypatch):
        accuracies, read = iter([0.5, 0.9, 0.9, 0.7, 0.75, 0.8, 0.85, 0.95]), []
        parts = {
            "validation": split.validation.pixels,
            "test": split.test.pixels,
            "unlabelled": split.unlabelled.pixels,
        }

        def classify(model, images, *rest):
            read.append(next(name for name, pixels in parts.items() if np.array_equal(images.pixels, pixels)))
            return classified(next(accuracies), images)

        for module in (training, evaluation):
            monkeypatch.setattr(module, "classification", classify)
        record = train(config(), split, tmp_path / "a.pt")
        assert read == ["validation"] * 4 + ["test", "unlabelled"] * 2
        last, chosen = record.test.last, record.test.chosen
        assert (last.epoch, last.accuracy, last.errors) == (4, 0.75, 100)
        assert (chosen.epoch, chosen.accuracy, chosen.errors) == (2, 0.85, 60)
        assert last.unlabelled_accuracy == pytest.approx(0.8, abs=0.001)  # of 997 images
        assert chosen.unlabelled_accuracy == pytest.approx(0.95, abs=0.001)

    def test_the_test_set_is_read_as_the_record_says(self, split, tmp_path):
        """Which images are wrong, and the bound of binary images."""
        record = train(config(hidden=[32], batch_size=50), split, tmp_path / "a.pt")
        run = Run(config(hidden=[32], batch_size=50), split)
        run.restore(tmp_path / "a.pt")
        found = evaluation.classification(run.model, split.test, stream(0, Purpose.EVALUATION), run.predict)
        packed = np.frombuffer(b64decode(record.test.last.wrong), np.uint8)
        assert np.array_equal(np.unpackbits(packed, count=400).astype(bool), found.wrong)
        assert 0 < record.test.last.errors < 400
        seen = []
        run.model.encode = lambda x, *rest, encode=run.model.encode: (
            seen.append(x.unique().tolist()) or encode(x, *rest)
        )
        assert evaluation.mean_bound(run.model, split.test, stream(0, Purpose.EVALUATION), 0) == record.test.bound
        assert seen == [[0.0, 1.0]] * 2  # 400 images in two batches

    def test_weights_that_are_the_last_and_the_chosen_are_read_once(self, split, tmp_path, monkeypatch):
        read = []
        monkeypatch.setattr(training, "read_model", lambda *given: read.append(given[2]) or reading(given[2], 0.5))
        for accuracies, expected in ((0.5, 0.6, 0.7, 0.8), [4]), ((0.5, 0.8, 0.7, 0.6), [4, 2]):
            run, read[:] = Run(config(), split), []
            run.epochs = [SimpleNamespace(validation_accuracy=each) for each in accuracies]
            run.best = run.model.state_dict()
            test = read_test_set(run)
            assert read == expected
            assert (test.last, test.chosen) == (reading(4, 0.5), reading(expected[-1], 0.5))

    def test_a_run_without_a_generative_model_has_no_bound(self, split, tmp_path):
        assert train(config("supervised", epochs=1), split, tmp_path / "a.pt").test.bound is None

    def test_bounds_are_measured_after_a_tenth_of_the_epochs(self):
        assert [number for number in range(1, 31) if is_probed(number, 30)] == [1, *range(3, 31, 3)]
        assert [number for number in range(1, 5) if is_probed(number, 4)] == [1, 2, 3, 4]

    @pytest.mark.parametrize(("epoch", "probed"), [(1, True), (2, False), (4, True)])
    @pytest.mark.parametrize("objective", ["gumbel", "sparse-marginalize"])
    def test_an_epoch_says_what_was_found(self, split, monkeypatch, objective, epoch, probed):
        """Of 40 epochs of four steps each, with a tenth of the others probed."""
        own = {"tau": 2.0, "tau_min": 0.5, "tau_rate": 0.1} if objective == "gumbel" else {"threshold": 0.25}
        schedules = {"kl_start": 5.0, "kl_warmup": 0.2, "learning_rate": 0.1, "decay": 1.0}
        read = {"evaluation_draws": 3, "binary_evaluation": "true"}
        run = Run(config(objective, epochs=40, **own, **schedules, **read), split)
        run.epochs = [None] * (epoch - 1)
        streams = set()

        def heard(rng: torch.Generator) -> None:
            streams.add(rng.initial_seed())

        def classify(model, images, rng, predict):
            heard(rng)
            assert predict.keywords == {"draws": 3, "binary": True}
            return Classification(np.array([True, False, False, False]), 0.375, 1.25)

        def relax(model, images, tau, noise):
            heard(noise())
            assert images is split.validation
            return tau, tau + 1

        def drop(model, images, estimator, rng):
            heard(rng)
            assert images is split.validation
            return estimator.threshold

        clocks = {"perf_counter": iter([10.0, 13.0, 18.0]), "process_time": iter([2.0, 4.5])}
        monkeypatch.setattr(training, "time", SimpleNamespace(**{name: it.__next__ for name, it in clocks.items()}))
        for name, function in (("classification", classify), ("relaxation", relax), ("mean_dropped_mass", drop)):
            monkeypatch.setattr(training, name, function)
        run.all_steps = lambda number: ([number + 0.5, 2.0, 3.0], 4.0)
        step = 4 * epoch - 1
        tau = max(0.5, 2 * math.exp(-0.1 * step)) if objective == "gumbel" else None
        assert run.epoch() == Epoch(
            unlabelled_bound=epoch + 0.5,
            labelled_bound=2.0,
            classification=3.0,
            validation_accuracy=0.75,
            validation_entropy=1.25,
            modal_share=0.375,
            evaluations=4.0,
            relaxed_bound=tau if probed else None,
            one_hot_bound=tau + 1 if tau and probed else None,
            dropped_mass=0.25 if probed and not tau else None,
            tau=tau,
            kl_weight=5.0 - 4.0 * step / 32,
            learning_rate=pytest.approx(0.1 * (1 - step / 160)),
            seconds=3.0,
            processor_seconds=2.5,
            evaluation_seconds=5.0,
        )
        assert streams == {stream(0, Purpose.EVALUATION, epoch).initial_seed()}

    def test_best_weights_are_those_of_the_best_epoch(self, split, monkeypatch):
        accuracies = iter([0.9, 0.5])
        monkeypatch.setattr(training, "classification", lambda _, images, *rest: classified(next(accuracies), images))
        run = Run(config(), split)
        run.epochs.append(run.epoch())
        run.keep_best()
        first = {name: value.clone() for name, value in run.model.state_dict().items()}
        run.epochs.append(run.epoch())
        run.keep_best()
        assert all(torch.equal(first[name], value) for name, value in run.best.items())
        assert not torch.equal(first["q_y.head.weight"], run.model.state_dict()["q_y.head.weight"])

    def test_a_classifier_of_one_class_is_collapsed(self, split, tmp_path):
        record = train(config(epochs=1), split, tmp_path / "a.pt")
        for share, collapsed in ((1.0, True), (0.99, False)):
            last = replace(record.test.last, modal=round(share * 400))
            assert replace(record, test=replace(record.test, last=last)).collapsed is collapsed

    @pytest.mark.filterwarnings("ignore:overflow")
    def test_a_loss_that_is_not_finite_ends_the_run_with_its_step(self, split, tmp_path, monkeypatch):
        original, taken = steps.semi_supervised, []

        def broken(*given):
            taken.append(1)
            terms = original(*given)
            return (
                dataclasses.replace(terms, labelled_bound=terms.labelled_bound * float("nan"))
                if len(taken) == 7
                else terms
            )

        monkeypatch.setattr(steps, "semi_supervised", broken)
        record = train(config(), split, tmp_path / "a.pt")  # 4 steps an epoch
        assert not record.finished
        assert record.failure.step == 6
        assert len(record.epochs) == 1

    def test_weights_that_the_last_step_of_an_epoch_breaks_end_the_run_there(self, split, tmp_path, monkeypatch):
        original = Run.all_steps

        def broken(run, number):
            found = original(run, number)
            if number == 2:
                torch.nn.init.constant_(run.model.q_y.head.weight, float("nan"))
            return found

        monkeypatch.setattr(Run, "all_steps", broken)
        record = train(config(), split, tmp_path / "a.pt")
        assert record.failure.step == 7
        assert record.failure.reason == "the objective is not finite at step 7"
        assert len(record.epochs) == 1

    def test_a_bound_of_the_test_images_that_is_not_finite_is_a_failure(self, split, tmp_path, monkeypatch):
        monkeypatch.setattr(evaluation, "binary_bound", lambda model, x, rng: -x.sum(dim=-1) * math.inf)
        record = train(config(epochs=2), split, tmp_path / "a.pt")
        assert record.failure.reason == "the bound of the test images is not finite at step 8"
        assert len(record.epochs) == 2


class TestResume:
    @pytest.mark.parametrize("objective", ["gumbel", "sum-and-sample"])
    @pytest.mark.parametrize("epochs", [1, 3, 4])
    def test_an_interrupted_run_ends_in_the_same_record(self, split, tmp_path, monkeypatch, objective, epochs):
        monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
        unbroken = train(config(objective), split, tmp_path / "unbroken.pt")

        def interrupt(news) -> None:
            if news.number == epochs:
                raise KeyboardInterrupt

        with heard(interrupt), pytest.raises(KeyboardInterrupt):
            train(config(objective), split, tmp_path / "broken.pt")
        seen = []
        with heard(seen.append):
            resumed = train(config(objective), split, tmp_path / "broken.pt")
        assert [news.number for news in seen] == list(range(epochs + 1, 5))
        assert timeless(resumed) == timeless(unbroken)

    @pytest.mark.parametrize("warm_epochs", [0, 1])
    def test_one_that_is_wanted_no_longer_ends_before_a_step(self, split, tmp_path, warm_epochs):
        with heard(print, wanted=lambda: False), pytest.raises(StoppedError):
            train(config(warm_epochs=warm_epochs), split, tmp_path / "a.pt")

    @pytest.mark.parametrize("damage", ["code", "tau", "split"])
    def test_a_checkpoint_of_something_else_is_refused_and_kept(self, split, tmp_path, monkeypatch, damage):
        path = tmp_path / "a.pt"
        train(config(), split, path)
        settings, data, departure = config(), split, f"code {fingerprint()} and not {16 * '9'}"
        if damage == "code":
            monkeypatch.setattr(training, "fingerprint", lambda: 16 * "9")
        elif damage == "tau":
            settings, departure = config(tau=0.9), "tau 0.5 and not 0.9"
        else:
            data = load(find_dataset("digits"), 100, 5)
            departure = f"split {split.digest} and not {data.digest}"
        before = path.read_bytes()
        with pytest.raises(GsmError) as caught:
            train(settings, data, path)
        assert str(caught.value) == (
            f"{path} must be a checkpoint of this run, and has {departure}: "
            "finish it with the code and settings that wrote it, or remove it to start the run again"
        )
        assert path.read_bytes() == before

    def test_its_state_is_kept_every_two_seconds_and_at_the_end(self, split, tmp_path, monkeypatch):
        """The clock says when training begins, when each epoch ends, and when a checkpoint is written."""
        kept, clock = [], iter([0.0, 2.0, 2.5, 2.5, 4.5, 4.5])
        monkeypatch.setattr(training.Checkpoint, "save", lambda checkpoint, path: kept.append(len(checkpoint.epochs)))
        still = {"perf_counter": lambda: next(ticks), "process_time": lambda: 0.0}
        ticks = itertools.count()
        monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(clock, 5.0), **still))
        train(config(), split, tmp_path / "a.pt")
        assert kept == [2, 4]


class TestPairing:
    def test_objectives_share_weights_batches_and_noise(self, split, monkeypatch):
        """What an epoch's steps see: initial weights, binary images in their order, and the noise of a and z."""
        monkeypatch.setattr(training, "relaxation", lambda *_: (None, None))
        seen = {}
        for objective in ("marginalize", "gumbel", "reinforce", "sum-and-sample"):
            run, trace = Run(config(objective), split), []
            trace += [value.clone() for value in run.model.state_dict().values()]
            monkeypatch.setattr(run.optimizer, "step", lambda *_: None)
            encode = run.model.encode
            run.model.encode = lambda x, samples, rng, encode=encode, trace=trace: (
                trace.extend([x, (found := encode(x, samples, rng)).a, found.noise]) or found
            )
            run.epoch()
            seen[objective] = trace
        first = seen.pop("marginalize")
        for trace in seen.values():
            assert len(trace) == len(first)
            assert all(torch.equal(ours, theirs) for ours, theirs in zip(trace, first, strict=True))

    def test_supervised_shares_the_weights_and_never_reads_unlabelled_images(self, split, tmp_path):
        inverse = dataclasses.replace(split.unlabelled, pixels=255 - split.unlabelled.pixels)
        others = dataclasses.replace(split, unlabelled=inverse)
        first, second = (
            train(config("supervised"), data, tmp_path / f"{i}.pt") for i, data in enumerate((split, others))
        )
        assert timeless(first) == timeless(second)
        gumbel, supervised = (Run(config(name), split).model.state_dict() for name in ("gumbel", "supervised"))
        assert all(torch.equal(gumbel[name], supervised[name]) for name in gumbel)

    def test_noise_differs_from_step_to_step(self):
        first, second = (torch.rand(5, generator=stream(0, Purpose.NOISE, step)) for step in (0, 1))
        assert not torch.equal(first, second)

    def test_a_run_draws_on_its_own_device(self, split, monkeypatch):
        monkeypatch.setattr(steps, "stream", lambda *given, device: (*given, device))
        run = Run(config(seed=3), split, "meta")
        assert run.stream(Purpose.NOISE, 7) == (3, Purpose.NOISE, 7, "meta")

    def test_the_global_generator_is_left_as_it_was(self, split):
        before = torch.get_rng_state()
        run = Run(config(), split)
        run.epoch()
        assert torch.equal(torch.get_rng_state(), before)


def gradients(run: Run, labelled: int = 100) -> tuple[Terms, dict[str, torch.Tensor | None]]:
    """The terms of a first step and the gradients, by parameter, of the loss that the optimizer is given."""
    named, seen = dict(run.model.named_parameters()), []
    run.optimizer.step = lambda loss, *_: seen.extend(torch.autograd.grad(loss, [*named.values()], allow_unused=True))
    terms = run.step(0, torch.arange(20), torch.arange(labelled))
    return terms, dict(zip(named, seen, strict=True))


def flat(found: dict[str, torch.Tensor | None], network: str = "") -> torch.Tensor:
    """Those of a network, or of all, in one row."""
    return torch.cat([each.flatten() for name, each in found.items() if name.startswith(network)])


class TestParts:
    def test_binarise_draws_each_level_with_its_probability(self):
        """Every level 100,000 times; 5 standard errors, and none for black and white."""
        levels = torch.arange(256, dtype=torch.uint8).expand(100_000, 256)
        means = binarise(levels, torch.Generator().manual_seed(0)).mean(0)
        p = torch.arange(256) / 255
        assert ((means - p).abs() <= 5 * (p * (1 - p) / 100_000).sqrt()).all()

    def test_shuffle_covers_every_row_before_any_comes_again(self):
        rows = shuffle(10, 7, 4, torch.Generator().manual_seed(0)).flatten().tolist()
        assert sorted(rows[:10]) == sorted(rows[10:20]) == list(range(10))
        assert len(rows) == 28

    @pytest.mark.parametrize("weight", ["labelled_weight", "classification_weight"])
    def test_the_gradient_is_linear_in_the_weights_of_its_terms(self, split, weight):
        def gradient(value: float) -> torch.Tensor:
            without = {"labelled_weight": 0.0, "classification_weight": 0.0, "clip": "none", "learning_rate": 1e-9}
            return flat(gradients(Run(config(**{**without, weight: value}), split))[1])

        bare, once, twice = (gradient(value) for value in (0.0, 1.0, 2.0))
        assert (once - bare).norm() > 0.01
        torch.testing.assert_close(twice - bare, 2 * (once - bare), rtol=1e-3, atol=1e-3)

    def test_weight_decay_shrinks_what_has_no_gradient(self, split):
        """The decoder of a classifier alone: after one step all of it is smaller by the same factor."""
        run = Run(config("supervised", weight_decay=0.5, learning_rate=0.1, decay=0), split)
        before = run.model.p_x.head.weight.clone()
        run.step(0, torch.arange(20), torch.arange(100))
        assert torch.equal(run.model.p_x.head.weight, before)  # it has no gradient at all, and is left alone
        run = Run(config("gumbel", weight_decay=0.5, learning_rate=1e-6, decay=0), split)
        plain = Run(config("gumbel", learning_rate=1e-6, decay=0), split)
        for each in (run, plain):
            each.step(0, torch.arange(20), torch.arange(100))
        difference = plain.model.p_x.head.weight - run.model.p_x.head.weight
        torch.testing.assert_close(difference, 0.5e-6 * before, rtol=0.05, atol=2e-8)

    @pytest.mark.parametrize("objective", ["gumbel", "supervised"])
    def test_virtual_adversarial_training_is_added_with_its_weight(self, split, objective):
        """The terms of a step and the gradient of the rest stay; that of the classifier is linear in the weight."""

        def stepped(weight: float) -> tuple[Terms, torch.Tensor, torch.Tensor]:
            terms, found = gradients(Run(config(objective, vat_weight=weight), split))
            return terms, flat(found, "q_y"), flat(found, "q_a")

        (terms, bare, rest), (same, once, still), (_, twice, always) = (stepped(weight) for weight in (0.0, 1.0, 2.0))
        assert torch.equal(rest, still)
        assert torch.equal(rest, always)
        assert terms == same
        assert (once - bare).norm() > 0.01
        torch.testing.assert_close(twice - bare, 2 * (once - bare), rtol=1e-3, atol=1e-3)

    def test_virtual_adversarial_training_is_minimised(self, split, monkeypatch):
        """A loss whose gradient is 1 adds its weight to the gradient that the optimiser descends."""
        monkeypatch.setattr(steps, "virtual_adversarial_loss", lambda model, *rest: model.q_y.head.bias.sum())

        def gradient(weight: float) -> torch.Tensor:
            return gradients(Run(config("gumbel", vat_weight=weight), split))[1]["q_y.head.bias"]

        torch.testing.assert_close(gradient(3.0) - gradient(0.0), torch.full((10,), 3.0))

    def test_virtual_adversarial_training_takes_the_unlabelled_images_and_noise_of_its_own(self, split, monkeypatch):
        seen = []

        def loss(model, x, radius, rng):
            seen.append((x, radius, rng.initial_seed()))
            return torch.zeros(())

        monkeypatch.setattr(steps, "virtual_adversarial_loss", loss)
        for objective in ("marginalize", "gumbel", "supervised"):
            run = Run(config(objective, vat_weight=1.0, vat_radius=0.5), split)
            run.step(3, torch.arange(20), torch.arange(30))
        first = seen[0]
        assert first[0].shape == (50, 64)
        assert first[2] == stream(0, Purpose.PERTURBATION, 3).initial_seed()
        assert all(torch.equal(x, first[0]) and rest == list(first[1:]) for x, *rest in seen)

    def test_part_of_the_labels_in_a_step(self, split, tmp_path):
        record = train(config(labelled_batch=30), split, tmp_path / "a.pt")
        assert timeless(record) != timeless(train(config(), split, tmp_path / "b.pt"))

    def test_a_batch_larger_than_the_data_is_refused(self, split):
        with pytest.raises(UsageError, match="batch-size must be at most the 997 unlabelled images, not 998"):
            Run(config(batch_size=998), split)


class TestGenerated:
    def test_columns_are_classes_and_rows_share_z(self, split):
        """A network that sees y alone gives equal rows, and one that sees z alone equal columns."""
        sheets = []
        for blind in ("z", "y"):
            run = Run(config(), split)
            with torch.no_grad():
                for name, layer in run.model.p_x.first.items():
                    layer.weight.mul_(0 if name == blind else 20)
            sheet = np.asarray(
                Image.open(BytesIO(b64decode(evaluation.analogies(run.model, (8, 8), stream(0, Purpose.EVALUATION)))))
            )
            assert sheet.shape == (evaluation.ANALOGIES * 8, 10 * 8)
            assert sheet.dtype == np.uint8
            sheets.append(sheet.reshape(evaluation.ANALOGIES, 8, 10, 8))
        by_class, by_z = sheets
        assert (by_class == by_class[:1]).all()
        assert (by_class[:, :, 0] != by_class[:, :, 1]).any()
        assert (by_z == by_z[:, :, :1]).all()
        assert (by_z[0] != by_z[1]).any()

    def test_a_decoder_that_was_not_trained_generates_nothing(self, split, tmp_path):
        assert train(config(objective="supervised", epochs=1), split, tmp_path / "run.pt").generated is None

    def test_a_record_keeps_them(self, split, tmp_path):
        record = train(config(epochs=1), split, tmp_path / "run.pt")
        assert record.generated
        record.save(tmp_path / "run.json")
        assert read_run(tmp_path / "run.json") == record


def test_folders_are_made(split, tmp_path):
    train(config(epochs=1), split, tmp_path / "deep" / "er.pt")
    assert Path(tmp_path / "deep" / "er.pt").exists()
