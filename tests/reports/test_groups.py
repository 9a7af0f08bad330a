"""Runs sorted for a report: what is averaged, what is compared, in which order and under which names."""

from collections.abc import Sequence
from colorsys import rgb_to_hls
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from identities import identities
from matplotlib.colors import to_rgb
from records_of import batch, failed, record

from gsm_cli.analysis.groups import sort_records
from gsm_cli.analysis.series import validation_step
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.run_report import render_runs
from gsm_cli.settings import build


def named(*records: RunRecord) -> list[str]:
    (group,) = sort_records(records)
    return [series.label for series in group.series]


def mine(sha256: str, name: str = "there/mine.py:Mine", **own: object) -> RunRecord:
    """A run of an estimator of somebody's own, whose file is not there."""
    whole = record("marginalize", 0)
    estimator = OwnSettings(of=name, sha256=sha256 * 8, values=own)
    config = msgspec.structs.replace(whole.config, estimator=estimator)
    return msgspec.structs.replace(whole, config=config)


def test_of_groups_alike_a_presets_is_the_first():
    """The learning rate of digits is 0.002, and 0.0001 comes before it as text."""
    records = [record(name, 0, learning_rate=rate) for rate in (0.0001, 0.002) for name in ("gumbel", "marginalize")]
    assert [group.config.learning_rate for group in sort_records(records)] == [0.002, 0.0001]


class TestNames:
    def test_temperatures_are_apart_and_in_order(self):
        gumbels = [record("gumbel", 0, tau=tau) for tau in (1.0, 0.25, 10.0)]
        names = ["marginalize", "gumbel, tau 0.25", "gumbel, tau 1", "gumbel, tau 10"]
        assert named(*gumbels, record("marginalize", 0)) == names

    def test_close_temperatures_have_names_of_their_own(self):
        close = [record("gumbel", 0, tau=tau) for tau in (0.1 + 0.2, 0.3)]
        assert named(*close) == ["gumbel, tau 0.3", "gumbel, tau 0.30000000000000004"]

    def test_zero_has_a_name(self):
        sparse = [record("sparse-marginalize", 0, threshold=value) for value in (0.01, 0)]
        assert named(*sparse) == ["sparse-marginalize, threshold 0", "sparse-marginalize, threshold 0.01"]

    def test_only_what_differs_is_named(self):
        both = [record("gumbel", 0, tau=0.5, draws=2), record("gumbel", 0, tau=0.25, draws=2)]
        assert named(*both) == ["gumbel, tau 0.25", "gumbel, tau 0.5"]
        annealed = [record("gumbel", 0, tau_rate=1e-7), record("gumbel", 0, tau=0.25)]
        assert named(*annealed) == ["gumbel, tau 0.25", "gumbel, tau 0.5, tau_rate 1e-07"]

    def test_seeds_are_not_named(self):
        assert named(record("gumbel", 1), record("gumbel", 0)) == ["gumbel"]

    def test_somebodys_own_is_last_and_bears_the_name_of_its_class(self):
        assert named(mine("a" * 8, strength=2.5), record("supervised", 0)) == ["supervised", "Mine"]

    def test_two_contents_of_a_file_are_told_apart_by_their_digests(self):
        names = named(mine("abcdef01", strength=1), mine("23456789", strength=1))
        assert names == ["Mine, SHA-256 234567892345", "Mine, SHA-256 abcdef01abcd"]

    def test_a_class_may_bear_the_name_of_another_objective(self):
        names = named(record("gumbel", 0), mine("abcdef01", "mine.py:gumbel", strength=2.5))
        assert len(set(names)) == 2

    def test_names_are_unique(self):
        settings = [{}, {"draws": 2}, {"tau": 0.25}, {"tau_rate": 1e-9}, {"tau_min": 0.1, "draws": 2}]
        assert len(set(named(*(record("gumbel", 0, **each) for each in settings)))) == len(settings)


