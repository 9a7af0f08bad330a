"""What helps: help that is whole and true, the list of settings, and what the shell offers for names."""

import json
import re
import shlex
from typing import get_args

import msgspec
import pytest
from typer.testing import CliRunner

from gsm_cli.cli import app as line
from gsm_cli.cli.app import app
from gsm_cli.cli.settings import MEANINGS, OFFERED, default_words, written
from gsm_cli.config import Model, Precision, RunConfig
from gsm_cli.data import DATASETS
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.runs.environment import DEVICES
from gsm_cli.settings import TYPES, build

COMMANDS = {name: line.load(name) for name in line.COMMANDS}


class TestHelp:
    def test_no_summary_is_cut(self, gsm):
        summaries = gsm("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
        assert len(summaries) == len(COMMANDS)
        assert all(line.endswith(".") and not line.endswith("...") for line in summaries)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_a_command_begins_with_its_summary(self, command):
        """Which `gsm --help` shows without the command."""
        assert COMMANDS[command].help.splitlines()[0] == line.COMMANDS[command].summary

    @pytest.mark.parametrize("command", COMMANDS)
    def test_a_command_has_an_example_that_is_accepted(self, gsm, command):
        shown = gsm(command, "--help").stdout
        example = " ".join(shown.partition("Example: ")[2].split())
        assert example.startswith(f"gsm {command} ")
        assert gsm(*shlex.split(example)[1:], "--help").exit_code == 0

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_option_has_a_sentence(self, command):
        for parameter in COMMANDS[command].params:
            assert re.match(r"[A-Z].*\.", parameter.help), parameter.name

    @pytest.mark.parametrize("command", ["train-ssl", "settings", "gradients", "cost", "report"])
    def test_defaults_are_values(self, gsm, command):
        assert "default: (" not in gsm(command, "--help").stdout

    def test_defaults_of_train_ssl_are_those_that_a_run_has(self):
        for parameter in COMMANDS["train-ssl"].params:
            if parameter.name in TYPES:
                (shown,) = re.findall(r"\[default: (.*)\]", parameter.help)
                first, *others = re.split(r", (?=[a-z])", shown)
                for name in DATASETS:
                    said = {of: value for of, _, value in (other.rpartition(" ") for other in others)}.get(name, first)
                    if parameter.name != "dataset":
                        assert said == written(build({"dataset": name, "objective": "gumbel"}).identity[parameter.name])

    def test_names_every_source_of_settings(self, gsm):
        shown = " ".join(gsm("train-ssl", "--help").stdout.split())
        for words in ("GSM_EPOCHS", "--config", "gsm settings", "$GSM_DATA_DIR"):
            assert words in shown


class TestSettings:
    def test_all_are_listed_with_what_they_mean(self, gsm):
        own = {name for row in OBJECTIVES.values() for name in row.settings}
        assert set(MEANINGS) == {*TYPES, *own} - {"seed"}
        shown = gsm("settings").stdout
        assert re.findall(r"^(\w+)  \(\$GSM_", shown, re.MULTILINE) == [*MEANINGS]
        assert all(len(line) <= 80 for line in shown.splitlines())

    def test_one_says_its_rule_its_defaults_and_who_reads_it(self, gsm):
        assert " ".join(gsm("settings", "tau").stdout.split()) == (
            "tau ($GSM_TAU) Temperature at the first step. Read by gumbel, straight-through-gumbel, straight-through, "
            "gst, gumbel-rao, reinmax, reinmax-rao, rebar. "
            "Rule: positive and finite, reinmax finite and at least 1. "
            "Default: 0.5, straight-through 1, gst 1, reinmax 1, reinmax-rao 1. "
            "Preset: mnist article 1, mnist liu2019 1."
        )
        assert "Default: 200, mnist 30, digits-pairs 40, mnist-pairs 10." in " ".join(
            gsm("settings", "epochs").stdout.split()
        )

    def test_json_has_every_preset_and_default(self, gsm):
        found = {each["name"]: each for each in json.loads(gsm("settings", "--json").stdout)["results"]["settings"]}
        assert found["epochs"]["presets"]["mnist article"] == 135
        assert found["draws"]["defaults"] == {
            "gumbel": 1,
            "straight-through-gumbel": 1,
            "gumbel-rao": 10,
            "reinmax-rao": 10,
            "reinforce": 2,
        }
        usual = {field.name: field.default for field in msgspec.structs.fields(RunConfig)}
        assert found["kl_start"]["defaults"]["gumbel"] == usual["kl_start"]
        assert found["labelled_batch"]["rule"] == "a whole number from 1 to 100,000, or none"

    def test_one_that_is_not_there_is_refused(self, gsm):
        result = gsm("settings", "tau", "hiden")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == "gsm: there is no setting 'hiden': did you mean hidden?\n"

    def test_a_setting_that_no_preset_names_has_its_own_default(self):
        assert default_words("mc_samples") == "1"


class TestCompletion:
    @pytest.mark.parametrize(
        ("line", "offered"),
        [
            ("gsm train-ssl --objective gum", ["gumbel", "gumbel-rao"]),
            ("gsm train-ssl --objective marginalize,gum", ["marginalize,gumbel", "marginalize,gumbel-rao"]),
            ("gsm train-ssl --objective gumbel,gum", ["gumbel,gumbel-rao"]),
            ("gsm gradients --objective al", ["all"]),
            ("gsm cost --objective reinm", ["reinmax", "reinmax-rao"]),
            ("gsm train-ssl --dataset mn", ["mnist", "mnist-pairs"]),
            ("gsm gradients --dataset digits-", ["digits-pairs"]),
            ("gsm train-ssl --preset l", ["laptop", "long", "liu2019"]),
            ("gsm train-ssl --set kl", ["kl_start=", "kl_warmup="]),
            ("gsm train-ssl --sweep ta", ["tau=", "tau_min=", "tau_rate=", "tau_by_epoch="]),
            ("gsm settings labelled", ["labelled_batch", "labelled_weight"]),
            ("gsm settings tau,label", ["tau,labels", "tau,labelled_batch", "tau,labelled_weight"]),
            ("gsm cost --model a", ["adgm"]),
            ("gsm cost --precision b", ["bf16"]),
            ("gsm train-ssl --device c", ["cpu", "cuda"]),
            ("gsm tr", ["train-ssl"]),
        ],
    )
    def test_the_shell_is_offered_names(self, line, offered):
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_GSM_COMPLETE": "complete_bash"}
        assert CliRunner().invoke(app, [], prog_name="gsm", env=words).stdout.split() == offered

    def test_what_is_offered_is_what_is_accepted(self):
        for option, names in {"model": get_args(Model), "precision": get_args(Precision), "device": DEVICES}.items():
            assert tuple(name for name, _ in OFFERED[option]("")) == names
