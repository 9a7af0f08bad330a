"""`gsm cost`: what a step is, the order and resumption of the measurements, and the command."""

import json
from collections import Counter

import msgspec
import pytest
from msgspec.structs import replace
from records_of import ABACUS, cost_row

from gsm_cli import __version__, commands
from gsm_cli.cli import measuring
from gsm_cli.cli.measuring import alone
from gsm_cli.errors import DataError, GsmError
from gsm_cli.measures import steps
from gsm_cli.objectives import GUMBEL, MARGINALIZE, OBJECTIVES
from gsm_cli.records.cost import CLASSES, CostPlan, CostRecord, CostRow, read_cost
from gsm_cli.records.store import read
from gsm_cli.runs.places import WorkerLostError
from gsm_cli.settings import build

PLAN = CostPlan(objectives=(MARGINALIZE, GUMBEL), classes=(2, 10, 100), rounds=2)
EMPTY = CostRecord(version=__version__, code=16 * "0", environment=ABACUS, plan=PLAN, rows=[])


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(steps, "LEAST_SECONDS", 0.0)


@pytest.fixture
def pretended(monkeypatch):
    """Measurements without a process, as they are made; the sum's take as many milliseconds as there are classes."""
    made: list[tuple[str, int]] = []

    def measure_apart(plan: CostPlan, objective: str, classes: int, threads: int) -> CostRow:
        made.append((objective, classes))
        return cost_row(objective, classes, float(classes if objective == MARGINALIZE else 3))

    monkeypatch.setattr(steps, "measure_apart", measure_apart)
    return made


def ignore(record: CostRecord) -> None:
    """For `on_row`."""


def interrupt_after(count: int):
    """For `on_row`: Ctrl-C after so many measurements."""

    def on_row(record: CostRecord) -> None:
        if len(record.rows) == count:
            raise KeyboardInterrupt

    return on_row


class TestMeasure:
    @pytest.mark.parametrize(("name", "evaluations"), [("marginalize", 5), ("gumbel", 1), ("sum-and-sample", 2)])
    def test_a_step_of_training_is_measured(self, quick, name, evaluations):
        config = build({"objective": name, "model": "m2", "batch_size": 3, "labels": 4}, preset=None)
        found = steps.measure(config, 5)
        assert (found.objective, found.classes, found.evaluations) == (name, 5, evaluations)
        assert len(found.seconds) == steps.LEAST_STEPS
        assert all(value > 0 for value in found.seconds)
        assert found.peak_bytes > 50 * 2**20

    def test_a_process_of_its_own_measures_the_same_step(self, quick):
        found = steps.measure_apart(replace(PLAN, batch_size=5), GUMBEL, 2, 1)
        assert (found.objective, found.classes, found.evaluations) == (GUMBEL, 2, 1)
        assert found.peak_bytes > 50 * 2**20

    def test_a_process_that_dies_is_reported(self, monkeypatch):
        def killed(*_: object) -> None:
            raise WorkerLostError("was killed by signal 9")

        monkeypatch.setattr("gsm_cli.runs.processes.Worker.ask", killed)
        with pytest.raises(GsmError, match=r"gumbel with 2 classes .*[(]was killed by signal 9[)]: free memory"):
            steps.measure_apart(PLAN, GUMBEL, 2, 1)


