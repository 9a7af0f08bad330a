"""`gsm train-ssl` as a user meets it: files, reuse, precedence of settings, exit codes and sentences."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gsm_cli.cli.plan import read_plan
from gsm_cli.data import DATASETS, find_dataset
from gsm_cli.data.split import load
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.run import read_run
from gsm_cli.runs import steps, training

QUICK = ("train-ssl", "--set", "hidden=8", "--batch-size", 200, "--epochs", 2)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GSM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GSM_JOBS", "1")  # what a test changes is changed in this process alone


def records(folder) -> dict[str, object]:
    """By file name, without the digest."""
    found = sorted((folder / "reports/digits-100/records").glob("*.json"))
    return {f"{path.stem.rsplit('-', 2)[0]} {path.stem.rsplit('-', 1)[1]}": read_run(path) for path in found}


class TestRuns:
    def test_default_objectives_and_paths(self, gsm, folder):
        result = gsm(*QUICK)
        assert result.exit_code == 0, result.stderr
        assert set(records(folder)) == {"marginalize 0", "gumbel 0"}
        *paths, report = result.stdout.splitlines()
        assert [path.rpartition("/")[2].rsplit("-", 2)[0] for path in paths] == ["marginalize", "gumbel"]
        assert report == "reports/digits-100/report.md"
        assert all((folder / path).is_file() for path in (*paths, report))
        assert not list(folder.rglob("*.pt"))

    def test_seeds_and_objectives(self, gsm, folder):
        assert gsm(*QUICK, "--objective", "supervised", "--seeds", "0,3").exit_code == 0
        assert set(records(folder)) == {"supervised 0", "supervised 3"}

    def test_a_plain_line_for_every_epoch_when_stderr_is_no_terminal(self, gsm):
        *said, first, second, third, answer = gsm(*QUICK, "--objective", "gumbel").stderr.splitlines()
        assert said == ["1 run of gumbel on digits, into reports/digits-100", "1 to train: loading PyTorch …"]
        assert first.startswith("[1/1] gumbel seed 0 epoch 1 bound -")
        assert re.search(r" validation accuracy \d\d\.\d\d % tau 0\.5 ", second)
        assert re.fullmatch(r"\[1/1\] gumbel seed 0 finished: test accuracy \d\d\.\d\d %", third)
        assert "no finished run of marginalize" in answer

    def test_a_finished_run_is_used_again(self, gsm, folder):
        gsm(*QUICK, "--objective", "gumbel")
        (path,) = (folder / "reports/digits-100/records").iterdir()
        before = path.stat().st_mtime_ns
        assert "finished before" in gsm(*QUICK, "--objective", "gumbel").stderr
        assert path.stat().st_mtime_ns == before
        assert "finished before" not in gsm(*QUICK, "--objective", "gumbel", "--force").stderr
        assert path.stat().st_mtime_ns > before

    def test_a_run_of_other_settings_under_the_same_name_is_not_used(self, gsm, folder):
        """As after a change of a default, which leaves no trace in the name."""
        gsm(*QUICK, "--objective", "gumbel")
        (path,) = (folder / "reports/digits-100/records").iterdir()
        path.write_text(path.read_text().replace('"clip": 100.0', '"clip": 99.0'))
        result = gsm(*QUICK, "--objective", "gumbel")
        assert result.exit_code == 3
        assert "clip 99.0 and not 100.0" in result.stderr
        assert "--force" in result.stderr
        assert gsm(*QUICK, "--objective", "gumbel", "--force").exit_code == 0

    def test_a_damaged_record_beside_it_is_named_with_the_code_of_damage(self, gsm, folder):
        """And the report is on the others."""
        records = folder / "reports/digits-100/records"
        records.mkdir(parents=True)
        (records / "gumbel-00000000-0.json").write_text("{")
        result = gsm(*QUICK, "--objective", "gumbel")
        assert result.exit_code == 3
        assert result.stdout.splitlines()[-1] == "reports/digits-100/report.md"
        assert result.stderr.count("gumbel-00000000-0.json") == 1
        assert "records/gumbel-00000000-0.json must be a whole record" in result.stderr.splitlines()[-1]

    def test_its_own_damaged_record_costs_it_alone_and_is_named_once(self, gsm, folder):
        gsm(*QUICK, "--objective", "gumbel")
        (path,) = (folder / "reports/digits-100/records").iterdir()
        path.write_text("{")
        result = gsm(*QUICK, "--objective", "gumbel,supervised")
        assert result.exit_code == 3
        assert sum(line.startswith("gsm: ") and path.name in line for line in result.stderr.splitlines()) == 1
        assert len(list(path.parent.iterdir())) == 2
        assert path.read_text() == "{"

    def test_other_settings_are_other_runs(self, gsm, folder):
        gsm(*QUICK, "--objective", "gumbel")
        gsm(*QUICK, "--objective", "gumbel", "--tau", 0.9)
        assert len(list((folder / "reports/digits-100/records").iterdir())) == 2

    def test_json(self, gsm):
        shown = json.loads(gsm(*QUICK, "--objective", "gumbel", "--json").stdout)["results"]
        (run,) = shown["runs"]
        assert run["config"]["objective"] == "gumbel"
        assert run["test"] == json.loads(Path(run["path"]).read_text())["test"]
        assert (run["failure"], run["reused"]) == (None, False)

    def test_m2(self, gsm, folder):
        assert gsm(*QUICK, "--objective", "gumbel", "--model", "m2", "--mc-samples", 2).exit_code == 0
        assert records(folder)["gumbel 0"].config.model == "m2"


class TestPrecedence:
    """Command line, environment, file, preset."""

    @pytest.mark.parametrize(
        ("words", "variable", "line", "expected"),
        [
            (("--tau", 0.1), "0.2", "tau = 0.3", 0.1),
            ((), "0.2", "tau = 0.3", 0.2),
            (("--set", "tau=0.4"), "", "tau = 0.3", 0.4),
            (("--set", "tau=0.4"), "0.2", "tau = 0.3", 0.4),
            ((), "", "tau = 0.3", 0.3),
            ((), "", "", 0.5),
        ],
    )
    def test_of_a_setting(self, gsm, folder, monkeypatch, words, variable, line, expected):
        (folder / "settings.toml").write_text(line)
        if variable:
            monkeypatch.setenv("GSM_TAU", variable)
        result = gsm(*QUICK, "--objective", "gumbel", "--config", "settings.toml", *words)
        assert result.exit_code == 0, result.stderr
        assert records(folder)["gumbel 0"].config.own["tau"] == expected

    def test_of_a_preset(self, gsm, folder, monkeypatch):
        preset = {"hidden": (8,), "batch_size": 200, "epochs": 1, "latent": 3}
        monkeypatch.setitem(DATASETS["digits"].presets, "short", preset)
        result = gsm("train-ssl", "--objective", "gumbel", "--preset", "short", "--set", "latent=2")
        assert result.exit_code == 0, result.stderr
        config = records(folder)["gumbel 0"].config
        assert (config.epochs, config.latent) == (1, 2)
        assert (
            "$ gsm train-ssl --dataset digits --objective gumbel --seeds 0 --preset short --set latent=2\n"
            in (folder / "reports/digits-100/details.md").read_text()
        )

    def test_none_takes_the_place_of_a_preset(self, gsm, folder, monkeypatch):
        monkeypatch.setitem(DATASETS["digits"].presets, "part", {"hidden": (8,), "epochs": 1, "labelled_batch": 20})
        result = gsm("train-ssl", "--objective", "gumbel", "--preset", "part", "--set", "labelled_batch=none")
        assert result.exit_code == 0, result.stderr
        assert records(folder)["gumbel 0"].config.labelled_batch is None

    @pytest.mark.parametrize(
        ("variable", "sentence"),
        [
            ("GSM_EPOCHS", "$GSM_EPOCHS must be a whole number from 1 to 1,000,000, not 'many'"),
            ("GSM_OBJECTIVE", "$GSM_OBJECTIVE must be one of marginalize, "),
            ("GSM_DATASET", "$GSM_DATASET must be one of digits, mnist, "),
            ("GSM_PRESET", "$GSM_PRESET must be one of laptop for digits, not 'many'"),
            ("GSM_SEEDS", "$GSM_SEEDS must be whole numbers and ranges, not 'many'"),
            ("GSM_JOBS", "not 'many': write for example $GSM_JOBS=1"),
        ],
    )
    def test_a_wrong_value_of_the_environment_is_named_as_its(self, gsm, monkeypatch, variable, sentence):
        monkeypatch.setenv(variable, "many")
        result = gsm("train-ssl")
        assert result.exit_code == 2
        assert sentence in result.stderr

    @pytest.mark.parametrize(
        ("option", "value", "code", "sentence"),
        [
            ("--config", "pipe.toml", 2, "--config must be a readable TOML file, and pipe.toml is not"),
            ("--objective", "pipe.py:Mine", 2, "--objective must name a file that exists and can be read, not pipe.py"),
            ("--dataset", "pipe.npz", 3, "pipe.npz must be a NumPy archive of arrays, and is not"),
        ],
    )
    def test_a_pipe_that_nobody_ends_is_not_waited_for(self, gsm, folder, option, value, code, sentence):
        os.mkfifo(folder / value.partition(":")[0])
        result = gsm("train-ssl", option, value)
        assert result.exit_code == code
        assert f"gsm: {sentence}" in result.stderr
        assert "it is no ordinary file" in result.stderr

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("objective = 3", "objective in a.toml must be a name or several with commas, not 3"),
            ('objective = [["gumbel"]]', "objective in a.toml must be a name or several"),
            ("objective = true", "objective in a.toml must be a name or several"),
            ("objective = 2020-01-01", "objective in a.toml must be a name or several"),
            ("objective = []", "objective in a.toml must be a name or several"),
            ("[objective]", "objective in a.toml must be a name or several"),
            ("epochs = 2.5", "epochs in a.toml must be a whole number from 1 to 1,000,000, not 2.5"),
            ("norm = 3", "norm in a.toml must be one of layer, batch, none, not 3"),
            ("a = " + "[" * 3000, "--config must be a readable TOML file"),
            (
                "#" * 2**20 + "\n",
                "--config must be a readable TOML file, and a.toml is not ([Errno 27] it has more than",
            ),
            ("objective = ['gumbl']", "objective in a.toml must be one of marginalize, "),
            ("epoch = 3", "epoch in a.toml is no setting: did you mean epochs?"),
        ],
        ids=lambda text: text[:20],
    )
    def test_a_wrong_value_of_a_file_is_named_as_its(self, gsm, folder, line, sentence):
        (folder / "a.toml").write_text(line)
        result = gsm("train-ssl", "--config", "a.toml")
        assert result.exit_code == 2
        assert sentence in result.stderr
        assert result.stderr.count("gsm: ") == 1

    def test_commas_and_all_name_objectives(self, gsm, folder):
        assert gsm(*QUICK, "--objective", "gumbel,supervised").exit_code == 0
        assert set(records(folder)) == {"gumbel 0", "supervised 0"}
        configs = read_plan({"objective": "all", "seeds": "0,1"}, [], None).configs
        assert [config.objective for config in configs] == [*OBJECTIVES] * 2

    def test_a_file_may_say_everything(self, gsm, folder):
        (folder / "a.toml").write_text(
            'objective = ["supervised"]\nseeds = "1-2"\nhidden = [8, 4]\nepochs = 1\nbatch-size = 100\nlabels = 50\n'
        )
        assert gsm("train-ssl", "--config", "a.toml").exit_code == 0
        assert len(list((folder / "reports/digits-50/records").glob("supervised-*"))) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--objective", "sum"), "--objective must be one of marginalize, gumbel, "),
        (("--objective", ","), "--objective must be a name or several with commas, not "),
        (("--set", "objective="), "--set objective must be a name or several with commas, not ''"),
        (
            ("--dataset", "cifar"),
            "--dataset must be one of digits, mnist, digits-pairs, mnist-pairs or a file .npz, not 'cifar'",
        ),
        (("--dataset", "mine.npz"), "--dataset must name a file of images, and there is no mine.npz"),
        (
            ("--objective", "mine.py:Mine"),
            "--objective must name a file that exists and can be read, not mine.py (No such file or directory)",
        ),
        (("--model", "vae"), "--model must be one of adgm, m2, not 'vae'"),
        (("--device", "tpu"), "--device must be auto, cpu or cuda, not 'tpu'"),
        (("--tau", "none"), "--tau of gumbel must be positive and finite, not 'none'"),
        (("--set", "top=3"), "--set top is a setting of sum-and-sample, and none of gumbel reads it"),
        (("--set", "latent=none"), "--set latent must be a whole number from 1 to 10,000, not 'none'"),
        (("--preset", "laptop,long"), "--preset must be one of laptop for digits, not 'laptop,long'"),
        (
            ("--preset", "article"),
            "not 'article': choose one of them, or name --dataset mnist, which has it",
        ),
        (("--preset", "none"), "--preset must be one of laptop for digits, not 'none'"),
        (("--precision", "fp8"), "--precision must be one of float32, bf16, not 'fp8'"),
        (("--set", "labelled_weight=-1"), "--set labelled_weight must be finite and not negative, not -1"),
        (("--labels", 95), "--labels must be a multiple of the 10 classes, not 95"),
        (("--labels", 1200), "--labels must be at most "),
        (("--labels", "many"), "--labels must be a whole number from 1 to 1,000,000, not 'many'"),
        (("--seeds", "1-"), "--seeds must be whole numbers and ranges, not 1-"),
        (("--epochs", 0), "--epochs must be a whole number from 1 to 1,000,000, not 0"),
        (("--epochs", "abc", "--set", "epochs=1"), "--epochs must be a whole number from 1 to 1,000,000, not 'abc'"),
        (("--tau", -1), "--tau of gumbel must be positive and finite, not -1"),
        (("--tau-min", 3), "tau_min must be at most tau (0.5), not 3.0"),
        (("--tau-rate", -1), "--tau-rate of gumbel must be finite and not negative, not -1"),
        (("--mc-samples", 0), "--mc-samples must be a whole number from 1 to 1,000, not 0"),
        (("--classification-weight", "nan"), "--classification-weight must be finite and not negative, not 'nan'"),
        (("--batch-size", 5000), "batch-size must be at most the 997 unlabelled images, not 5000"),
        (("--learning-rate", 0), "--learning-rate must be positive and finite, not 0"),
        (("--set", "kl_start"), "--set must be NAME=VALUE, not 'kl_start'"),
        (("--set", "unknown=3"), "--set unknown is no setting: choose from dataset, labels, "),
        (("--set", "seed=3"), "--set seed must be named by --seeds"),
        (("--config", "missing.toml"), "--config must be a readable TOML file, and missing.toml is not"),
        (("--nonsense",), "No such option: --nonsense"),
    ],
    ids=str,
)
def test_bad_input_is_one_sentence_and_leaves_no_record(gsm, folder, words, sentence):
    result = gsm("train-ssl", "--objective", "gumbel", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("gsm: ") == 1
    assert ": " in result.stderr.splitlines()[-1].removeprefix("gsm: ")
    assert not list(folder.rglob("*.json"))


def test_no_mnist_and_no_network(gsm, folder, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr("gsm_cli.data.mnist.cache_dir", lambda: folder / "cache")
    result = gsm("train-ssl", "--dataset", "mnist", "--data-dir", "here")
    assert result.exit_code == 3
    assert all(words in result.stderr for words in ("here", "cache", "--data-dir", "--dataset digits"))


def test_a_run_that_diverges_fails_with_its_circumstances(gsm, folder, monkeypatch):
    original = steps.semi_supervised

    def broken(*given):
        terms = original(*given)
        return type(terms)(terms.unlabelled_bound * float("inf"), terms.labelled_bound, terms.classification, 1.0)

    monkeypatch.setattr(steps, "semi_supervised", broken)
    result = gsm(*QUICK, "--objective", "gumbel", "--objective", "supervised", "--seeds", 4)
    assert result.exit_code == 1
    assert "gumbel with seed 4 and tau 0.5 did not at step 0: lower --learning-rate or raise --tau" in result.stderr
    assert records(folder)["supervised 4"].finished
    assert records(folder)["gumbel 4"].failure.step == 0
    assert "1 failed" in (folder / "reports/digits-100/report.md").read_text()
    result = gsm(*QUICK, "--objective", "marginalize", "--seeds", 4)
    assert "marginalize with seed 4 did not at step 0: lower --learning-rate\n" in result.stderr


def test_a_failure_does_not_replace_what_was_finished(gsm, folder, monkeypatch):
    gsm(*QUICK, "--objective", "gumbel")
    before = records(folder)
    monkeypatch.setattr(training.Run, "epoch", lambda run: (_ for _ in ()).throw(training.NotFiniteError(0)))
    assert gsm(*QUICK, "--objective", "gumbel", "--force").exit_code == 1
    assert records(folder) == before


def test_ctrl_c_says_how_to_go_on(gsm, monkeypatch):
    def interrupt(run):
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Run, "epoch", interrupt)
    result = gsm(*QUICK)
    assert result.exit_code == 130
    assert result.stderr.endswith("gsm: interrupted; give the same command again to start from the beginning\n")


def test_ctrl_c_promises_a_checkpoint_only_where_one_is(gsm, monkeypatch):
    def interrupt(run):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    epoch = training.Run.epoch
    monkeypatch.setattr(training.Run, "epoch", lambda run: interrupt(run) if run.epochs else epoch(run))
    went_on = "gsm: interrupted; give the same command again to go on from the last checkpoint"
    assert gsm(*QUICK).stderr.splitlines()[-1] == went_on
    monkeypatch.setattr(training.Run, "epoch", interrupt)
    assert gsm(*QUICK).stderr.splitlines()[-1] == went_on
    assert "from the beginning" in gsm(*QUICK, "--out", "other").stderr


def test_sigterm_ends_as_ctrl_c_does(folder):
    words = [sys.executable, "-m", "gsm_cli", "train-ssl", "--epochs", "5000", "--set", "hidden=8"]
    process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    time.sleep(0.1)
    assert "epoch 1" in [process.stderr.readline() for _ in range(3)][-1]  # the others say what it will do
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "give the same command again" in said
    assert not list(folder.rglob("*.tmp"))


def test_a_full_disk_leaves_what_was_there(gsm, folder, monkeypatch):
    gsm(*QUICK, "--objective", "gumbel")
    before = records(folder)

    def full(self, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = gsm(*QUICK, "--objective", "gumbel", "--force")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert records(folder) == before
    assert not list(folder.rglob("*.tmp"))


def test_the_split_of_a_record_is_that_of_its_seed(gsm, folder):
    gsm(*QUICK, "--objective", "supervised", "--seeds", 2)
    whole = records(folder)["supervised 2"]
    assert whole.split == load(find_dataset(whole.config.dataset), 100, 2).digest


def test_help_names_every_objective(gsm):
    shown = "".join(gsm("train-ssl", "--help").stdout.split())
    assert all(objective in shown for objective in OBJECTIVES)
