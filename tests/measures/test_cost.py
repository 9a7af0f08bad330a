"""`gsm cost`: what a step is, the order and resumption of the measurements, and what is concluded from them."""

import json
import subprocess
from collections import Counter
from dataclasses import asdict, replace

import pytest

from gsm_cli import __version__
from gsm_cli.config import Objective, Precision, build
from gsm_cli.errors import GsmError
from gsm_cli.measures import cost_rounds as cost_batch
from gsm_cli.measures import step_cost as cost
from gsm_cli.model.estimators import Marginal
from gsm_cli.records.cost import CLASSES, CostPlan, CostRecord, CostRow, read_cost
from gsm_cli.reports.cost import cost_command, render_costs
from gsm_cli.reports.cost_statistics import fit_line, pays_from, product_share, seconds, speed_up, step_seconds

MARGINALIZE, GUMBEL = Objective.MARGINALIZE, Objective.GUMBEL
PLAN = CostPlan(objectives=(MARGINALIZE, GUMBEL), classes=(2, 10, 100), rounds=2)


def row(objective: Objective, classes: int, milliseconds: float, mib: int = 300) -> CostRow:
    """What a process finds whose steps take so long, and half of whose time is lost."""
    steps = [milliseconds / 1000 * factor for factor in (0.9, 1.0, 1.1)]
    evaluations = float(classes) if objective is MARGINALIZE else 1.0
    return CostRow(objective, classes, steps, evaluations, int(5e8 * milliseconds), [1e12] * 6, 2**27, mib * 2**20)


def record(**costs: dict[int, tuple[float, ...]]) -> CostRecord:
    """For every objective and number of classes the milliseconds of each round."""
    rows = [
        row(Objective(name), k, each) for name, cells in costs.items() for k, values in cells.items() for each in values
    ]
    (cells, *_) = costs.values()
    plan = CostPlan(tuple(map(Objective, costs)), tuple(cells), rounds=len(next(iter(cells.values()))))
    return CostRecord(plan, __version__, {"device": "abacus"}, rows)


CROSSING = record(
    marginalize={2: (8.0, 8.2), 10: (24.0, 24.6), 100: (204.0, 209.1)},
    gumbel={2: (8.1, 8.3), 10: (12.0, 12.0), 100: (12.0, 12.0)},
)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(cost, "PRODUCT_SIZE", 64)
    monkeypatch.setattr(cost, "LEAST_SECONDS", 0.0)


@pytest.fixture
def pretended(monkeypatch):
    """Measurements without a process, as they are made; each takes as many milliseconds as there are classes."""
    made: list[tuple[Objective, int]] = []

    def measure_apart(plan: CostPlan, objective: Objective, classes: int) -> CostRow:
        made.append((objective, classes))
        return row(objective, classes, float(classes if objective is MARGINALIZE else 3))

    monkeypatch.setattr(cost_batch, "measure_apart", measure_apart)
    return made


class TestMeasure:
    @pytest.mark.parametrize(("name", "evaluations"), [("marginalize", 5), ("gumbel", 1), ("sum-and-sample", 2)])
    def test_a_step_of_training_is_measured(self, quick, name, evaluations):
        config = build({"objective": name, "model": "m2", "batch_size": 3, "labels": 4}, preset=None)
        found = cost.measure(config, 5)
        assert (found.objective, found.classes, found.evaluations) == (name, 5, evaluations)
        assert len(found.seconds) == cost.LEAST_STEPS
        assert all(value > 0 for value in (*found.seconds, *found.product_rates))
        assert found.peak_bytes >= found.base_bytes > 50 * 2**20

    def test_memory_is_that_of_the_steps_alone(self, monkeypatch):
        """Not of the large product, whose rate is measured in the same process."""
        done = []
        monkeypatch.setattr(cost, "memory", lambda name: done.append(name) or 1)
        monkeypatch.setattr(cost, "product_rates", lambda config: done.append("product") or [1.0])
        cost.measure(build({"objective": "gumbel", "model": "m2", "labels": 4}, preset=None), 2)
        assert done == ["VmRSS", "VmHWM", "product", "product"]

    def test_operations_are_those_of_the_products(self, quick):
        """One more class costs, for each image, the layers that see the class: two operations a weight, three times."""
        shared = {"objective": "marginalize", "model": "m2", "batch_size": 7, "labels": 1}
        few, more = (cost.measure(build(shared, preset=None), classes).flops for classes in (10, 20))
        inference, generation = 500 * 500 + 500 * 20, 10 * 500 + 500 * 500 + 500 * 784
        expected = 10 * 7 * 3 * 2 * (inference + generation)
        assert more - few == pytest.approx(expected, rel=0.02)  # the rest: a few more weights for y

    def test_a_process_of_its_own_measures_the_same_step(self, quick):
        found = cost_batch.measure_apart(replace(PLAN, batch_size=5), GUMBEL, 2)
        settings = build(cost_batch.settings(replace(PLAN, batch_size=5), GUMBEL), preset=None)
        assert found.flops == cost.measure(settings, 2).flops

    def test_a_process_that_dies_is_reported(self, monkeypatch):
        killed = subprocess.CompletedProcess([], -9, "", "")
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
        with pytest.raises(GsmError, match=r"gumbel with 2 classes .*[(]was killed[)]: leave out the largest"):
            cost_batch.measure_apart(PLAN, GUMBEL, 2)


