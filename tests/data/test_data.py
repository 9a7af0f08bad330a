"""Splits that leak nothing, and files of MNIST that are found, verified, or named with their remedy."""

import errno
import gzip
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gsm_cli.data import find_dataset
from gsm_cli.data import mnist as mnist_files
from gsm_cli.data.files import download
from gsm_cli.data.split import load
from gsm_cli.errors import DataError, GsmError, UsageError

DIGITS, MNIST = find_dataset("digits"), find_dataset("mnist")
TRAIN, TEST = 400, 50
SMALL = replace(MNIST, validation=100)


def everything(split) -> list[np.ndarray]:
    return [split.labelled.pixels, split.unlabelled.pixels, split.validation.pixels, split.test.pixels]


class TestDigits:
    def test_sizes(self):
        assert [len(part) for part in everything(load(DIGITS, 100, 0))] == [100, 997, 300, 400]

    def test_parts_are_disjoint_and_together_everything(self):
        """The embedded set has 1,797 different images."""
        rows = np.concatenate(everything(load(DIGITS, 100, 0)))
        assert len(np.unique(rows, axis=0)) == len(rows) == 1797

    def test_labels_are_balanced_and_held_out_parts_stratified(self):
        split = load(DIGITS, 50, 3)
        assert set(np.bincount(split.labelled.classes)) == {5}
        for part in (split.validation, split.test):
            counts = np.bincount(part.classes) / len(part.classes)
            assert np.abs(counts - 0.1).max() < 0.01

    def test_a_part_has_of_every_class_its_share_to_within_one_image(self):
        split, shares = load(DIGITS, 50, 3), np.bincount(DIGITS.read(None, None).images.classes) / 1797
        test = np.bincount(split.test.classes)
        rest = 1797 * shares - test
        assert np.abs(test - 400 * shares).max() < 1
        assert np.abs(np.bincount(split.validation.classes) - 300 * rest / rest.sum()).max() < 1

    def test_the_classes_of_the_unlabelled_images_are_theirs(self):
        split, pool = load(DIGITS, 50, 3), DIGITS.read(None, None).images
        known = {image.tobytes(): kind for image, kind in zip(pool.pixels, pool.classes, strict=True)}
        assert [known[image.tobytes()] for image in split.unlabelled.pixels] == split.unlabelled.classes.tolist()

    @pytest.mark.parametrize(("name", "labels", "classes"), [("digits", 100, 3), ("digits-pairs", 500, 20)])
    def test_drawn_classes_keep_their_images(self, name, labels, classes):
        dataset = find_dataset(name)
        whole, part = load(dataset, labels, 1), load(dataset, labels, 1, classes=classes)
        assert part.classes == classes
        assert part.digest != whole.digest
        assert len(part.labelled.pixels) == labels * classes // whole.classes
        for ours, theirs in zip(everything(part), everything(whole), strict=True):
            assert 0 < len(ours) < len(theirs)
        named = dict(zip(map(bytes, whole.labelled.pixels), whole.labelled.classes.tolist(), strict=True))
        drawn = np.unique([named[bytes(image)] for image in part.labelled.pixels])
        for ours, theirs in [(part.unlabelled, whole.unlabelled), (part.test, whole.test)]:
            kept = np.isin(theirs.classes, drawn)
            assert np.array_equal(ours.pixels, theirs.pixels[kept])
            assert np.array_equal(drawn[ours.classes], theirs.classes[kept])  # numbered anew, in order
        assert set(part.test.classes) == set(range(classes))

    def test_the_seed_draws_the_classes_and_draws_all_alike(self):
        """Of 60 draws of 3 of the 10 digits each digit is expected in 18, with a standard deviation of 3.5."""
        pool = DIGITS.read(None, None).images
        images = dict(zip(map(bytes, pool.pixels), pool.classes.tolist(), strict=True))
        splits = [load(DIGITS, 100, seed, classes=3) for seed in range(60)]
        drawn = [frozenset(images[bytes(image)] for image in split.labelled.pixels) for split in splits]
        assert {len(each) for each in drawn} == {3}
        assert all(5 <= sum(digit in each for each in drawn) <= 31 for digit in range(10))
        assert load(DIGITS, 100, 7, classes=3).digest == splits[7].digest

    def test_all_classes_drawn_are_the_whole_split(self):
        whole, drawn = load(DIGITS, 100, 2), load(DIGITS, 100, 2, classes=10)
        for ours, theirs in zip(everything(drawn), everything(whole), strict=True):
            assert np.array_equal(ours, theirs)

    @pytest.mark.parametrize("classes", [1, 11])
    def test_classes_that_are_not_there_are_refused(self, classes):
        with pytest.raises(UsageError, match=f"classes must be from 2 to the 10 of digits, not {classes}"):
            load(DIGITS, 100, 0, classes=classes)

    def test_pixels_are_bytes_over_the_whole_range(self):
        split = load(DIGITS, 100, 0)
        assert split.unlabelled.pixels.dtype == np.uint8
        assert (split.unlabelled.pixels.min(), split.unlabelled.pixels.max()) == (0, 255)

    def test_a_seed_is_a_split(self):
        first, again, other = (load(DIGITS, 100, seed) for seed in (0, 0, 1))
        assert first.digest == again.digest != other.digest
        assert np.array_equal(first.unlabelled.pixels, again.unlabelled.pixels)

    @pytest.mark.parametrize("labels", [95, 5, 1, 1_000_000, 1110])
    def test_labels_that_cannot_be_had(self, labels):
        with pytest.raises(UsageError, match=rf"--labels must be .*, not {labels}: "):
            load(DIGITS, labels, 0)


