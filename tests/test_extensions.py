"""Estimators and images of somebody's own: found, checked, trained, measured, and named in what is kept."""

import hashlib
import importlib.util
import inspect
import json
import os
import pickle
import py_compile
import re
from pathlib import Path

import numpy as np
import pytest

from gsm_cli import extensions
from gsm_cli.data import find_dataset
from gsm_cli.data.own import read_npz
from gsm_cli.data.split import load
from gsm_cli.errors import DataError, UsageError
from gsm_cli.extensions import find_objective
from gsm_cli.records.cost import read_cost, read_steps
from gsm_cli.records.gradients import read_gradients
from gsm_cli.records.run import read_run
from gsm_cli.runs.build import Averaging
from gsm_cli.settings import build

TRAINING = (Path(__file__).parents[1] / "docs/training.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```python\n(# flatter\.py\n.*?)```", TRAINING, flags=re.DOTALL)
HEAD = "import torch\nclass Mine:\n"
NUMBERED = """class Mine:
    size: int = {0}
    number = {0}
    def __init__(self, size={0}): self.size = size
    def __call__(self, bound, logits, rng): return {0} * bound(logits.softmax(-1))
"""
FEW = [i for i in range(60) if i < (9, 36, 45)[i % 3]]  # 3, 12 and 15 images of the three classes
QUICK = ("--set", "hidden=8", "--batch-size", 200, "--epochs", 2)


@pytest.fixture
def example(folder) -> Path:
    """The estimator of docs/training.md in the current folder."""
    path = folder / "flatter.py"
    path.write_text(EXAMPLE)
    return path


@pytest.fixture
def images(folder) -> dict[str, np.ndarray]:
    """Sixty images of 4 x 6 in three classes, told apart by their rows."""
    rng = np.random.default_rng(0)
    classes = np.arange(60) % 3
    pixels = rng.integers(0, 60, (60, 4, 6)).astype(np.uint8)
    pixels[np.arange(60), classes] = 255
    return {"images": pixels, "classes": classes}


