"""The sections on gradients: what they say of small measurements, and what their picture shows."""

import re
from pathlib import Path
from statistics import fmean

import msgspec
import pytest
from legible import assert_legible
from records_of import gradient_record, mean_gradient

from gsm_cli.analysis.gradients import deviation, means, own_models, subjects_of
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.gradients import MEASURED, GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.page import Report
from gsm_cli.reports.run_report import render_runs
from gsm_cli.style import house_style

TAUS = (0.1, 0.5, 1.0)
EVERYTHING = (("marginalize", None), ("reinforce", None), *(("gumbel", tau) for tau in TAUS))


def rendered(*records: GradientRecord) -> Report:
    return render_runs(ReportFolder(Path("reports/digits-100")), [], (), records)


def cells(text: str, first: str) -> list[str]:
    """The cells of the first table row whose first cell is `first`."""
    return re.search(rf"^\| {re.escape(first)} \| (.*) \|$", text, re.MULTILINE).group(1).split(" | ")


def change(record: GradientRecord, number: int, **changes: object) -> GradientRecord:
    rows = list(record.rows)
    rows[number] = msgspec.structs.replace(rows[number], **changes)
    return msgspec.structs.replace(record, rows=rows)


class TestText:
    RECORD = gradient_record(*EVERYTHING, epochs=(1, 200))

    def test_the_numbers_of_one_temperature_after_the_last_epoch(self):
        text = rendered(self.RECORD).details_text
        assert "at a temperature of 0.5 where an estimator has one" in text
        assert cells(text, "estimator") == ["cosine of the mean", "bias / norm", "deviation / norm"]
        assert cells(text, "gumbel")[0] == "0.400"
        assert cells(text, "marginalize") == ["1.000", "–", "–"]

    def test_what_is_not_told_from_0_is_not_that_of_another_temperature(self):
        number = 4 * len(EVERYTHING) + 3  # the last model
        row = self.RECORD.rows[number]
        assert (row.subject, row.temperature) == ("seed 1, epoch 200", 0.5)
        record = change(self.RECORD, number, logits=msgspec.structs.replace(row.logits, cosine=None))
        assert cells(rendered(record).details_text, "gumbel")[0] == "–"

    def test_what_may_be_concluded_is_said_of_every_column_apart(self):
        record = change(self.RECORD, 1, logits=mean_gradient(0.0, True))
        record = change(record, 5 + 4, logits=mean_gradient(1.2, True, -0.2))
        text = rendered(record).text
        assert "* f(y) linear: no bias that is seen: reinforce; between: gumbel (tau 0.1, 0.5, 1)." in text
        assert "* model, epoch 1 (every one of seeds 0 and 1): between: reinforce, gumbel (tau 0.1, 0.5, 1)." in text
        record = change(record, 15 + 4, logits=mean_gradient(1.2, True, -0.2))
        assert "between: reinforce, gumbel (tau 0.1, 0.5); a mean beyond a right angle: gumbel (tau 1)." in (
            rendered(record).text
        )

    def test_the_answer_names_temperatures_where_they_set_an_estimator_apart(self):
        record = self.RECORD
        for last in (10, 20):  # the rows of the models after the last epoch
            record = change(record, last + 1, logits=mean_gradient(0.0, True))
            record = change(record, last + 2, logits=mean_gradient(0.0, True))
        assert rendered(record).answer == "No bias seen: reinforce and gumbel (tau 0.1)."
        for last in (10, 20):
            record = change(record, last + 4, logits=mean_gradient(1.2, True, -0.2))
        away = "a mean beyond a right angle: gumbel (tau 1)"
        assert rendered(record).answer == f"No bias seen: reinforce and gumbel (tau 0.1); {away}."

    def test_a_cosine_within_two_errors_of_a_border_lies_between(self):
        for bias, cosine, words in ((1.2, -0.015, "between"), (1.2, -0.025, "a mean beyond a right angle")):
            record = change(self.RECORD, 1, logits=mean_gradient(bias, True, cosine))
            assert f"{words}: reinforce" in rendered(record).text.split("* model, epoch 1")[0]
        for cosine, words in ((0.915, "between"), (0.925, "a biased mean within 26° (cosine from 0.9)")):
            record = change(self.RECORD, 1, logits=mean_gradient(0.2, True, cosine))
            assert f"{words}: reinforce" in rendered(record).text.split("* model, epoch 1")[0]

    def test_nothing_is_ranked_by_a_number_that_zero_would_win(self):
        text = rendered(gradient_record(("marginalize", None), ("reinforce", None), ("gumbel", 0.5), ("gumbel", 1.0)))
        assert "the gradient 0, which teaches nothing, has 1.00, and 2 of these 5 have more." in text.text
        assert "rmse" not in text.text
        assert "least error" not in text.text

    def test_a_model_that_leans_on_one_image_is_named(self):
        assert "one still holds" not in rendered(self.RECORD).details_text
        subjects = [msgspec.structs.replace(each, largest_share=0.4) for each in self.RECORD.subjects]
        heavy = rendered(msgspec.structs.replace(self.RECORD, subjects=subjects[:2])).details_text
        assert "one still holds 40.0 % of seed 0, epoch 1, whose numbers lean on that image." in heavy

    def test_it_says_how_it_was_made(self):
        record = gradient_record(*((name, 1.0) for name in MEASURED), replicates=300)
        text = rendered(record).details_text
        assert "`gsm gradients --tau 1 --replicates 300`" in text
        assert f"[record]({record.plan.name}.json)" in text