@pytest.fixture
def mnist(tmp_path, monkeypatch) -> dict[str, bytes]:
    """A small MNIST made here: the contents of its four files, their digests in place of the true ones, no cache."""
    rng = np.random.default_rng(0)
    contents = {}
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        contents[f"{part}-images-idx3-ubyte"] = bytes(16) + rng.integers(0, 256, count * 784, dtype=np.uint8).tobytes()
        contents[f"{part}-labels-idx1-ubyte"] = bytes(8) + bytes(np.arange(count, dtype=np.uint8) % 10)
    monkeypatch.setattr(mnist_files, "FILES", {name: hashlib.sha256(c).hexdigest() for name, c in contents.items()})
    monkeypatch.setattr("gsm_cli.data.mnist.cache_dir", lambda: tmp_path / "cache")
    monkeypatch.delenv("GSM_DATA_DIR", raising=False)
    return contents


def put(folder: Path, contents: dict[str, bytes], zipped: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(content) if zipped else content)
    return folder


class TestMnist:
    @pytest.mark.parametrize("zipped", [True, False])
    @pytest.mark.parametrize("place", ["data_dir", "environment", "cache"])
    def test_is_found_wherever_it_may_lie(self, mnist, tmp_path, monkeypatch, place, zipped):
        folder = put(tmp_path / ("cache" if place == "cache" else "else"), mnist, zipped)
        if place == "environment":
            monkeypatch.setenv("GSM_DATA_DIR", str(folder))
        split = load(SMALL, 20, 0, folder if place == "data_dir" else None)
        assert [len(part) for part in everything(split)] == [20, TRAIN - 120, 100, TEST]
        assert np.array_equal(split.test.classes, np.arange(TEST) % 10)
        assert split.test.pixels.tobytes() == mnist["t10k-images-idx3-ubyte"][16:]

    @pytest.mark.parametrize("place", ["", "raw", "MNIST/raw"])
    @pytest.mark.parametrize("point", [True, False])
    def test_is_found_as_torchvision_and_others_lay_it_out(self, mnist, tmp_path, place, point):
        named = {name.replace("-idx", ".idx") if point else name: content for name, content in mnist.items()}
        put(tmp_path / "data" / place, named, zipped=False)
        assert len(load(SMALL, 20, 0, tmp_path / "data").unlabelled.classes) == TRAIN - 120

    @pytest.mark.parametrize("barrier", ["a file", "no permission"])
    def test_a_folder_that_cannot_be_read_is_no_missing_file(self, mnist, tmp_path, monkeypatch, barrier):
        path = tmp_path / "data"
        if barrier == "a file":
            path.write_text("")
        else:
            put(path, mnist)
            monkeypatch.setattr("os.access", lambda path, mode: False)
        with pytest.raises(DataError, match=r"data must be a folder that can be read, and is not: name another with"):
            load(SMALL, 20, 0, path, download)

    def test_the_named_folder_comes_before_the_environment(self, mnist, tmp_path, monkeypatch):
        monkeypatch.setenv("GSM_DATA_DIR", str(put(tmp_path / "bad", dict.fromkeys(mnist, b"bad"))))
        load(SMALL, 20, 0, put(tmp_path / "good", mnist))
        with pytest.raises(DataError, match="bad"):
            load(SMALL, 20, 0)

    @pytest.mark.parametrize("damage", ["bomb", "large", "truncated", "swapped", "not zipped", "cut content"])
    def test_a_damaged_file_is_named_and_left_alone(self, mnist, tmp_path, damage):
        folder = put(tmp_path / "data", mnist)
        path = folder / "train-labels-idx1-ubyte.gz"
        path.write_bytes(
            {
                "bomb": 3 * gzip.compress(bytes(2**26)),
                "large": bytes(2**26 + 1),
                "truncated": path.read_bytes()[:-20],
                "swapped": (folder / "t10k-labels-idx1-ubyte.gz").read_bytes(),
                "not zipped": b"\x1f\x8b not gzip",
                "cut content": gzip.compress(mnist["train-labels-idx1-ubyte"][:-1]),
            }[damage]
        )
        before = path.read_bytes()
        with pytest.raises(DataError) as refused:
            load(SMALL, 20, 0, folder)
        message = str(refused.value)
        assert str(path) in message
        assert ("more than 67,108,864 bytes" in message) == (damage in ("bomb", "large"))
        assert mnist_files.FILES["train-labels-idx1-ubyte"] in message
        assert "remove it to download it again" in message
        assert path.read_bytes() == before

    def test_nothing_found_says_where_it_looked_and_what_to_do(self, mnist, tmp_path):
        def no_network(urls: list[str], path: Path, sha256: str) -> None:
            raise OSError("no route")

        with pytest.raises(DataError) as refused:
            load(SMALL, 20, 0, tmp_path / "empty", no_network)
        message = str(refused.value)
        assert all(words in message for words in (str(tmp_path / "empty"), str(tmp_path / "cache"), "no route"))
        assert "--data-dir" in message
        assert "--dataset digits" in message

    def test_a_mirror_with_other_content_is_passed_over(self, mnist, tmp_path, monkeypatch):
        asked = []

        def retrieve(url: str, known_hash: None, fname: str, path: Path, downloader: object) -> None:
            asked.append(url)
            path.mkdir(parents=True, exist_ok=True)
            content = b"a login page" if url.startswith(mnist_files.MIRRORS[0]) else mnist[url.rpartition("/")[2][:-3]]
            (path / fname).write_bytes(content)

        monkeypatch.setattr("pooch.retrieve", retrieve)
        split = load(SMALL, 20, 0, None, download)
        assert len(split.unlabelled.classes) == TRAIN - 120
        assert len(asked) == 8
        assert {path.name for path in (tmp_path / "cache").iterdir()} == {f"{name}.gz" for name in mnist}

    def test_no_mirror_at_all_leaves_nothing_behind(self, mnist, tmp_path, monkeypatch):
        def retrieve(*_: object, **__: object) -> None:
            raise ConnectionError("refused")

        monkeypatch.setattr("pooch.retrieve", retrieve)
        with pytest.raises(DataError, match=r"no mirror gave it .*ConnectionError"):
            load(SMALL, 20, 0, None, download)
        assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())

    @pytest.mark.parametrize("code", ["EACCES", "EROFS", "ENOSPC", "a file"])
    def test_a_disk_that_refuses_is_no_fault_of_the_mirrors(self, mnist, tmp_path, monkeypatch, code):
        def retrieve(*_: object, **__: object) -> None:
            number = getattr(errno, code)
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("pooch.retrieve", retrieve)
        if code == "a file":
            (tmp_path / "cache").write_text("")
        with pytest.raises(GsmError, match=r"cache/train-images-idx3-ubyte\.gz cannot be written \(") as refused:
            load(SMALL, 20, 0, None, download)
        assert refused.value.exit_code == 1
        assert all(words in str(refused.value) for words in ("--data-dir", "XDG_CACHE_HOME"))
        assert "mirror" not in str(refused.value)


