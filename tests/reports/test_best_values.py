"""The answer to a sweep: the best value by validation, and which others are told apart from it on the test set."""

from pathlib import Path
from statistics import fmean

import pytest
from msgspec.structs import replace
from records_of import record

from gsm_cli.analysis.choices import best_values
from gsm_cli.analysis.contrasts import over_one, trained
from gsm_cli.analysis.groups import sort_records
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.choices import best_answer
from gsm_cli.reports.run_report import render_runs

NOISE = (0.0, 0.01, -0.01, 0.0, 0.0075, -0.0075, 0.005, -0.005)


def over_tau(objective: str, accuracies: dict[float, float], noise=NOISE, **settings: object):
    """A run of every seed at every temperature, with these mean test accuracies; the same noise at each but for one."""
    return [
        record(
            objective, seed, (0.5, 0.6, mean + 0.01 + shift + (0.0025 if seed == place else 0.0)), tau=tau, **settings
        )
        for place, (tau, mean) in enumerate(accuracies.items())
        for seed, shift in enumerate(noise)
    ]


def bests(groups):
    return best_values(series := trained(groups), over_one(series))


def answers(records):
    return [words(each) for each in bests(sort_records(records))]


def words(found):
    """The value that is best, as the answer has it."""
    return best_answer([found]).answer.removeprefix("Best by validation, with its accuracy on the test set: ")[:-1]


def told_apart(found):
    return best_answer([found]).details[0].removeprefix("* ")


def test_one_sentence_says_the_best_value_and_what_is_told_apart():
    records = [*over_tau("gumbel", {0.1: 0.90, 0.5: 0.95}), *over_tau("gumbel", {2.0: 0.9475}, NOISE[::-1])]
    (found,) = bests(sort_records(records))
    assert words(found) == "gumbel at tau 0.5 (95.03 [94.39, 95.68] %, 8 seeds)"
    assert told_apart(found) == (
        "gumbel against its tau 0.5, in points: worse is 0.1 (-5.00 [-5.11, -4.89]); not told apart is "
        "2 (-0.25 [-0.74, +0.24])."
    )


def test_the_interval_and_the_corrected_test_must_both_say_so():
    (few,) = bests(sort_records(over_tau("gumbel", {0.1: 0.90, 0.5: 0.95}, NOISE[:5])))
    (rival,) = few.trials
    assert rival.test.summary.high < 0
    assert rival.p_value == 2 / 2**5
    assert rival.side == "open"
    taus = {0.1: 0.90, 0.5: 0.95, 1.0: 0.9, 2.0: 0.9}
    (found,) = bests(sort_records(over_tau("gumbel", taus, NOISE[:6])))
    assert [each.p_value for each in found.trials] == pytest.approx([3 * 2 / 2**6] * 3)
    assert {each.side for each in found.trials} == {"open"}
    (found,) = bests(sort_records(over_tau("gumbel", taus)))
    assert {each.side for each in found.trials} == {"worse"}


def test_what_validation_did_not_choose_may_be_better():
    records = over_tau("gumbel", {0.1: 0.90, 0.5: 0.95})
    misled = [
        replace(each, test=record("gumbel", each.config.seed, (0.5, 0.6, 0.8)).test)
        if each.config.own["tau"] == 0.5
        else each
        for each in records
    ]
    (found,) = bests(sort_records(misled))
    assert found.settings == {"tau": 0.5}
    assert [rival.side for rival in found.trials] == ["better"]
    assert "better is 0.1 (+" in told_apart(found)


def test_the_choice_is_made_at_the_seeds_that_all_values_have():
    """A value with one lucky seed is not best because the others have unlucky ones too."""
    records = [*over_tau("gumbel", {0.5: 0.95}), *over_tau("gumbel", {1.0: 0.955}, NOISE[:2])]
    lucky = [each for each in records if each.config.own["tau"] == 0.5 or each.config.seed == 1]
    (found,) = bests(sort_records(lucky))
    assert found.settings == {"tau": 1.0}
    unlucky = [*over_tau("gumbel", {0.5: 0.95}), *over_tau("gumbel", {1.0: 0.945}, NOISE[:2])[1:]]
    assert fmean(sort_records(unlucky)[0].series[1].validation_by_seed.values()) > fmean(
        sort_records(unlucky)[0].series[0].validation_by_seed.values()
    )
    (found,) = bests(sort_records(unlucky))
    assert found.settings == {"tau": 0.5}