class TestOrder:
    def test_every_round_has_every_measurement_once_in_an_order_of_its_own(self):
        found = cost_batch.order(PLAN)
        first, second = found[:6], found[6:]
        assert Counter(first) == Counter(second) == Counter((o, k) for o in PLAN.objectives for k in PLAN.classes)
        assert first != second
        assert found == cost_batch.order(PLAN) != cost_batch.order(replace(PLAN, seed=1))

    def test_an_interrupted_plan_goes_on(self, folder, pretended):
        path = folder / "plan.json"
        empty = CostRecord(PLAN, __version__, {"device": "abacus"})

        def interrupt(row: CostRow, done: int) -> None:
            if done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cost_batch.measure_all(empty, path, interrupt)
        assert not path.exists()
        whole = cost_batch.measure_all(CostRecord(PLAN, __version__, {"device": "abacus"}), path)
        assert pretended == cost_batch.order(PLAN)
        assert whole.finished
        assert read_cost(path) == whole
        assert [file.name for file in folder.iterdir()] == ["plan.json"]

    def test_what_another_version_began_is_not_gone_on_with(self, folder, pretended):
        path = folder / "plan.json"
        CostRecord(PLAN, "0.0.0", {"device": "abacus"}, [row(GUMBEL, 2, 1.0)]).save(path.with_suffix(".part"))
        cost_batch.measure_all(CostRecord(PLAN, __version__, {"device": "abacus"}), path)
        assert len(pretended) == 12


class TestStatistics:
    def test_medians_are_over_all_steps_of_all_processes(self):
        low, middle, high = seconds([row(GUMBEL, 2, 10.0), row(GUMBEL, 2, 20.0)])
        assert low < 0.0145 < middle < high
        assert middle == pytest.approx((0.011 + 0.018) / 2)

    def test_a_line_is_found_again(self):
        line = fit_line(record(gumbel={k: (3.0 + 0.5 * k,) for k in (2, 10, 100, 1000)}), GUMBEL)
        assert (line.shared, line.per_class, line.residual) == pytest.approx((3e-3, 5e-4, 0.0), abs=1e-9)
        assert line.at(10) == pytest.approx(8e-3)

    def test_a_falling_cost_gives_no_negative_cost_per_class(self):
        assert fit_line(record(gumbel={2: (3.0,), 10: (2.0,)}), GUMBEL).per_class == 0.0

    def test_it_pays_from_where_all_processes_agree_and_stay_agreed(self):
        assert pays_from(CROSSING, GUMBEL, step_seconds) == 10
        unsteady = record(
            marginalize={2: (9.0,), 10: (9.0,), 100: (99.0,)}, gumbel={2: (8.0,), 10: (9.1,), 100: (9.0,)}
        )
        assert pays_from(unsteady, GUMBEL, step_seconds) == 100
        assert pays_from(record(marginalize={2: (8.0,)}, gumbel={2: (9.0,)}), GUMBEL, step_seconds) is None

    def test_ratios(self):
        assert speed_up(CROSSING, GUMBEL, 10) == pytest.approx(24.3 / 12, rel=0.03)
        assert product_share([row(GUMBEL, 2, 10.0)]) == pytest.approx(0.5)


