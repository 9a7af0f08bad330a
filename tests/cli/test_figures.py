"""The commands that draw the law as a user meets them: files, stdout, stderr and exit codes."""

import json
import os
import re
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from gsm_cli import __version__
from gsm_cli.errors import DataError
from gsm_cli.law import animation, looks, pictures

COMMANDS = ("sample", "expectation", "grid", "simplex")


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
                ["sample", "--tau", "5", "--repeat", "11", "--format", "svg"],
                ["original.svg", "sample_50.svg", *(f"z_{r}.svg" for r in range(11))],
            ),
            (["expectation", "--tau", "1e2", "--samples", "1"], ["expectation_1000.png"]),
            (["expectation", "--tau", "0.1", "--plain", "--format", "svg"], ["expectation_1.svg"]),
            (["grid", "--classes", "20", "--seed", "3"], ["grid.png"]),
            (["grid", "--tau", "1", "--draws", "1", "--format", "pdf"], ["grid.pdf"]),
            (["sample", "--tau", "0.1,1", "--tau", "5"], ["original.png", *(f"sample_{n}.png" for n in (1, 10, 50))]),
            (["sample", "--logits", "-0.7,-1.2,-1.6", "--tau", "1"], ["original.png", "sample_10.png"]),
            (["simplex", "--tau", "1"], ["simplex.png"]),
            (["simplex", "--classes", "3", "--tau", "1", "--format", "svg"], ["simplex.svg"]),
            (["animate", "--dpi", "40"], ["temperature.gif"]),
            (["animate", "--simplex", "--dpi", "40", "--to", "1"], ["temperature_simplex.gif"]),
            (["explore", "--classes", "20", "--seed", "3"], ["explore.html"]),
        ],
        ids=" ".join,
    )
    def test_are_written_and_named_on_stdout(self, gsm, folder, monkeypatch, words, names):
        monkeypatch.setattr(animation, "STEPS", 4)
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

    def test_a_table_of_many_classes_names_the_largest(self, gsm):
        result = gsm("expectation", "--tau", 1, "--classes", 1000, "--json")
        facts = json.loads(result.stdout)["results"]["figures"][0]
        lines = gsm("expectation", "--tau", 1, "--classes", 1000).stderr.splitlines()
        rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
        assert len(rows) == 20
        largest = sorted(range(1000), key=lambda k: -facts["exact"][k])
        assert [row[0] for row in rows] == [str(k + 1) for k in largest[:20]]
        assert rows[0][4] == f"{facts['exact'][largest[0]]:.4f}"

    def test_a_table_names_the_classes(self, gsm):
        result = gsm("expectation", "--tau", 1, "--probs", "0.5,0.5", "--class-names", "cat,[red]dog")
        assert " cat │" in result.stderr
        assert "[red]dog │" in result.stderr

    def test_a_table_has_digits_of_a_small_error(self, gsm):
        lines = gsm("expectation", "--tau", 100000, "--classes", 6).stderr.splitlines()
        errors = [line.split("│")[4].strip() for line in lines if line.startswith("│")]
        assert len(errors) == 6
        assert all(re.fullmatch(r"[1-9]\.\de-07", error) for error in errors)

    @pytest.mark.parametrize("command", ["sample", "grid", "simplex"])
    def test_others_say_nothing_on_stderr(self, gsm, command):
        assert gsm(command, "--tau", 1).stderr == ""