def test_what_is_fitted_to_the_length_of_training_is_the_frontiers():
    records = [
        record("gumbel", 0, (0.5,) * (epochs - 1) + (0.9,), kl_warmup=warmup)
        for epochs, warmup in ((3, 0.3), (5, 0.3), (5, 0.1))
    ]
    assert bests(sort_records(records)) == []
    assert bests(sort_records(records[1:]))


def test_one_seed_tells_nothing_apart():
    (found,) = bests(sort_records(over_tau("gumbel", {0.1: 0.7, 0.5: 0.9}, (0.0,))))
    assert words(found) == "gumbel at tau 0.5 (90.00 %, 1 seed)"
    assert told_apart(found) == "gumbel against its tau 0.5, in points: not told apart is 0.1 (-19.75)."


def test_every_objective_has_its_own_sentence():
    records = [*over_tau("gumbel", {0.1: 0.9, 0.5: 0.95}), *over_tau("straight-through-gumbel", {0.1: 0.95, 0.5: 0.9})]
    first, second = answers(records)
    assert first.startswith("gumbel at tau 0.5 (")
    assert second.startswith("straight-through-gumbel at tau 0.1 (")


def test_values_with_other_data_are_not_compared():
    records = [
        replace(record("gumbel", seed, labels=labels), split=f"{labels:064}")
        for labels in (50, 100)
        for seed in range(3)
    ]
    assert answers(records) == []


def test_lengths_of_training_are_the_frontiers():
    assert answers([record("gumbel", 0, (0.5, 0.8)), record("gumbel", 0, (0.5, 0.8, 0.9))]) == []


def test_values_without_a_seed_that_all_have_are_not_ranked():
    pairwise = {0.1: (0, 1), 0.5: (1, 2), 1.0: (0, 2)}
    records = [record("gumbel", seed, (0.5, 0.9), tau=tau) for tau, seeds in pairwise.items() for seed in seeds]
    assert answers(records) == []


class TestReport:
    RECORDS = over_tau("gumbel", {0.1: 0.90, 0.5: 0.95})

    def rendered(self, name: str, *more):
        kind = "comparison" if name == "digits-100" else "settings"
        return render_runs(ReportFolder(Path("reports") / name), [*self.RECORDS, *more], kind=kind)

    def test_a_sweep_is_answered_first_in_a_report_on_settings(self):
        found = self.rendered("temperature")
        assert found.title.endswith("with 100 labels: which tau is best?")
        best = "gumbel at tau 0.5 (95.03 [94.39, 95.68] %, 8 seeds)"
        assert found.answer == f"Best by validation, with its accuracy on the test set: {best}."
        assert f"**{found.answer}**\n\n* gumbel against its tau 0.5, in points: worse is 0.1 (" in found.text
        assert "There is nothing to compare yet: no finished run of marginalize." in found.text
        assert found.text.index("## Against the temperature") < found.text.index("## Results")

    def test_and_the_sum_after_it(self):
        found = self.rendered("temperature", *(record("marginalize", seed, (0.5, 0.7, 0.96)) for seed in range(8)))
        assert answers(self.RECORDS)[0] in found.answer
        assert found.text.index(found.answer) < found.text.index("One Gumbel-Softmax sample")

    def test_a_folder_of_a_data_set_asks_about_the_sum(self):
        found = self.rendered("digits-100")
        assert found.title.endswith("can one sample replace the sum over classes?")
        assert found.answer == (
            "There is nothing to compare yet: no finished run of marginalize. "
            "Test accuracy so far: gumbel (tau 0.1) 90.03 [89.43, 90.64] % and gumbel (tau 0.5) 95.03 [94.39, 95.68] %."
        )

    def test_its_commands_name_the_folder(self):
        text = self.rendered("temperature").text
        lines = [line for line in text.splitlines() if line.startswith("$ gsm train-ssl")]
        assert len(lines) == 2
        assert all(line.endswith(" --report temperature") for line in lines)
        assert "--seeds 0-7 --epochs 3 --report temperature`" in text  # of the sum, that is missing
        assert "--report" not in self.rendered("digits-100").text
