"""`gsm sample`, `gsm expectation` and `gsm grid` as a user meets them: files, stdout, stderr and exit codes."""

import json
from pathlib import Path

import pytest

from gsm_cli import __version__
from gsm_cli.errors import DataError
from gsm_cli.law import pictures

COMMANDS = ("sample", "expectation", "grid")


def files_in(folder: Path) -> set[str]:
    """Every file below `folder`, hidden ones too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def in_figures(*names: str) -> set[str]:
    return {f"figures/{name}" for name in names}


class TestFiles:
    @pytest.mark.parametrize(
        ("words", "names"),
        [
            (["sample", "--tau", "0.1"], ["original.png", "sample_1.png"]),
            (["sample", "--tau", "0.25", "--tau", "4.1"], ["original.png", "sample_2_5.png", "sample_41.png"]),
            (["sample", "--tau", "1", "--tau", "1.0"], ["original.png", "sample_10.png"]),
            (["sample"], ["original.png", "sample_1.png", "sample_10.png", "sample_50.png", "sample_1000.png"]),
            (
                ["sample", "--tau", "5", "--repeat", "10"],
                ["original.png", "sample_50.png", *(f"z_{r}.png" for r in range(10))],
            ),
            (["expectation", "--tau", "1e2", "--samples", "1"], ["expectation_1000.png"]),
            (["expectation", "--tau", "0.1", "--plain", "--format", "svg"], ["expectation_1.svg"]),
            (["grid", "--classes", "20", "--seed", "3"], ["grid.png"]),
            (["grid", "--tau", "1", "--draws", "1", "--format", "pdf"], ["grid.pdf"]),
        ],
        ids=" ".join,
    )
    def test_are_written_and_named_on_stdout(self, gsm, folder, words, names):
        result = gsm(*words)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [f"figures/{name}" for name in names]
        assert files_in(folder) == in_figures(*names)

    def test_go_where_out_says(self, gsm, folder):
        result = gsm("sample", "--tau", 0.1, "--out", "deep/er", "--format", "svg")
        assert result.stdout.splitlines() == ["deep/er/original.svg", "deep/er/sample_1.svg"]
        assert files_in(folder) == {"deep/er/original.svg", "deep/er/sample_1.svg"}

    def test_replace_their_predecessors(self, gsm, folder):
        gsm("sample", "--tau", 0.1)
        before = (folder / "figures/sample_1.png").read_bytes()
        gsm("sample", "--tau", 0.1, "--seed", 1)
        assert (folder / "figures/sample_1.png").read_bytes() != before
        assert files_in(folder) == in_figures("original.png", "sample_1.png")


class TestOutput:
    def test_json_holds_the_facts_and_the_paths_alone(self, gsm):
        result = gsm("expectation", "--probs", "0.5,0.3,0.2", "--samples", 10000, "--json")
        shown = json.loads(result.stdout)["results"]["figures"]
        assert [figure["path"] for figure in shown] == [f"figures/expectation_{n}.png" for n in (1, 10, 50, 1000)]
        assert [figure["temperatures"] for figure in shown] == [[0.1], [1], [5], [100]]
        for figure in shown:
            assert figure["command"].startswith("gsm expectation --tau ")
            assert (figure["version"], figure["seed"], figure["samples"]) == (__version__, 0, 10000)
            assert figure["probabilities"] == [0.5, 0.3, 0.2]
            assert max(map(abs, figure["z_score"])) < 5
            assert sum(figure["exact"]) == pytest.approx(1, abs=1e-5)
        assert result.stderr == ""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_json_says_what_the_png_says(self, gsm, folder, command):
        from PIL import Image

        for figure in json.loads(gsm(command, "--tau", 0.1, "--seed", 4, "--json").stdout)["results"]["figures"]:
            comment = json.loads(Image.open(folder / figure["path"]).text["Comment"])
            assert {key: figure[key] for key in comment} == comment

    def test_table_goes_to_stderr(self, gsm):
        result = gsm("expectation", "--tau", 1, "--tau", 5, "--samples", 50)
        assert result.stdout.splitlines() == ["figures/expectation_10.png", "figures/expectation_50.png"]
        for word in ("class", "π", "mean", "s.e.", "exact", "z-score", "τ = 1", "τ = 5", "0.7650", "0.6042", "0.2682"):
            assert word in result.stderr

    @pytest.mark.parametrize("command", ["sample", "grid"])
    def test_others_say_nothing_on_stderr(self, gsm, command):
        assert gsm(command, "--tau", 1).stderr == ""


LAW_MISTAKES = [
    (["--tau", "0"], "--tau", "not 0"),
    (["--tau", "-1"], "--tau", "not -1"),
    (["--tau", "nan"], "--tau", "not nan"),
    (["--tau", "1e-300"], "--tau", "not 1e-300"),
    (["--tau", "inf"], "--tau", "not inf"),
    (["--tau", "warm"], "--tau", "'warm'"),
    (["--tau", "1", "--tau", "0"], "--tau", "not 0"),
    (["--probs", "1.5,-0.5"], "--probs", "-0.5"),
    (["--probs", "0.5,0.6"], "--probs", "1.1"),
    (["--probs", "1e308,1e308"], "--probs", "not to inf"),
    (["--probs", "1"], "--probs", "two classes, not 1"),
    (["--probs", "nan,0.5"], "--probs", "nan,0.5"),
    (["--probs", "a,b"], "--probs", "'a,b'"),
    (["--logits", "0.5,0.5"], "--logits", "0.5,0.5"),
    (["--logits", "inf,0"], "--logits", "inf,0"),
    (["--probs", "0.5,0.5", "--logits", "1,2"], "--probs", "--logits"),
    (["--probs", "0.5,0.5", "--classes", "2"], "--probs", "--classes"),
    (["--classes", "1"], "--classes", "not 1"),
    (["--classes", "0"], "--classes", "not 0"),
    (["--classes", "two"], "--classes", "not two"),
    (["--seed", "-1"], "--seed", "not -1"),
    (["--seed", "0.5"], "--seed", "not 0.5"),
    (["--format", "gif"], "--format", "'gif'"),
    (["--temperature", "1"], "--temperature", "No such option"),
    (["more"], "more", "unexpected"),
]
OWN_MISTAKES = [
    (["sample", "--repeat", "-1"], "--repeat", "not -1"),
    (["sample", "--samples", "5"], "--samples", "No such option"),
    (["expectation", "--samples", "0"], "--samples", "not 0"),
    (["expectation", "--samples", "1.5"], "--samples", "not 1.5"),
    (["grid", "--samples", "0"], "--samples", "not 0"),
    (["grid", "--draws", "0"], "--draws", "not 0"),
    (["draw"], "draw", "No such command"),
    (["--verbose"], "--verbose", "No such option"),
]
MISTAKES = [([command, *words], name, value) for command in COMMANDS for words, name, value in LAW_MISTAKES]


class TestMistakes:
    @pytest.mark.parametrize(("words", "name", "value"), MISTAKES + OWN_MISTAKES, ids=str)
    def test_are_one_sentence_and_write_nothing(self, gsm, folder, words, name, value):
        result = gsm(*words)
        assert result.exit_code == 2
        assert result.stdout == ""
        (sentence,) = result.stderr.splitlines()
        assert sentence.startswith("gsm: ")
        assert name in sentence
        assert value in sentence
        rule, _, remedy = sentence.removeprefix("gsm: ").partition(": ")
        assert rule
        assert remedy
        assert files_in(folder) == set()

    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("out", ["taken", "taken/below"])
    def test_output_folder_that_is_a_file(self, gsm, folder, command, out):
        (folder / "taken").write_text("mine")
        result = gsm(command, "--tau", 1, "--out", out)
        assert result.exit_code == 1
        assert result.stdout == ""
        (sentence,) = result.stderr.splitlines()
        assert f"gsm: {out}/" in sentence
        assert "(a file stands where its folder should be): name a writable folder with --out" in sentence
        assert files_in(folder) == {"taken"}
        assert (folder / "taken").read_text() == "mine"

    def test_output_folder_that_is_not_writable(self, gsm, folder, monkeypatch):
        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.mkdir", refuse)
        result = gsm("sample", "--tau", 1, "--out", "locked")
        assert result.exit_code == 1
        assert result.stderr == (
            "gsm: locked/original.png cannot be written (Permission denied): name a writable folder with --out\n"
        )
        assert files_in(folder) == set()

    @pytest.mark.parametrize(
        ("trouble", "code", "sentence"),
        [
            (KeyboardInterrupt(), 130, ""),
            (DataError("no data: fetch some"), 3, "gsm: no data: fetch some\n"),
            (RuntimeError("odd"), 1, "gsm: RuntimeError (odd): this is a defect, "),
        ],
        ids=["interrupted", "data", "defect"],
    )
    def test_trouble_inside_has_its_exit_code_and_no_traceback(self, gsm, folder, monkeypatch, trouble, code, sentence):
        def fail(*_):
            raise trouble

        monkeypatch.setattr(pictures, "samples", fail)
        result = gsm("sample")
        assert result.exit_code == code
        assert result.stdout == ""
        assert result.stderr.startswith(sentence)
        assert "Traceback" not in result.stderr
        assert files_in(folder) == set()

    def test_debug_shows_the_traceback_too(self, gsm):
        result = gsm("--debug", "sample", "--tau", 0)
        assert result.exit_code == 2
        assert result.stderr.startswith("Traceback")
        assert result.stderr.splitlines()[-1].startswith("gsm: --tau must be positive")
        assert "Traceback" not in gsm("sample", "--tau", 0).stderr


class TestFailingDisk:
    """What stood before a failing write still stands, and no temporary file stays."""

    @pytest.fixture(params=["os.fsync", "pathlib.Path.replace", "gsm_cli.style.render"])
    def broken(self, request, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        return lambda: monkeypatch.setattr(request.param, full)

    def test_leaves_the_old_figures(self, gsm, folder, broken):
        gsm("sample", "--tau", 0.1)
        before = {name: (folder / name).read_bytes() for name in files_in(folder)}
        broken()
        result = gsm("sample", "--tau", 0.1, "--seed", 1)
        assert result.exit_code == 1
        assert "No space left on device" in result.stderr
        assert result.stdout == ""
        assert {name: (folder / name).read_bytes() for name in files_in(folder)} == before

    def test_leaves_nothing_where_nothing_was(self, gsm, folder, broken):
        broken()
        assert gsm("sample", "--tau", 0.1).exit_code == 1
        assert files_in(folder) == set()

    def test_interrupted_write_leaves_the_old_figures(self, gsm, folder, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        gsm("sample", "--tau", 0.1)
        before = (folder / "figures/original.png").read_bytes()
        monkeypatch.setattr("os.fsync", interrupt)
        assert gsm("sample", "--probs", "0.5,0.5").exit_code == 130
        assert (folder / "figures/original.png").read_bytes() == before
        assert files_in(folder) == in_figures("original.png", "sample_1.png")


class TestHelp:
    @pytest.mark.parametrize("flag", ["--help", "-h"])
    @pytest.mark.parametrize("command", COMMANDS)
    def test_names_every_option(self, gsm, command, flag):
        result = gsm(command, flag)
        assert result.exit_code == 0
        assert f"Usage: gsm {command} [OPTIONS]" in result.stdout
        options = {"--tau", "--probs", "--logits", "--classes", "--seed", "--out", "--format", "--json"}
        own = {"sample": {"--repeat"}, "expectation": {"--samples", "--plain"}, "grid": {"--samples", "--draws"}}
        for option in options | own[command]:
            assert f"  {option}" in result.stdout

    @pytest.mark.parametrize("words", [[], ["--help"], ["-h"]], ids=str)
    def test_of_gsm_lists_the_commands(self, gsm, words):
        result = gsm(*words)
        assert result.exit_code == 0
        assert "Usage: gsm [OPTIONS] COMMAND" in result.stdout
        for command in COMMANDS:
            assert f"\n  {command} " in result.stdout

    def test_version(self, gsm):
        result = gsm("--version")
        assert (result.exit_code, result.stdout) == (0, f"gsm {__version__}\n")