class TestSeveral:
    def test_each_has_a_section_named_by_what_differs(self):
        more = {"replicates": 500, "classes": 40}
        first, second = (gradient_record(("gumbel", 0.5), epochs=(1,), **plan) for plan in ({}, more))
        for records in ((first, second), (second, first)):
            report = rendered(*records)
            headings = re.findall(r"^## How good.*$", report.details_text, re.MULTILINE)
            assert headings == [
                "## How good the gradients are",
                "## How good the gradients are: --objective gumbel --tau 0.5 --replicates 500 --classes 40",
            ]
            names = [picture.name for picture in report.pictures if "tau" in picture.name]
            assert names == ["gradients-tau", "gradients-tau-2"]
            text = report.details_text
            assert text.index(first.plan.name) < text.index(second.plan.name)


class TestPicture:
    RECORD = gradient_record(*EVERYTHING, ("gumbel", 2.0), epochs=(1, 200))

    def drawn(self, record, name="gradients-tau"):
        (picture,) = [each for each in rendered(record).pictures if each.name == name]
        with house_style():
            return picture.draw()

    def test_a_column_for_every_epoch(self):
        assert [len(subjects) for subjects in subjects_of(self.RECORD).values()] == [1, 2, 2]
        titles = [axes.get_title() for axes in self.drawn(self.RECORD).axes]
        assert titles == [
            f"{quantity}, {subject}"
            for quantity in ("cosine of the mean", "bias / norm", "deviation / norm")
            for subject in ("model, epoch 1", "model, epoch 200")
        ]

    def test_a_point_is_missing_where_a_bias_is_not_seen(self):
        few = gradient_record(*EVERYTHING, ("gumbel", 2.0))  # of functions alone
        record = change(few, 3, logits=mean_gradient(0.01, True))  # gumbel at 0.5, linear
        (line,) = [each for each in self.drawn(record).axes[1].lines if each.get_marker() == "s"]
        assert list(line.get_xdata()) == pytest.approx([0.1, 1.0, 2.0])

    def test_a_point_is_the_mean_over_models_with_the_least_and_the_greatest(self):
        record = change(self.RECORD, 8, logits=mean_gradient(0.35, True))
        (models,) = [own for title, own in subjects_of(record).items() if title == "model, epoch 1"]
        rows = [
            row for row in record.rows if row.estimator == "gumbel" and row.subject in {each.name for each in models}
        ]
        found = means(record, "gumbel", models, deviation)
        assert [*found] == [0.1, 0.5, 1.0, 2.0]
        for tau, each in found.items():
            own = [row.deviation for row in rows if row.temperature == tau]
            assert (each.mean, each.low, each.high) == (fmean(own), min(own), max(own))

    def test_first_come_cosine_and_deviation_of_early_and_late_models(self):
        figure = self.drawn(self.RECORD, "gradients")
        titles = [axes.get_title() for axes in figure.axes]
        assert titles == ["cosine of the mean, model, epoch 1", "cosine of the mean, model, epoch 200"]
        (names,) = figure.legends or [None]
        assert names is None or "reinforce" in [text.get_text() for text in names.get_texts()]

    @pytest.mark.parametrize("temperatures", [1, 8])
    @pytest.mark.parametrize("estimators", [1, 14])
    def test_is_legible_for_any_number_of_estimators_and_temperatures(self, estimators, temperatures):
        taus = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)[:temperatures]
        names = list(OBJECTIVES)[:estimators]
        relaxed = [(name, tau) for name in names if OBJECTIVES[name].relaxed for tau in taus]
        level = [(name, None) for name in names if not OBJECTIVES[name].relaxed]
        for epochs in ((), (1, 200)):
            for picture in rendered(gradient_record(*level, *relaxed, epochs=epochs)).pictures:
                with house_style():
                    assert_legible(picture.draw())

    def test_every_estimator_is_in_the_legend(self):
        (legend,) = self.drawn(self.RECORD).legends
        assert [text.get_text() for text in legend.get_texts()] == ["marginalize", "reinforce", "gumbel"]

    @pytest.mark.parametrize(
        "estimators", [[], [("marginalize", None)], [("mine.py:Mine", None), ("gumbel", 1e-9)], [("reinmax", 1.0)]]
    )
    def test_whatever_was_measured_can_be_shown(self, estimators):
        report = rendered(gradient_record(*estimators, epochs=(1,)))
        assert report.title == "Digits: how good are the gradients?"
        assert bool(report.pictures) == bool(estimators)
        assert all(picture.encode("png")[:4] == b"\x89PNG" for picture in report.pictures)