class TestEstimator:
    def test_its_parameters_are_its_settings(self, example):
        row = find_objective("flatter.py:Flatter")
        assert set(row.settings) == {"tau", "tau_min", "tau_rate", "tau_by_epoch", "entropy_weight", "greatest"}
        config = build({"objective": "flatter.py:Flatter", "greatest": "2", "tau": 0.7})
        assert config.own == {
            "tau": 0.7,
            "tau_min": 0.0,
            "tau_rate": 0.0,
            "tau_by_epoch": False,
            "entropy_weight": 1.0,
            "greatest": 2.0,
        }
        estimator = Averaging(config).at(0.7)
        assert (estimator.temperature, estimator.greatest) == (0.7, 2.0)

    def test_trains_beside_the_others_and_is_kept_with_its_digest(self, gsm, folder, example):
        words = ("train-ssl", *QUICK, "--objective", "flatter.py:Flatter,gumbel", "--set", "greatest=2")
        result = gsm(*words)
        assert result.exit_code == 0, result.stderr
        (path,) = (folder / "reports/digits-100/records").glob("Flatter-*.json")
        record = read_run(path)
        digest = hashlib.sha256(example.read_bytes()).hexdigest()
        assert (record.config.objective_sha256, record.config.own["greatest"]) == (digest, 2.0)
        assert "\n| Flatter |" in (folder / "reports/digits-100/report.md").read_text()
        assert digest[:12] in (folder / "reports/digits-100/details.md").read_text()
        assert gsm("report", "--check").exit_code == 0
        timed = gsm("cost", "--for", "reports/digits-100", "--rounds", 1)
        assert timed.exit_code == 0, timed.stderr
        steps = read_steps(folder / "reports/digits-100/steps.json")
        assert [step.config.objective_name for step in steps.plan.steps] == ["gumbel", "Flatter"]
        assert gsm("report", "--check").exit_code == 0
        example.unlink()
        assert gsm("report", "--check").exit_code == 0  # a report runs nobody's file

    def test_another_content_is_another_run(self, example):
        before = build({"objective": "flatter.py:Flatter"})
        example.write_text(EXAMPLE + "\n# changed\n")
        after = build({"objective": "flatter.py:Flatter"})
        assert before.name != after.name
        with pytest.raises(UsageError, match="changed: start it again"):
            Averaging(before)

    def test_another_number_in_as_many_bytes_of_the_same_time_is_another_run(self, folder):
        """Which Python's cache of compiled files does not see."""
        path, found = folder / "mine.py", []
        for number in (1, 2):
            path.write_text(NUMBERED.format(number))
            os.utime(path, ns=(10**18, 10**18))
            row = find_objective("mine.py:Mine")
            found.append((row.sha256, row.settings["size"].default, find_objective("mine.py:Mine").estimator().number))
        assert found == [(hashlib.sha256(NUMBERED.format(n).encode()).hexdigest(), n, n) for n in (1, 2)]
        assert not (folder / "__pycache__").exists()

    def test_a_compiled_file_beside_it_is_not_run(self, folder):
        path = folder / "mine.py"
        path.write_text(NUMBERED.format(3))
        py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        path.write_text(NUMBERED.format(4))
        spec = importlib.util.spec_from_file_location("mine", path)
        spec.loader.exec_module(usual := importlib.util.module_from_spec(spec))
        assert usual.Mine().number == 3  # what Python's own import runs
        assert find_objective("mine.py:Mine").estimator().number == 4

    def test_what_changed_after_it_was_hashed_is_not_run(self, folder):
        (folder / "mine.py").write_text(NUMBERED.format(5))
        row = find_objective("mine.py:Mine")
        (folder / "mine.py").write_text(NUMBERED.format(6))
        assert row.estimator().number == 5

    def test_its_objects_can_be_pickled_and_its_source_be_read(self, folder):
        (folder / "mine.py").write_text("import dataclasses\n@dataclasses.dataclass\n" + NUMBERED.format(7))
        mine = find_objective("mine.py:Mine").estimator
        assert pickle.loads(pickle.dumps(mine(8))) == mine(8)
        assert inspect.getsource(mine).splitlines()[-1] == NUMBERED.format(7).splitlines()[-1]

    def test_the_folder_of_the_file_makes_no_other_run(self, example, folder):
        (folder / "sub").mkdir()
        (folder / "sub/flatter.py").write_text(EXAMPLE)
        first, second = (build({"objective": f"{place}flatter.py:Flatter"}) for place in ("", "sub/"))
        assert first.name == second.name
        assert first.identity == second.identity

    def test_its_gradient_and_its_cost_are_measured(self, gsm, folder, example):
        words = ("--epochs", 1, "--images", 3, "--replicates", 20, "--tau", "0.5,1", "--seeds", 0)
        result = gsm("gradients", *words, "--objective", "flatter.py:Flatter,marginalize")
        assert result.exit_code == 0, result.stderr
        gradients = read_gradients(folder / result.stdout.splitlines()[0])
        assert {row.estimator for row in gradients.rows} == {"Flatter", "marginalize"}
        assert list(gradients.plan.sha256) == ["flatter.py:Flatter"]
        words = ("--classes", 3, "--rounds", 1, "--batch-size", 2)
        result = gsm("cost", *words, "--objective", "flatter.py:Flatter")
        assert result.exit_code == 0, result.stderr
        cost = read_cost(folder / result.stdout.splitlines()[0])
        assert [(row.objective, row.evaluations) for row in cost.rows] == [("flatter.py:Flatter", 1.0)]
        assert "Flatter" in (folder / "reports/cost/report.md").read_text()
        assert gsm("report", "--check").exit_code == 0

    def test_one_of_an_installed_package_has_its_name(self, monkeypatch, example):
        class Point:
            name, value = "flatter", "flatter:Flatter"

            @staticmethod
            def load() -> object:
                return find_objective("flatter.py:Flatter").estimator

        published = {"group": "gsm.objectives", "name": "flatter"}
        monkeypatch.setattr(extensions, "entry_points", lambda **asked: [Point] if asked == published else [])
        row = find_objective("flatter")
        assert (row.name, row.estimator.__name__) == ("flatter", "Flatter")
        assert row.sha256 == hashlib.sha256(example.read_bytes()).hexdigest()

    @pytest.mark.parametrize("published", [len, 3, int], ids=repr)
    def test_what_a_package_publishes_is_a_class_of_a_file(self, monkeypatch, gsm, published):
        class Point:
            name, value = "flatter", "flatter:Flatter"

            @staticmethod
            def load() -> object:
                return published

        monkeypatch.setattr(extensions, "entry_points", lambda name, **asked: [Point] if name == "flatter" else [])
        result = gsm("train-ssl", *QUICK, "--objective", "flatter")
        assert result.exit_code == 1
        assert "flatter:Flatter must run without an error, and raises TypeError (" in result.stderr
        assert "defect" not in result.stderr

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (
                "class Other:\n    def __call__(self, bound, logits, rng): ...",
                "must have a class 'Mine', and has Other",
            ),
            ("Mine = 3", "must have a class 'Mine', and has none"),
            (
                HEAD + "    def __init__(self, tau=0.5): ...\n    def __call__(self, bound, logits, rng): ...",
                "must not call a parameter tau, which is a setting of gsm: call it temperature",
            ),
            (
                HEAD + "    def __init__(self, clip=1.0): ...\n    def __call__(self, bound, logits, rng): ...",
                "must not call a parameter clip, which is a setting of gsm: rename it",
            ),
            (
                HEAD + "    def __init__(self, kind='a,b'): ...\n    def __call__(self, bound, logits, rng): ...",
                "a text without commas .* default of its parameter kind, and has 'a,b'",
            ),
            (HEAD + "    def __call__(self, bound): ...", r"must be called with \(bound, logits, rng\)"),
            (HEAD + "    pass", r"must be called with \(bound, logits, rng\)"),
            (
                HEAD + "    def __init__(self, size): ...\n    def __call__(self, bound, logits, rng): ...",
                "default of its parameter size, and has no default",
            ),
            (
                HEAD + "    def __init__(self, size=None): ...\n    def __call__(self, bound, logits, rng): ...",
                "default of its parameter size, and has None",
            ),
            (
                HEAD + "    def __init__(self, temperature=None): ...\n    def __call__(self, bound, logits, rng): ...",
                "a finite number, .* default of its parameter temperature, and has None",
            ),
            (
                HEAD + "    def __init__(self, size=1e999): ...\n    def __call__(self, bound, logits, rng): ...",
                "a finite number, .* default of its parameter size, and has inf",
            ),
            (
                HEAD + "    def __init__(self, size=10**400): ...\n    def __call__(self, bound, logits, rng): ...",
                "a finite number, .* default of its parameter size, and has 10{9}",
            ),
            (
                HEAD + "    def __init__(self, temperature=10**400): ...\n    def __call__(self, b, l, r): ...",
                "a finite number, .* default of its parameter temperature, and has 10{9}",
            ),
            (
                HEAD + "    def __call__(self, b, l, r): return b((l + torch.randn(3)).softmax(-1))",
                "must draw its noise from rng alone, and gives other values for the same",
            ),
            (HEAD + "    def __call__(self, b, l, r): return b(l).mean()", r"must give a tensor \(1, 2\) .*, not \(\)"),
            (HEAD + "    def __call__(self, b, l, r): return 3", r"must give a tensor \(1, 2\) .*, not int"),
            (HEAD + "    def __call__(self, b, l, r): return b(l) / 0", "must give finite values"),
            (
                HEAD + "    def __call__(self, b, l, r): return b(l)\n    def entropy(self, l): return l.sum()",
                r"mine.py:Mine.entropy must give a tensor \(1, 2\) .*, not \(\)",
            ),
            (
                HEAD + "    def __call__(self, b, l, r): return b(l)\n    def entropy(self, l): return l[..., 0] / 0",
                "mine.py:Mine.entropy must give finite values",
            ),
            (
                HEAD + "    def __call__(self, b, l, r): return b(l)\n    def keeps(self, l): return l[..., 0] > 0",
                r"mine.py:Mine.keeps must give true or false for each class, as a tensor \(1, 2, 3\)",
            ),
            (
                HEAD + "    def __call__(self, b, l, r): return b(l)\n    def keeps(self, l): return (l > 0).long()",
                r"mine.py:Mine.keeps must give true or false for each class",
            ),
            (
                HEAD
                + "    def __call__(self, b, l, r): return b(l)\n    def entropy(self, l): return l.detach()[..., 0]",
                "mine.py:Mine.entropy must have a gradient",
            ),
            (
                HEAD + "    def __call__(self, b, l, r): return b(l)\n"
                "    def entropy(self, l): return l[..., 0] * torch.rand(())",
                "must draw its noise from rng alone",
            ),
            (
                HEAD + "    def __init__(self, size: float = 10**400): ...\n    def __call__(self, b, l, r): ...",
                "a finite number, .* default of its parameter size, and has 10{9}",
            ),
            (HEAD + "    def __call__(self, b, l, r): return b(l.detach())", "must have a gradient"),
            (HEAD + "    def __call__(self, b, l, r): return (b(l) * 0).sqrt()", "must have a finite gradient"),
        ],
    )
    def test_what_a_file_may_get_wrong_is_one_sentence(self, gsm, folder, content, sentence):
        (folder / "mine.py").write_text(content)
        result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine")
        assert result.exit_code == 2, result.stderr
        assert re.search(sentence, result.stderr)
        assert sum(line.startswith("gsm: ") for line in result.stderr.splitlines()) == 1
        assert not list(folder.rglob("*.json"))

    @pytest.mark.parametrize("command", [("cost", "--rounds", 1, "--classes", 2), ("gradients", "--replicates", 10)])
    def test_what_breaks_a_rule_is_refused_before_anything_is_measured(self, gsm, folder, command):
        (folder / "mine.py").write_text(HEAD + "    def __call__(self, b, l, r): return b(l) / 0")
        result = gsm(*command, "--objective", "marginalize,mine.py:Mine")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "mine.py:Mine must give finite values" in result.stderr
        assert not (folder / "reports").exists()

    @pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
    def test_a_parameter_said_to_be_a_float_takes_any_number(self, gsm, folder, future):
        (folder / "mine.py").write_text(
            f"{future}class Mine:\n    def __init__(self, scale: float = 1): self.scale = scale\n"
            "    def __call__(self, bound, logits, rng): return self.scale * bound(logits.softmax(-1))"
        )
        assert gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine", "--set", "scale=0.5").exit_code == 0
        (path,) = folder.rglob("*.json")
        assert read_run(path).config.own["scale"] == 0.5

    def test_a_threshold_of_its_own_is_no_mass_of_ours(self, gsm, folder):
        (folder / "mine.py").write_text(
            HEAD + "    def __init__(self, threshold='low'): ...\n"
            "    def __call__(self, bound, logits, rng): return bound(logits.softmax(-1))"
        )
        assert gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine").exit_code == 0
        (path,) = folder.rglob("*.json")
        assert read_run(path).epochs.dropped_mass is None