class TestGroups:
    def test_objectives_stand_in_the_order_of_the_table(self):
        assert named(*(record(name, 0) for name in reversed(OBJECTIVES))) == list(OBJECTIVES)

    def test_other_settings_form_another_group_and_the_largest_is_first(self):
        longer = [record("gumbel", seed, (0.5, 0.6, 0.7, 0.99)) for seed in range(2)]
        first, second = sort_records([*longer, *batch({"gumbel": [0.0] * 3})])
        assert (first.config.epochs, second.config.epochs) == (3, 4)
        assert (len(first.records), len(second.records)) == (3, 2)

    @pytest.mark.parametrize(
        ("settings", "epochs"), [({"kl_start": 1.0}, 3), ({}, 4), ({"precision": "bf16", "kl_start": 1.0}, 4)]
    )
    def test_names_say_what_differs_and_nothing_else(self, settings, epochs):
        other = [record("gumbel", 9, (0.5,) * epochs, **settings)]
        first, second = sort_records([*batch({"gumbel": [0.0] * 3}), *other])
        words = {"kl_start": ("kl_start 0.2", "kl_start 1"), "precision": ("precision float32", "precision bf16")}
        named = [*([("epochs 3", "epochs 4")] if epochs == 4 else []), *(words[key] for key in sorted(settings))]
        assert (first.name, second.name) == tuple(", ".join(column) for column in zip(*named, strict=True))

    def test_data_are_named_where_groups_differ_in_them(self):
        first, second = sort_records([record("gumbel", 0, dataset=name) for name in ("digits", "mnist")])
        assert {"digits" in first.name, "mnist" in second.name} == {True}

    def test_presets_are_named_where_groups_differ_in_them(self):
        runs = [
            msgspec.structs.replace(failed("gumbel", 0), config=build({"dataset": "mnist", **settings}, preset))
            for preset, settings in (("laptop", {"precision": "bf16"}), ("long", {}), ("article", {"epochs": 10}))
        ]
        assert {group.name for group in sort_records(runs)} == {
            "preset laptop, epochs 30, precision bf16",
            "preset long, epochs 100, precision float32",
            "preset article, epochs 10, precision float32",
        }

    def test_a_group_alone_has_no_name(self):
        (group,) = sort_records(batch({"gumbel": [0.0]}))
        assert group.name == ""


class TestPictured:
    def test_of_too_many_series_one_of_each_objective_that_the_verdict_speaks_of(self):
        taus = [record(name, 0, tau=0.1 * n) for name in ("gumbel", "straight-through-gumbel") for n in range(1, 7)]
        (group,) = sort_records(taus)
        assert group.pictured == group.trained
        (group,) = sort_records([*taus, record("marginalize", 0)])
        assert [each.label for each in group.pictured] == [
            "marginalize",
            "gumbel, tau 0.5",
            "straight-through-gumbel, tau 0.5",
        ]

    def test_the_report_says_so(self):
        taus = [record("gumbel", 0, tau=0.1 * n) for n in range(1, 15)]
        few, many = (
            render_runs(ReportFolder(Path("reports/digits-100")), each).details_text for each in (taus[:12], taus)
        )
        assert "too many for a picture of all" not in few
        assert "too many for a picture of all" in many


class TestFind:
    def test_takes_the_default_temperature_whatever_else_has_more_runs_or_is_better(self):
        better = [record("gumbel", seed, (0.5, 0.9, 0.95), tau=0.25) for seed in range(3)]
        (group,) = sort_records([record("gumbel", 0), *better])
        assert group.find("gumbel").config.own["tau"] == 0.5

    def test_takes_the_temperature_of_another_preset(self):
        taus = [record("gumbel", seed, dataset="mnist", tau=tau) for tau in (0.1, 0.2) for seed in range(3)]
        article = build({"dataset": "mnist", "seed": 0}, "article").own
        annealed = record("gumbel", 0, (0.1, 0.1, 0.1), dataset="mnist", **article)
        (group,) = sort_records([*taus, annealed])
        assert group.find("gumbel").config.own == article

    def test_else_takes_what_is_best_on_validation(self):
        runs = [record("gumbel", 0, (0.5, 0.8, best), tau=tau) for tau, best in ((0.1, 0.85), (1.0, 0.9), (2.0, 0.81))]
        (group,) = sort_records(runs)
        assert group.find("gumbel").label == "gumbel, tau 1"
        assert group.find("marginalize") is None