class TestReport:
    def test_the_answer_is_the_first_sentence(self):
        text = render_costs([CROSSING], ["x.json must be a whole record"])
        assert f"What exceeds {Marginal().keep:,} evaluations" in text
        assert text.startswith("# What a step costs")
        assert "**A gumbel step is faster from 10 classes on and takes not less memory" in text
        assert "> **Warning.** x.json must be a whole record." in text
        assert "| gumbel | 10 | never | 0.99 |" in text

    def test_without_marginalize_there_is_nothing_to_compare(self):
        text = render_costs([record(gumbel={2: (8.0,), 10: (9.1,)})])
        assert "**There is nothing to compare:**" in text

    @pytest.mark.parametrize(
        "plan",
        [CostPlan(), PLAN, CostPlan(model="m2", batch_size=7, precision=Precision.BF16, rounds=1, seed=4)],
        ids=["default", "few", "other"],
    )
    def test_the_command_measures_the_same_plan(self, gsm, monkeypatch, plan):
        taken = []
        monkeypatch.setattr("gsm_cli.cli.cost._measure", lambda plan, path, force: taken.append(plan) or 1 / 0)
        gsm(*cost_command(plan).split()[1:])
        assert taken == [plan]


class TestCommand:
    WORDS = ("cost", "--classes", "2,10", "--classes", 100, "--objective", "marginalize", "--objective", "gumbel")

    def test_record_report_and_picture(self, gsm, folder, pretended):
        result = gsm(*self.WORDS)
        assert result.exit_code == 0, result.stderr
        path, report = result.stdout.splitlines()
        assert len(read_cost(folder / path).rows) == len(pretended) == 18
        assert "A gumbel step is faster from 10 classes on" in result.stderr
        assert "gumbel with 2 classes: 3 ms" in result.stderr
        assert (folder / report).read_text().count("\n| gumbel |") == 6
        assert gsm("report", "--check").exit_code == 0
        (folder / report).write_text("edited")
        assert gsm("report", "--check").exit_code == 1

    def test_what_was_measured_is_used_again(self, gsm, pretended):
        first = json.loads(gsm(*self.WORDS, "--json").stdout)
        again = gsm(*self.WORDS, "--json")
        assert json.loads(again.stdout) == first
        assert "measured before, here" in again.stderr
        assert len(pretended) == 18
        gsm(*self.WORDS, "--force")
        assert len(pretended) == 36

    def test_defaults(self, gsm, pretended):
        record = json.loads(gsm("cost", "--rounds", 1, "--json").stdout)
        assert tuple(record["plan"]["classes"]) == CLASSES
        assert set(Objective) - set(record["plan"]["objectives"]) == {"sparse-marginalize", "supervised"}
        assert record["rows"] == [
            asdict(
                row(
                    Objective(r["objective"]),
                    r["classes"],
                    float(r["classes"] if r["objective"] == "marginalize" else 3),
                )
            )
            for r in record["rows"]
        ]

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--classes", 1), "--classes must be at least 2, not 1: raise it"),
            (("--classes", "2,x"), "--classes must be whole numbers, not '2,x'"),
            (("--objective", "supervised"), "supervised has none: leave it out"),
            (("--objective", "sparse-marginalize"), "whatever its model has learnt, and sparse-marginalize does not"),
            (("--objective", "gumble"), "objective must be one of marginalize, "),
            (("--model", "m3"), "model must be one of adgm, m2, not 'm3'"),
            (("--precision", "fp8"), "precision must be one of float32, bf16, not 'fp8'"),
            (("--device", "tpu"), "--device must be auto, cpu or cuda, not 'tpu'"),
            (("--batch-size", 0), "--batch-size must be a whole number from 1 on, not 0"),
            (("--rounds", 0), "--rounds must be a whole number from 1 on, not 0"),
            (("--seed", -1), "--seed must be a whole number from 0 on, not -1"),
        ],
    )
    def test_wrong_words_are_refused(self, gsm, folder, words, sentence):
        result = gsm("cost", *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert sentence in result.stderr
        assert not list(folder.iterdir())