@pytest.fixture(scope="module")
def split():
    return load(find_dataset("digits-pairs"), 200, 0)


class TestPairs:
    """Of the digits: 8 x 16 pixels, the left half one digit and the right half another."""

    def test_sizes(self, split):
        assert (split.classes, split.shape) == (100, (8, 16))
        assert [len(part) for part in everything(split)] == [200, 1740, 750, 1000]

    def test_the_class_is_that_of_both_digits(self, split):
        """The halves are digits of the embedded set, whose classes are known."""
        from sklearn.datasets import load_digits

        pixels, classes = load_digits(return_X_y=True)
        known = {np.round(p * (255 / 16)).astype(np.uint8).tobytes(): k for p, k in zip(pixels, classes, strict=True)}
        for part in (split.labelled, split.validation, split.test):
            halves = part.pixels.reshape(-1, 8, 2, 8).transpose(2, 0, 1, 3).reshape(2, -1, 64)
            left, right = ([known[row.tobytes()] for row in half] for half in halves)
            assert np.array_equal(10 * np.array(left) + right, part.classes)

    def test_no_single_digit_is_in_two_parts(self, split):
        halves = [
            {row.tobytes() for row in part.reshape(-1, 8, 2, 8).transpose(0, 2, 1, 3).reshape(-1, 64)}
            for part in everything(split)
        ]
        assert sum(map(len, halves)) == len(set.union(*halves))

    def test_classes_are_even(self, split):
        assert set(np.bincount(split.labelled.classes)) == {2}
        for part in (split.validation, split.test):
            left = np.bincount(part.classes // 10)
            table = np.bincount(part.classes, minlength=100).reshape(10, 10)
            expected = left[:, None] * np.bincount(part.classes % 10) / len(part.classes)
            assert np.abs(table - expected).max() <= 5.0  # one for each of the five times

    def test_a_seed_is_a_split(self, split):
        again, other = (load(find_dataset("digits-pairs"), 200, seed) for seed in (0, 1))
        assert np.array_equal(again.unlabelled.pixels, split.unlabelled.pixels)
        assert again.digest == split.digest != other.digest

    @pytest.mark.parametrize("labels", [10, 150, 5000])
    def test_labels_that_cannot_be_had(self, labels):
        with pytest.raises(UsageError, match=r"--labels must be (a multiple of the 100 classes|at most \d+00), not"):
            load(find_dataset("digits-pairs"), labels, 0)

    def test_the_test_part_of_mnist_is_the_same_for_every_seed(self, mnist, tmp_path):
        pairs = replace(SMALL, name="mnist-pairs", paired=1)
        folder = put(tmp_path / "data", mnist)
        first, second = (load(pairs, 100, seed, folder) for seed in (0, 1))
        assert np.array_equal(first.test.pixels, second.test.pixels)
        assert not np.array_equal(first.unlabelled.pixels, second.unlabelled.pixels)


@pytest.mark.skipif("GSM_DATA_DIR" not in os.environ, reason="needs the real MNIST in GSM_DATA_DIR")
def test_real_mnist_is_split_as_in_the_article():
    split = load(MNIST, 100, 0, Path(os.environ["GSM_DATA_DIR"]))
    assert [len(part) for part in everything(split)] == [100, 49_900, 10_000, 10_000]
    assert set(np.bincount(split.labelled.classes)) == {10}
    assert len(mnist_files.FILES) == 4