LAW_MISTAKES = [
    (["--tau", "0"], "--tau", "not 0"),
    (["--tau", "-1"], "--tau", "not -1"),
    (["--tau", "nan"], "--tau", "not 'nan'"),
    (["--tau", "1e-300"], "--tau", "not 1e-300"),
    (["--tau", "inf"], "--tau", "not 'inf'"),
    (["--tau", "warm"], "--tau", "'warm'"),
    (["--tau", "1", "--tau", "0"], "--tau", "not 0"),
    (["--tau", "1,0"], "--tau", "not 0"),
    (["--tau", ",".join(map(str, range(1, 260)))], "--tau", "not 259"),
    (["--tau", "9" * 5000], "--tau", "9" * 60 + "…: "),
    (["--probs", "0.5," + "9" * 5000], "--probs", "9" * 55 + "…: "),
    (["--classes", "100000"], "--classes", "from 2 to 10,000, not 100000"),
    (["--classes", "1" + "0" * 30], "--classes", "from 2 to 10,000, not 1000000000"),
    (["--class-names", "a,b"], "--class-names", "not 2"),
    (["--dpi", "29"], "--dpi", "from 30 to 1,200, not 29"),
    (["--dpi", "1e3"], "--dpi", "not 1e3"),
    (["--size", "6"], "--size", "not 6"),
    (["--size", "40x40", "--dpi", "1200"], "--dpi", "2,304,000,000"),
    (["--size", "1.5x1.5"], "--size", "not 1.5 by 1.5"),
    (["--title", ""], "--title", "not ''"),
    (["--font-size", "0"], "--font-size", "from 5 to 72, not 0"),
    (["--font-size", "nan"], "--font-size", "not 'nan'"),
    (["--font-size", "1e9"], "--font-size", "not 1e9"),
    (["--font-size", "60"], "--font-size", "room for them"),
    (["--font-size", "20", "--size", "3x2"], "--font-size", "not 3 by 2"),
    (["--font", "No Such Font"], "--font", "'No Such Font'"),
    (["--font", "nowhere/mine.ttf"], "--font", "No such file"),
    (["--font", ""], "--font", "''"),
    (["--style", "neon"], "--style", "'neon'"),
    (["--probs", "nowhere.txt"], "--probs", "'nowhere.txt'"),
    (["--probs", "2,1"], "--normalize", "not to 3"),
    (["--normalize"], "--normalize", "--probs"),
    (["--format", "png,gif"], "--format", "not 'gif'"),
    (["--format", ""], "--format", "''"),
    (["--probs", "1.5,-0.5"], "--probs", "-0.5"),
    (["--probs", "0.5,0.6"], "--probs", "1.1"),
    (["--probs", "1e308,1e308"], "--probs", "not beyond 1e308"),
    (["--probs", "1"], "--probs", "two classes, not 1"),
    (["--probs", "nan,0.5"], "--probs", "nan,0.5"),
    (["--probs", "a,b"], "--probs", "'a,b'"),
    (["--logits", "0.5,0.5"], "--logits", "0.5,0.5"),
    (["--logits", "inf,0"], "--logits", "inf,0"),
    (["--probs", "0.5,0.5", "--logits", "1,2"], "--probs", "--logits"),
    (["--probs", "0.5,0.5", "--classes", "2"], "--probs", "--classes"),
    (["--classes", "1"], "--classes", "not 1"),
    (["--classes", "0"], "--classes", "not 0"),
    (["--classes", "two"], "--classes", "not 'two'"),
    (["--seed", "-1"], "--seed", "not -1"),
    (["--seed", "0.5"], "--seed", "not 0.5"),
    (["--format", "gif"], "--format", "not 'gif'"),
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
    (["sample", "--repeat", "100000"], "--repeat", "from 0 to 1,000, not 100000"),
    (["expectation", "--samples", "1000000000"], "--samples", "not 1000000000: take fewer"),
    (["expectation", "--samples", "1" + "0" * 30], "--samples", "from 1 to 1,000,000,000, not 1000000000000"),
    (["expectation", "--samples", "1000000", "--classes", "10000"], "--samples", "at most 25000"),
    (["grid", "--samples", "1000000000"], "--samples", "not 1000000000: take fewer"),
    (["grid", "--draws", "51"], "--draws", "from 1 to 50, not 51"),
    (["grid", "--tau", ",".join(map(str, range(1, 22)))], "--tau", "at most 20 temperatures, not 21"),
    (["simplex", "--samples", "10001"], "--samples", "from 1 to 10,000, not 10001"),
    (["simplex", "--probs", "0.5,0.5"], "--probs", "not 2"),
    (["simplex", "--classes", "4"], "three classes", "not 4"),
    (["simplex", "--probs", "0.5,0.5,0"], "--probs", "one is 0"),
    (["animate", "--tau", "1"], "--tau", "No such option"),
    (["animate", "--from", "0"], "--from", "not 0"),
    (["animate", "--to", "cold"], "--to", "'cold'"),
    (["animate", "--from", "1", "--to", "1.0"], "--to", "are 1 and 1: name"),
    (["animate", "--classes", "41"], "film", "not 41"),
    (["animate", "--simplex", "--probs", "0.5,0.5"], "--probs", "not 2"),
    (["animate", "--samples", "1000000000"], "--samples", "not 1000000000: take fewer"),
    (["animate", "--style", "transparent"], "--style", "take light or dark"),
    (["explore", "--tau", "0"], "--tau", "not 0"),
    (["explore", "--tau", "1,2"], "--tau", "'1,2'"),
    (["explore", "--probs", "0.5,0.6"], "--probs", "1.1"),
    (["explore", "--classes", "21"], "2 to 20 classes", "not 21: write for example --probs"),
    (["explore", "--logits", ",".join(["0"] * 300 + ["2"])], "2 to 20 classes", "not 301"),
    (["explore", "--format", "png"], "--format", "No such option"),
    (["draw"], "draw", "No such command"),
    (["--loud"], "--loud", "No such option"),
]
MISTAKES = [  # what all commands take they read in one place: each mistake with one of them, and each of them with many
    ([command, *words], name, value)
    for command, (words, name, value) in zip(cycle(COMMANDS), LAW_MISTAKES, strict=False)
]