class TestOrder:
    def test_every_round_has_every_measurement_once_in_an_order_of_its_own(self):
        found = PLAN.order
        first, second = found[:6], found[6:]
        assert Counter(first) == Counter(second) == Counter((o, k) for o in PLAN.objectives for k in PLAN.classes)
        assert first != second
        assert found == PLAN.order != replace(PLAN, seed=1).order

    def test_an_interrupted_plan_goes_on(self, folder, pretended):
        path = folder / "plan.json"
        with pytest.raises(KeyboardInterrupt):
            steps.measure_costs(EMPTY, path, interrupt_after(5))
        assert not path.exists()
        whole = steps.measure_costs(EMPTY, path, ignore)
        assert pretended == PLAN.order
        assert [(row.objective, row.classes) for row in whole.rows] == PLAN.order
        assert read_cost(path) == whole
        assert [file.name for file in folder.iterdir()] == ["plan.json"]

    def test_an_interrupted_second_measurement_leaves_the_first(self, folder, pretended):
        path = folder / "plan.json"
        first = steps.measure_costs(EMPTY, path, ignore)
        with pytest.raises(KeyboardInterrupt):
            steps.measure_costs(EMPTY, path, interrupt_after(5))
        assert read_cost(path) == first

    @pytest.mark.parametrize(
        ("other", "named"),
        [({"code": 16 * "1"}, "1111111111111111, gsm"), ({"environment": replace(ABACUS, kernels="SLATE")}, "SLATE")],
        ids=["code", "machine"],
    )
    def test_what_another_began_is_neither_gone_on_with_nor_lost(self, folder, pretended, other, named):
        path, part = folder / "plan.json", folder / "plan.part"
        begun = replace(EMPTY, rows=[cost_row(GUMBEL, 2, 1.0)], **other)
        begun.save(part)
        with pytest.raises(GsmError, match=rf"plan\.part must be of this code and .*{named}.*remove it"):
            steps.measure_costs(EMPTY, path, ignore)
        assert (pretended, read(part, CostRecord, part=True)) == ([], begun)

    def test_a_part_of_something_else_is_not_gone_on_with(self, folder, pretended):
        """Of another plan, or measured in another order."""
        first, *rest = EMPTY.plan.order
        objective, classes = next(pair for pair in rest if pair != first)
        others = {"plan": replace(EMPTY.plan, seed=7)}, {"rows": [cost_row(objective, classes, 1.0)]}
        for other in others:
            replace(EMPTY, **other).save(folder / "plan.part")
            with pytest.raises(DataError, match=r"plan\.part must be the beginning of this measurement, and is not"):
                steps.measure_costs(EMPTY, folder / "plan.json", ignore)
        assert pretended == []

    def test_a_damaged_part_is_named(self, folder, pretended):
        (folder / "plan.part").write_text("{")
        with pytest.raises(DataError, match=r"plan\.part must be a whole record"):
            steps.measure_costs(EMPTY, folder / "plan.json", ignore)
        assert pretended == []


