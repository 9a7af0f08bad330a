"""Wrong words: what may have been meant, where help is, one sentence each; and --debug wherever it stands."""

import pytest

from gsm_cli.cli.app import ErrorBoundary
from gsm_cli.cli.usage import command_of, take_flags


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("train-ssl", "--objective", "gumbl"), "gumbel"),
        (("gradients", "--objective", "straight-trough"), "straight-through"),
        (("cost", "--objective", "marginalise"), "marginalize"),
        (("train-ssl", "--dataset", "digts"), "digits"),
        (("gradients", "--dataset", "mnits"), "mnist"),
        (("train-ssl", "--dataset", "mnist", "--preset", "artcle"), "article"),
        (("train-ssl", "--set", "epohcs=3"), "epochs"),
        (("train-ssl", "--sweep", "latnet=3,4"), "latent"),
        (("train-ssl", "--set", "norm=bath"), "batch"),
        (("train-ssl", "--device", "cud"), "cuda"),
        (("cost", "--model", "adgn"), "adgm"),
        (("cost", "--precision", "float23"), "float32"),
        (("train-ssl", "--epoch-s", "3"), "--epochs"),
        (("report", "--chek"), "--check"),
        (("trian-ssl",), "'train-ssl'"),
        (("train-ssl", "--lr", "1"), "--learning-rate"),
        (("train-ssl", "--temperature", "1"), "--tau"),
        (("train-ssl", "--latent", "8"), "--set latent=VALUE"),
        (("train-ssl", "--latnt", "8"), "--set latent=VALUE"),
        (("train-ssl", "--seed", "8"), "--seeds"),
        (("train-ssl", "--set", "lr=1"), "learning_rate"),
        (("sample", "-o", "here"), "--out"),
        (("sample", "--seeds", "1"), "--seed"),
        (("expectation", "-n", "3"), "--samples"),
        (("cost", "--num-classes", "3"), "--classes"),
        (("settings", "lr"), "learning_rate"),
    ],
    ids=str,
)
def test_a_name_that_is_close_to_one_that_is_there_is_asked_for(gsm, words, meant):
    result = gsm(*words)
    assert result.exit_code == 2
    assert f": did you mean {meant}?" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("train-ssl", "--epohcs", "3"), "gsm train-ssl"),
        (("cost", "--rounds"), "gsm cost"),
        (("report", "one", "another"), "gsm report"),
        (("animate", "--format", "png"), "gsm animate"),
        (("nothing",), "gsm"),
        (("--nothing",), "gsm"),
    ],
    ids=str,
)
def test_what_the_parser_refuses_names_the_help_of_its_command(gsm, words, command):
    result = gsm(*words)
    assert result.exit_code == 2
    assert result.stderr.lower().endswith(f"see {command} --help\n")


@pytest.mark.parametrize(
    "words",
    [
        ("--debug", "train-ssl", "--objective", "none"),
        ("train-ssl", "--debug", "--objective", "none"),
        ("train-ssl", "--objective", "none", "--debug"),
    ],
    ids=str,
)
def test_debug_shows_the_traceback_wherever_it_stands(gsm, words):
    result = gsm(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("Traceback")
    assert result.stderr.splitlines()[-1].startswith("gsm: --objective must be one of")
    assert "Traceback" not in gsm("train-ssl", "--objective", "none").stderr
    assert not ErrorBoundary.debug


def test_behind_two_hyphens_stand_no_options():
    assert take_flags(["report", "-q", "--", "--debug"]) == ({"quiet"}, ["report", "--", "--debug"])
    assert command_of(["--debug"]) == "gsm"


def test_a_sentence_has_no_line_break(gsm, folder, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("refused\nby a proxy\r\nthat says much")

    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr("gsm_cli.data.mnist.cache_dir", lambda: folder / "cache")
    result = gsm("train-ssl", "--dataset", "mnist", "--data-dir", "here")
    assert result.exit_code == 3
    assert "no mirror gave it" in result.stderr
    assert result.stderr.count("gsm: ") == 1
    assert len(gsm("report", "--margin", "1\n2").stderr.splitlines()) == 1