class TestOwnModels:
    def test_stand_beside_those_of_the_sum(self):
        record = gradient_record(("marginalize", None), ("gumbel", 0.5), epochs=(1, 200))
        own = [
            msgspec.structs.replace(each, name=f"gumbel, {each.name}", trained_by="gumbel")
            for each in record.subjects
            if each.epoch
        ]
        rows = [
            msgspec.structs.replace(row, subject=f"gumbel, {row.subject}", logits=mean_gradient(0.5, True, -0.25))
            for row in record.rows
            if row.estimator == "gumbel" and f"gumbel, {row.subject}" in {each.name for each in own}
        ]
        both = msgspec.structs.replace(record, subjects=[*record.subjects, *own], rows=[*record.rows, *rows])
        assert [*subjects_of(both)] == [*subjects_of(record)]  # the others are of the sum's models alone
        ((name, subjects),) = own_models(both).items()
        assert (name, {each.epoch for each in subjects}) == ("gumbel", {200})
        beside = [
            row.logits.cosine for row in record.rows if row.estimator == "gumbel" and row.subject.endswith("epoch 200")
        ]
        assert f"| gumbel, tau 0.5 | -0.250 | {fmean(beside):.3f} |" in rendered(both).details_text

    def test_a_signal_less_log_q_has_a_row_of_its_own(self):
        record = gradient_record(("reinforce", None), epochs=(1, 200))
        rows = [msgspec.structs.replace(row, deviation=0.25 if row.minus_log_q else 0.5) for row in record.rows]
        both = msgspec.structs.replace(record, rows=rows[::-1])
        for name, expected in (("reinforce", 0.5), ("reinforce, minus_log_q", 0.25)):
            (found,) = means(both, name, both.subjects[:1], deviation).values()
            assert found.mean == expected
            assert cells(rendered(both).details_text, name)[-1] == f"{expected:.3f}"
