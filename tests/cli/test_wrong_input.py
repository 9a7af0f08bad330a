"""Wrong input of every option: one sentence with the rule, the value and the remedy, and nothing is written."""

import os

import pytest

from gsm_cli.cli.app import load
from gsm_cli.errors import GsmError

HUGE = "1" + "0" * 30
ODD = (
    *(
        "",
        " ",
        "1\n2",
        "x" * 5000,
        "9" * 5000,
        "é",
        HUGE,
        "-1",
        "nan",
        "1e400",
        "[]",
        "{}",
        ",",
        "=",
        "1,,2",
        "0-",
        "none",
    ),
    *(
        "\udcff",
        "/dev/null",
        "folder",
        "binary.toml",
        "a=b",
        "=1",
        "tau=1\n2",
        "hidden=1xx2",
        "objective=[]",
        "dataset=0",
    ),
    *("mine.py:", ":Mine", "binary.toml:Y", "mine.npz"),
)
REACHED = "what was asked would be done"
PARAMETERS = [
    (command, next((name for name in parameter.opts if name.startswith("--")), ""))
    for command in ("train-ssl", "gradients", "cost", "report", "settings")
    for parameter in load(command).params
    if not getattr(parameter, "is_flag", False) and parameter.name not in ("out", "data_dir")
]


@pytest.fixture
def nothing_runs(folder, monkeypatch):
    """What is asked is read and checked, and not done."""
    for name in [name for name in os.environ if name.startswith("GSM_")]:
        monkeypatch.delenv(name)

    def stop(*_: object) -> None:
        raise GsmError(REACHED)

    for place in ("train._run", "measuring.find"):
        monkeypatch.setattr(f"gsm_cli.cli.{place}", stop)
    (folder / "folder").mkdir()
    (folder / "binary.toml").write_bytes(b"\xff\xfe\x00")


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("command", "option"), PARAMETERS, ids=lambda word: word)
def test_odd_values_of_every_option(gsm, folder, command, option):
    before = sorted(folder.rglob("*"))
    for value in ODD:
        result = gsm(command, *([option] if option else []), value)
        if REACHED not in result.stderr and result.exit_code:
            assert result.exit_code in (2, 3), f"{value!r}: {result.stderr}"
            (sentence,) = (line for line in result.stderr.splitlines() if line.startswith("gsm: "))
            assert ": " in sentence.removeprefix("gsm: ")
            assert "defect" not in sentence
            assert len(sentence) < 600
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("train-ssl", "--epochs", "1\n2"), r"--epochs must be a whole number from 1 to 1,000,000, not '1\n2'"),
        (("gradients", "--images", "1\n2"), r"--images must be a whole number from 1 to 1,000,000, not '1\n2'"),
        (("train-ssl", "--preset", "none"), "--preset must be one of laptop for digits, not 'none'"),
        (("train-ssl", "--preset", ""), "--preset must be one of laptop for digits, not ''"),
        (("train-ssl", "--epochs", "abc", "--set", "epochs=1"), "--epochs must be a whole number"),
        (("train-ssl", "--seeds", "0-100000000"), "--seeds must be at most 10,000 seeds, not 0-100000000"),
        (("train-ssl", "--seeds", "0-5999", "--seeds", "6000-11999"), "--seeds must be at most 10,000 seeds"),
        (("gradients", "--seeds", "0-100000000"), "--seeds must be at most 10,000 seeds"),
        (("train-ssl", "--seeds", "0-9999", "--tau", ",".join(map(str, range(1, 12)))), "must be at most 100,000 runs"),
        (("train-ssl", "--set", f"labelled_batch={HUGE}"), f"a whole number from 1 to 100,000, not {HUGE}"),
        (("train-ssl", "--batch-size", HUGE), "a whole number from 1 to 100,000, not"),
        (("train-ssl", "--set", f"hidden={HUGE}"), "one to twenty whole numbers from 1 to 10,000, not"),
        (("train-ssl", "--set", "hidden=" + ",".join("8" * 21)), "one to twenty whole numbers from 1 to 10,000, not"),
        (("train-ssl", "--set", f"latent={HUGE}"), "a whole number from 1 to 10,000, not"),
        (("train-ssl", "--set", f"auxiliary={HUGE}"), "a whole number from 1 to 10,000, not"),
        (("train-ssl", "--set", f"classes={HUGE}"), "a whole number from 2 to 10,000, not"),
        (("train-ssl", "--mc-samples", HUGE), "a whole number from 1 to 1,000, not"),
        (("train-ssl", "--set", f"draws={HUGE}"), "--set draws of gumbel must be a whole number from 1 to 1,000, not"),
        (("train-ssl", "--labels", HUGE), "a whole number from 1 to 1,000,000, not"),
        (("train-ssl", "--jobs", HUGE), "--jobs must be auto or a whole number from 1 to 1,000, not"),
        (("cost", "--rounds", HUGE), "--rounds must be a whole number from 1 to 1,000, not"),
        (("cost", "--classes", HUGE), "--classes must be a whole number from 2 to 100,000, not"),
        (("cost", "--classes", "2,x"), "--classes must be a whole number from 2 to 100,000, not 'x'"),
        (("cost", "--classes", "2", "--classes", "1"), "--classes must be a whole number from 2 to 100,000, not 1"),
        (("cost", "--batch-size", HUGE), "--batch-size must be a whole number from 1 to 100,000, not"),
        (("cost", "--seed", HUGE), "--seed must be a whole number from 0 on, of at most 18 digits, not"),
        (("gradients", "--replicates", HUGE), "--replicates must be a whole number from 10 to 1,000,000, not"),
        (("gradients", "--classes", HUGE), "--classes must be a whole number from 2 to 10,000, not"),
        (("gradients", "--tau", "0.5,abc"), "--tau must be a number, not 'abc'"),
        (("gradients", "--tau", "0.5", "--tau", "1,0"), "--tau must be positive and finite, not 0"),
        (("train-ssl", "--tau", "0.5", "--tau", "1,0"), "--tau of gumbel must be positive and finite, not 0"),
        (("train-ssl", "--objective", "gumbel", "--objective", "sum,reinmax"), "--objective must be one of"),
        (("train-ssl", "--dataset", "digits,mnits"), "--dataset must be one of"),
        (("train-ssl", "--seeds", "0,1-,3"), "--seeds must be whole numbers and ranges, not 1-"),
        (("report", "--margin", ""), "--margin must be above 0 and below 100 points, not ''"),
        (("report", "x" * 300), "cannot be read (File name too long)"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_sentence_says_which(gsm, words, sentence):
    result = gsm(*words)
    assert result.exit_code == (3 if words[0] == "report" and "--margin" not in words else 2)
    assert sentence in result.stderr
    assert result.stderr.count("gsm: ") == 1


@pytest.mark.usefixtures("nothing_runs")
def test_a_file_with_a_byte_order_mark_is_read(gsm, folder):
    (folder / "a.toml").write_bytes(b"\xef\xbb\xbfepochs = 3\n")
    assert REACHED in gsm("train-ssl", "--config", "a.toml").stderr


def test_the_most_probable_classes_are_fewer_than_all(gsm, folder):
    for top in (10, 11):
        result = gsm("train-ssl", "--objective", "sum-and-sample", "--set", f"top={top}", "--jobs", 1)
        assert result.exit_code == 2
        assert f"top must be less than the 10 classes, not {top}: lower it" in result.stderr
    assert not list(folder.rglob("*.json"))