class TestSeries:
    def test_numbers_of_a_pass(self):
        (group,) = sort_records(batch({"marginalize": [0.0, 0.0], "gumbel": [0.0, 0.04]}))
        gumbel = group.series[1]
        assert {seed: score.correct for seed, score in gumbel.scores.items()} == {0: 360, 1: 376}
        assert list(gumbel.validation_by_seed.values()) == pytest.approx([0.91, 0.95])
        assert gumbel.curve(lambda epochs: epochs.validation_accuracy) == pytest.approx([0.5, 0.7, 0.93])

    def test_wrong_images_are_counted(self):
        """Three bits of one byte are set: three errors among eight images."""
        whole = record("gumbel", 0)
        chosen = msgspec.structs.replace(whole.test.chosen, images=8, modal=1, wrong="4A==")
        last = msgspec.structs.replace(chosen, epoch=whole.test.last.epoch)
        test = msgspec.structs.replace(whole.test, chosen=chosen, last=last)
        (group,) = sort_records([msgspec.structs.replace(whole, test=test)])
        assert group.series[0].scores[0].correct == 5

    def test_what_a_validation_image_is_worth(self):
        runs = record("gumbel", 0), record("gumbel", 1)
        (group,) = sort_records(
            [
                msgspec.structs.replace(run, epochs=msgspec.structs.replace(run.epochs, images=480_000 * size))
                for run, size in zip(runs, (1, 2), strict=True)
            ]
        )
        assert validation_step(group.series[0]) == 1 / 960_000

    def test_a_column_that_a_run_does_not_have_is_empty(self):
        (group,) = sort_records([record("marginalize", 0)])
        assert group.series[0].curve(lambda epochs: epochs.relaxed_bound) == []


def colours(labels: Sequence[str]) -> dict[str, str]:
    return {each.label: each.colour for each in identities(labels)}


class TestColours:
    def test_are_those_of_the_table(self):
        assert colours(list(OBJECTIVES)) == {name: row.colour for name, row in OBJECTIVES.items()}

    def test_are_different_for_every_series(self):
        names = ["gumbel, tau 0.25", "gumbel, tau 0.5", "Mine", "marginalize", "Other"]
        found = colours(names)
        assert list(found) == names
        assert len(set(found.values())) == 5
        assert found["marginalize"] == "#d73c2c"

    def test_a_temperature_has_its_shade_wherever_it_stands(self):
        names = [f"gumbel, tau {tau}" for tau in ("0.5", "10", "2", "1e-05")]
        assert colours(names) == {name: colours(sorted(names))[name] for name in names}
        assert sorted(names, key=lambda name: rgb_to_hls(*to_rgb(colours(names)[name]))[1]) == [
            f"gumbel, tau {tau}" for tau in ("1e-05", "0.5", "2", "10")
        ]

    def test_temperatures_of_one_objective_are_shades_of_one_colour(self):
        """The hue stays; the lightness rises."""
        found = [rgb_to_hls(*to_rgb(colour)) for colour in colours([f"gumbel, tau {tau}" for tau in range(5)]).values()]
        assert max(hue for hue, _, _ in found) - min(hue for hue, _, _ in found) < 0.01
        assert rgb_to_hls(*to_rgb(OBJECTIVES["gumbel"].colour))[0] == pytest.approx(found[0][0], abs=0.01)
        light = [lightness for _, lightness, _ in found]
        assert all(second - first > 0.05 for first, second in pairwise(light))