class TestMistakes:
    @pytest.mark.parametrize(("words", "name", "value"), MISTAKES + OWN_MISTAKES, ids=lambda part: str(part)[:60])
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

    @pytest.mark.parametrize(("command", "out"), [*zip(COMMANDS, cycle(["taken", "taken/below"]), strict=False)])
    def test_output_folder_that_is_a_file(self, gsm, folder, command, out):
        (folder / "taken").write_text("mine")
        result = gsm(command, "--tau", 1, "--out", out)
        assert result.exit_code == 1
        assert result.stdout == ""
        (sentence,) = result.stderr.splitlines()
        assert f"gsm: {out}/" in sentence
        assert "(a file stands where its folder should be): see to its folder, or write elsewhere" in sentence
        assert files_in(folder) == {"taken"}
        assert (folder / "taken").read_text() == "mine"

    def test_output_folder_that_is_not_writable(self, gsm, folder, monkeypatch):
        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.mkdir", refuse)
        result = gsm("sample", "--tau", 1, "--out", "locked")
        assert result.exit_code == 1
        assert result.stderr == (
            "gsm: locked/original.png cannot be written (Permission denied): see to its folder, or write elsewhere\n"
        )
        assert files_in(folder) == set()

    @pytest.mark.parametrize(
        ("trouble", "code", "sentence"),
        [
            (KeyboardInterrupt(), 130, "gsm: interrupted; "),
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

    @pytest.fixture(params=["os.fsync", "pathlib.Path.replace", "gsm_cli.style.Picture.encode"])
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
        options = {
            "--class-names",
            "--title",
            "--size",
            "--dpi",
            "--style",
            "--font-size",
            "--font",
            "--normalize",
            "--tau",
            "--probs",
            "--logits",
            "--classes",
            "--seed",
            "--out",
            "--format",
            "--json",
        }
        own = {"sample": {"--repeat"}, "expectation": {"--samples", "--plain"}, "grid": {"--samples", "--draws"}}
        own["simplex"] = {"--samples"}
        for option in options | own[command]:
            assert f"  {option}" in result.stdout

    @pytest.mark.parametrize("words", [[], ["--help"], ["-h"]], ids=str)
    def test_of_gsm_lists_the_commands(self, gsm, words):
        result = gsm(*words)
        assert result.exit_code == 0
        assert "Usage: gsm [OPTIONS] COMMAND" in result.stdout
        for command in (*COMMANDS, "animate", "explore"):
            assert f"\n  {command} " in result.stdout

    def test_version(self, gsm):
        result = gsm("--version")
        assert (result.exit_code, result.stdout) == (0, f"gsm {__version__}\n")


ENVIRONMENTS = [
    {"MPLBACKEND": "unknown"},
    {"SOURCE_DATE_EPOCH": "abc"},
    {"SOURCE_DATE_EPOCH": "1"},
    {"MATPLOTLIBRC": "."},
]
SETTINGS = [b"font.size: 30\nsavefig.dpi: 30\n", b"\xff\xfe nothing to read", b"no colon here\nfont.size: ten\n"]


class TestEnvironment:
    """Neither a variable nor a file of settings changes what is written, or whether it is."""

    def write(self, folder, name, format, environment, settings=None):
        here = folder / name
        here.mkdir()
        if settings is not None:
            (here / "matplotlibrc").write_bytes(settings)
        words = [sys.executable, "-m", "gsm_cli", "expectation", "--tau", "1", "--format", format, "--json"]
        finished = subprocess.run(words, cwd=here, env=os.environ | environment, capture_output=True, text=True)
        assert (finished.returncode, finished.stderr) == (0, "")
        return (here / f"figures/expectation_10.{format}").read_bytes()

    @pytest.mark.parametrize(("format", "settings"), [*zip(["svg", "pdf", "png"], SETTINGS, strict=True)])
    def test_variables_and_a_file_in_the_working_folder(self, folder, format, settings):
        plain = self.write(folder, "plain", format, {})
        together = {name: value for environment in reversed(ENVIRONMENTS) for name, value in environment.items()}
        assert self.write(folder, "other", format, together, settings) == plain

    def test_the_reports_are_drawn_by_the_same_rules(self, folder):
        (folder / "matplotlibrc").write_bytes(SETTINGS[1])
        code = "from gsm_cli.style import house_style\nwith house_style():\n    import matplotlib as mpl\n"
        code += "print(mpl.get_backend())"
        finished = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | ENVIRONMENTS[0], capture_output=True, text=True
        )
        assert (finished.stdout, finished.stderr) == ("agg\n", "")


def test_class_names_that_no_font_can_write_are_refused(gsm, folder, monkeypatch):
    monkeypatch.setattr(looks, "_all", list)
    result = gsm("sample", "--tau", "1", "--probs", "0.5,0.5", "--class-names", "ja,否")
    assert result.exit_code == 2
    assert result.stderr == (
        "gsm: --class-names must be of characters that the font of figures has, and it has no 否: install one, such as "
        "Noto Sans CJK JP for Japanese (fonts.google.com/noto), and write its name after --font\n"
    )
    assert not list(folder.iterdir())


def piped(folder, words, numbers):
    """What a process of gsm says to whose stdin these bytes are written."""
    made = subprocess.run([sys.executable, "-m", "gsm_cli", *words], cwd=folder, input=numbers, capture_output=True)
    return made.returncode, made.stdout.decode(), made.stderr.decode()


class TestNumbers:
    def test_from_a_pipe_make_the_very_bytes_of_those_that_are_typed(self, gsm, folder):
        words = ["sample", "--tau", "1", "--probs"]
        assert gsm(*words, "0.6,0.3,0.1").exit_code == 0
        expected = (folder / "figures/sample_10.png").read_bytes()
        assert piped(folder, [*words, "-", "--out", "piped"], b"[0.6 0.3;\n 0.1]") == (
            0,
            "piped/original.png\npiped/sample_10.png\n",
            "",
        )
        assert (folder / "piped/sample_10.png").read_bytes() == expected
        (folder / "law.csv").write_bytes(b"\xef\xbb\xbf0.6\r\n0.3\r\n0.1\r\n")
        assert gsm(*words, "law.csv", "--out", "read").exit_code == 0
        assert (folder / "read/sample_10.png").read_bytes() == expected

    @pytest.mark.parametrize(
        ("numbers", "reason"),
        [
            (b"", "it is empty"),
            (b" \n", "it is empty"),
            (b"\xff\x00", "it is no text"),
            (500_001 * b"1 ", "it has more than 1,000,000 bytes"),
        ],
        ids=["empty", "blank", "binary", "too many"],
    )
    def test_that_are_none_are_refused(self, folder, numbers, reason):
        sentence = f"gsm: stdin must hold numbers ({reason}): write for example -0.7,-1.2,-1.6\n"
        assert piped(folder, ["explore", "--logits", "-"], numbers) == (3, "", sentence)
        assert not list(folder.iterdir())


class TestFormats:
    def test_are_a_list_each_once(self, gsm, folder):
        result = gsm("expectation", "--tau", 1, "--plain", "--format", "svg, png", "--format", "svg,pdf", "--json")
        names = [f"figures/expectation_10.{each}" for each in ("svg", "png", "pdf")]
        figures = json.loads(result.stdout)["results"]["figures"]
        assert [figure.pop("path") for figure in figures] == names
        assert figures[0] == figures[1] == figures[2]
        assert files_in(folder) == set(names)


@pytest.mark.parametrize("words", [["sample"], ["train-ssl", "--epochs", 1], ["report"]])
def test_a_folder_without_a_name_is_refused(gsm, folder, words):
    """As of a variable that is not set: it would be the folder at hand."""
    result = gsm(*words, "--tensorboard" if words == ["report"] else "--out", "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("gsm: a folder must have a name, and this one is empty: ")
    assert files_in(folder) == set()


@pytest.mark.parametrize("out", ["pic.png", "deep/PIC.SVG", "film.gif"])
def test_a_file_for_an_output_folder_is_refused_unless_it_is_one(gsm, folder, out):
    result = gsm("sample", "--tau", 1, "--out", out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"gsm: --out must be a folder, for figures name themselves, not {out}: leave .")
    assert files_in(folder) == set()
    (folder / out).mkdir(parents=True)
    assert gsm("sample", "--tau", 1, "--out", out).exit_code == 0