class TestCommand:
    WORDS = ("cost", "--classes", "2,10", "--classes", 100, "--objective", "marginalize", "--objective", "gumbel")

    def test_record_report_and_picture(self, gsm, folder, pretended):
        result = gsm(*self.WORDS)
        assert result.exit_code == 0, result.stderr
        path, report = result.stdout.splitlines()
        assert len(read_cost(folder / path).rows) == len(pretended) == 30
        assert "A gumbel step is faster than marginalize from 10 classes on" in result.stderr
        assert "gumbel with 2 classes: 3 ms" in result.stderr
        assert (folder / report).read_text().count("\n| gumbel |") == 1
        assert gsm("report", "--check").exit_code == 0
        (folder / report).write_text("edited")
        assert gsm("report", "--check").exit_code == 1

    def test_what_was_measured_is_used_again(self, gsm, pretended):
        first = json.loads(gsm(*self.WORDS, "--json").stdout)
        again = gsm(*self.WORDS, "--json")
        assert json.loads(again.stdout) == first
        assert "measured before, here; --force measures again" in again.stderr
        assert len(pretended) == 30

    def test_other_settings_have_a_file_of_their_own(self, gsm, folder, pretended):
        path, _ = gsm(*self.WORDS).stdout.splitlines()
        before = (folder / path).read_bytes()
        for other in (("--seed", 1), ("--rounds", 2), ("--model", "m2"), ("--batch-size", 7), ("--classes", 3)):
            assert gsm(*self.WORDS, *other).stdout.splitlines()[0] != path
        assert (folder / path).read_bytes() == before
        assert len(list((folder / path).parent.glob("*.json"))) == 6

    def test_force_says_what_it_replaces(self, gsm, folder, pretended):
        path, _ = gsm(*self.WORDS).stdout.splitlines()
        older = replace(read_cost(folder / path), version="0.0.7", environment=ABACUS)
        older.save(folder / path)
        said = gsm(*self.WORDS, "--force").stderr
        assert f"at its end this replaces {path}" in said
        assert (read_cost(folder / path).version, len(pretended)) == (__version__, 60)
        (folder / path).write_text("{")
        assert f"at its end this replaces {path}" in gsm(*self.WORDS, "--force").stderr
        assert len(read_cost(folder / path).rows) == 30

    def test_two_at_once_would_slow_each_other(self, gsm, folder, pretended):
        with alone(folder / "reports/cost/records"):
            result = gsm(*self.WORDS)
        assert (result.exit_code, result.stdout, pretended) == (1, "", [])
        assert "a measurement must be alone, and" in result.stderr
        assert gsm(*self.WORDS).exit_code == 0
        assert not list(folder.rglob("*.lock"))

    @pytest.mark.parametrize("force", [(), ("--force",)], ids=["first", "again"])
    def test_an_interrupted_command_goes_on_and_says_so(self, gsm, folder, pretended, monkeypatch, force):
        path = gsm(*self.WORDS).stdout.splitlines()[0] if force else None
        before = (folder / path).read_bytes() if path else None
        pretended.clear()
        go_on = steps.measure_apart

        def interrupt(*asked: object) -> CostRow:
            if len(pretended) == 7:
                raise KeyboardInterrupt
            return go_on(*asked)

        monkeypatch.setattr(steps, "measure_apart", interrupt)
        stopped = gsm(*self.WORDS, *force)
        assert (stopped.exit_code, stopped.stdout) == (130, "")
        assert "give the same command again" in stopped.stderr
        if path:
            assert (folder / path).read_bytes() == before
            said = gsm(*self.WORDS).stderr
            assert "measured before, here; --force measures again" in said
        monkeypatch.setattr(steps, "measure_apart", go_on)
        result = gsm(*self.WORDS, *force)
        assert "goes on where it was interrupted, after 7 of 30 measurements" in result.stderr
        record = read_cost(folder / result.stdout.splitlines()[0])
        assert pretended == record.plan.order == [(row.objective, row.classes) for row in record.rows]
        assert not list(folder.rglob("*.part"))

    def test_what_another_machine_began_is_refused(self, gsm, folder, pretended):
        path = folder / gsm(*self.WORDS).stdout.splitlines()[0]
        other = replace(read_cost(path), environment=ABACUS)
        path.unlink()
        replace(other, rows=other.rows[:3]).save(path.with_suffix(".part"))
        result = gsm(*self.WORDS)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "BEADS (none of the newer instructions), threads 1: finish it there, or remove it" in result.stderr
        assert len(read(path.with_suffix(".part"), CostRecord, part=True).rows) == 3

    def test_defaults(self, gsm, pretended):
        record = json.loads(gsm("cost", "--rounds", 1, "--json").stdout)["results"]["record"]
        assert tuple(record["plan"]["classes"]) == CLASSES
        assert set(OBJECTIVES) - set(record["plan"]["objectives"]) == {"sparse-marginalize", "supervised"}
        assert record["rows"] == [
            msgspec.to_builtins(cost_row(objective, classes, float(classes if objective == MARGINALIZE else 3)))
            for objective, classes in pretended
        ]

    @pytest.mark.parametrize("words", [("--objective", "gumbel,marginalize"), ("--objective", "all")])
    def test_objectives_are_names_with_commas_or_all(self, gsm, pretended, words):
        record = json.loads(gsm("cost", "--rounds", 1, "--classes", 2, *words, "--json").stdout)["results"]["record"]
        assert {objective for objective, _ in pretended} == set(record["plan"]["objectives"])
        assert len(pretended) == (2 if "gumbel" in words[1] else 12)

    @pytest.mark.parametrize(
        "plan",
        [CostPlan(), PLAN, CostPlan(model="m2", batch_size=7, precision="bf16", rounds=1, seed=4)],
        ids=["default", "few", "other"],
    )
    def test_the_command_of_the_report_measures_the_same_plan(self, gsm, monkeypatch, plan):
        taken = []
        monkeypatch.setattr(measuring, "go_on", lambda empty, *_: taken.append(empty.plan) or 1 / 0)
        gsm(*commands.cost(plan).split()[1:])
        assert taken == [plan]

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--classes", 1), "--classes must be a whole number from 2 to 100,000, not 1"),
            (("--classes", "2,x"), "--classes must be a whole number from 2 to 100,000, not 'x'"),
            (("--objective", "supervised"), "supervised has none: leave it out"),
            (("--objective", "sparse-marginalize"), "whatever its model has learnt, and sparse-marginalize does not"),
            (("--objective", "gumble"), "--objective must be one of marginalize, "),
            (("--model", "m3"), "model must be one of adgm, m2, not 'm3'"),
            (("--precision", "fp8"), "precision must be one of float32, bf16, not 'fp8'"),
            (("--device", "tpu"), "--device must be auto, cpu or cuda, not 'tpu'"),
            (("--batch-size", 0), "--batch-size must be a whole number from 1 to 100,000, not 0"),
            (("--rounds", 0), "--rounds must be a whole number from 1 to 1,000, not 0"),
            (("--seed", -1), "--seed must be a whole number from 0 on, not -1"),
        ],
    )
    def test_wrong_words_are_refused(self, gsm, folder, words, sentence):
        result = gsm("cost", *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert sentence in result.stderr
        assert not list(folder.iterdir())