class TestImages:
    def test_those_that_were_hashed_are_those_that_are_read(self, folder, images):
        np.savez(folder / "mine.npz", **images)
        dataset = find_dataset("mine.npz")
        digest = hashlib.sha256((folder / "mine.npz").read_bytes()).hexdigest()
        np.savez(folder / "mine.npz", **images | {"images": 255 - images["images"]})
        assert dataset.sha256 == digest
        assert (dataset.read(None, None).images.pixels.reshape(-1, 4, 6) == images["images"]).all()

    @pytest.mark.parametrize("as_numbers", [False, True])
    @pytest.mark.parametrize("with_test", [False, True])
    def test_are_trained_on_and_kept_with_their_digest(self, gsm, folder, images, as_numbers, with_test):
        if as_numbers:
            images["images"] = images["images"] / 255
        if with_test:
            images |= {"test_images": images["images"][:15], "test_classes": images["classes"][:15]}
        np.savez(folder / "mine.npz", **images)
        words = ("train-ssl", "--dataset", "mine.npz", "--labels", 6, "--set", "hidden=8", "--epochs", 2)
        result = gsm(*words, "--batch-size", 10, "--objective", "gumbel")
        assert result.exit_code == 0, result.stderr
        (path,) = (folder / "reports/mine-6/records").glob("gumbel-*.json")
        record = read_run(path)
        digest = hashlib.sha256((folder / "mine.npz").read_bytes()).hexdigest()
        assert record.config.dataset_sha256 == digest
        assert record.unlabelled == 60 - 12 - (0 if with_test else 12) - 6
        report = (folder / "reports/mine-6/report.md").read_text()
        assert report.startswith("# mine with 6 labels")
        assert digest[:12] in (folder / "reports/mine-6/details.md").read_text()

    def test_json_names_the_file(self, gsm, folder, images):
        np.savez(folder / "mine.npz", **images)
        words = ("train-ssl", "--dataset", "mine.npz", "--labels", 6, "--set", "hidden=8", "--epochs", 1)
        result = gsm(*words, "--batch-size", 10, "--objective", "supervised", "--json")
        assert json.loads(result.stdout)["results"]["runs"][0]["config"]["dataset"] == "mine.npz"

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda a: a.pop("classes"), "must have an array 'classes', not only images"),
            (
                lambda a: a.update(images=a["images"][0]),
                r"images must have the shape \(N, H, W\), with a channel axis of 1 or without, not \(4, 6\)",
            ),
            (
                lambda a: a.update(images=a["images"].astype(np.int64)),
                r"images must be bytes \(uint8\), booleans or floats in",
            ),
            (lambda a: a.update(images=a["images"] * 1.0), r"images must be bytes \(uint8\), booleans or floats in"),
            (
                lambda a: a.update(images=np.full((60, 4, 6), np.nan)),
                r"images must be bytes \(uint8\), booleans or floats in",
            ),
            (lambda a: a.update(classes=a["classes"][1:]), "classes must be 60 whole numbers"),
            (lambda a: a.update(classes=a["classes"] * 1.0), "classes must be 60 whole numbers"),
            (
                lambda a: a.update(classes=a["classes"] + 2),
                "classes must be 0 to K - 1 or 1 to K, each of them at least",
            ),
            (
                lambda a: a.update(classes=a["classes"] - 1),
                "classes must be 0 to K - 1 or 1 to K, each of them at least once",
            ),
            (
                lambda a: a.update(classes=a["classes"] * 0),
                "classes must be 0 to K - 1 or 1 to K, each of them at least once",
            ),
            (
                lambda a: a.update(test_images=a["images"][:, :2], test_classes=a["classes"]),
                "test_images must have the shape and the classes of images",
            ),
            (
                lambda a: a.update(images=(a["images"] > 99).astype(np.uint8)),
                "images of bytes must be white at 255, not at 1",
            ),
            (
                lambda a: a.update(images=a["images"].astype(str)),
                r"must be bytes \(uint8\), booleans or floats in \[0, 1\], not <U3:",
            ),
            (
                lambda a: a.update(test_classes=a["classes"]),
                "the file must have an array 'test_images', not only images",
            ),
            (
                lambda a: a.update(images=a["images"][FEW], classes=a["classes"][FEW]),
                "every class must have images to label and others beside them, and 0 has 1 left to train on: add some",
            ),
            (
                lambda a: a.update(images=a["images"][:4], classes=a["classes"][:4]),
                "must have images of every class for each part",
            ),
        ],
    )
    def test_what_a_file_may_get_wrong_is_one_sentence(self, gsm, folder, images, change, sentence):
        change(images)
        np.savez(folder / "mine.npz", **images)
        result = gsm("train-ssl", "--dataset", "mine.npz", "--labels", 3, "--objective", "gumbel")
        assert result.exit_code == 3, result.stderr
        assert re.search(sentence, result.stderr)
        assert sum(line.startswith("gsm: ") for line in result.stderr.splitlines()) == 1

    @pytest.mark.parametrize("layout", ["keras", "medmnist"])
    @pytest.mark.parametrize("channel", [None, 1, 3])
    def test_may_lie_as_others_lay_them_out(self, folder, images, layout, channel):
        """The same images, with a channel axis of 1 or none, labels (N, 1) and classes from 1, are the same split."""
        pixels, classes = images["images"], images["classes"]
        given = pixels if channel is None else np.expand_dims(pixels, channel)
        if layout == "keras":
            np.savez("theirs.npz", x_train=given, y_train=classes, x_test=given[:15], y_test=classes[:15])
        else:
            parts = {"train": slice(0, 40), "val": slice(40, 60), "test": slice(0, 15)}
            arrays = {f"{name}_images": given[rows] for name, rows in parts.items()}
            np.savez(
                "theirs.npz", **arrays, **{f"{name}_labels": classes[rows, None] + 1 for name, rows in parts.items()}
            )
        np.savez("ours.npz", images=pixels, classes=classes, test_images=pixels[:15], test_classes=classes[:15])
        ours, theirs = (find_dataset(f"{name}.npz") for name in ("ours", "theirs"))
        assert (ours.shape, ours.classes) == (theirs.shape, theirs.classes)
        first, second = (load(each, 6, 0) for each in (ours, theirs))
        assert first.digest == second.digest
        assert np.array_equal(first.unlabelled.pixels, second.unlabelled.pixels)
        assert np.array_equal(first.test.classes, second.test.classes)

    def test_booleans_are_black_and_white(self, folder, images):
        np.savez("mine.npz", images=images["images"] > 99, classes=images["classes"])
        pool, _ = read_npz(Path("mine.npz"))
        assert np.array_equal(pool.images.pixels.ravel(), 255 * (images["images"] > 99).ravel())

    @pytest.mark.parametrize(
        ("arrays", "sentence"),
        [
            ({"x_train": 0}, "must have an array 'y_train', not only x_train"),
            ({"x_train": 0, "y_train": 1, "x_test": 0}, "must have an array 'y_test', not only x_train, y_train"),
            ({"train_images": 0, "train_labels": 1, "val_images": 0}, "must have an array 'val_labels'"),
            (
                {"train_images": 0, "train_labels": 1, "val_images": 2, "val_labels": 1},
                "val_images must have the shape",
            ),
            ({"x_train": 0, "y_train": 1, "x_test": 0, "y_test": 3}, "x_test must have the shape and the classes of x"),
            ({"x_train": 4, "y_train": 1}, r"with a channel axis of 1 or without, not \(60, 4, 6, 3\)"),
            ({"x_train": 0, "y_train": 5}, r"y_train must be 60 whole numbers, not int64 of shape \(60, 3\)"),
            ({"x": 0, "y": 1}, "must have an array 'images', not only x, y"),
        ],
        ids=str,
    )
    def test_a_layout_that_is_not_whole_is_one_sentence(self, folder, images, arrays, sentence):
        pixels, classes = images["images"], images["classes"]
        every = (
            pixels,
            classes,
            pixels[:, 1:],
            classes + 1,
            np.stack([pixels] * 3, axis=3),
            np.eye(3, dtype=int)[classes],
        )
        np.savez("mine.npz", **{name: every[number] for name, number in arrays.items()})
        with pytest.raises(DataError, match=sentence):
            read_npz(Path("mine.npz"))

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"text"])
    def test_what_is_no_archive(self, folder, content):
        (folder / "mine.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"mine\.npz must be a NumPy archive"):
            build({"dataset": "mine.npz"})

    def test_one_array_is_no_archive(self, folder):
        with (folder / "mine.npz").open("wb") as file:
            np.save(file, np.zeros((3, 2, 2)))
        with pytest.raises(DataError, match=r"mine\.npz must be a NumPy archive"):
            build({"dataset": "mine.npz"})

    def test_an_archive_with_objects_runs_no_code(self, folder):
        np.savez(folder / "mine.npz", images=np.array([print], dtype=object), classes=np.array([0]))
        with pytest.raises(DataError, match=r"mine\.npz must be a NumPy archive"):
            build({"dataset": "mine.npz"})
