"""The film of the law: what its frames show, and what it cannot show."""

import json
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gsm_cli import style
from gsm_cli.errors import UsageError
from gsm_cli.law import animation, films, gumbel, moments
from gsm_cli.law.request import read_law, read_temperature
from gsm_cli.style import Look

LAW = read_law(None, None, None, seed=0)
THREE = read_law("0.5,0.3,0.2", None, None, 0)
ENDS = (read_temperature("100"), read_temperature("0.05"))
SMALL = Look(dpi=40)


def film(law=LAW, triangle=False, look=SMALL, size=20, ends=ENDS):
    return animation.animate(law, ends, size, triangle, look)


def gif(chosen):
    return films.encode(list(chosen.pixels()), json.dumps(chosen.carried))


def test_forty_classes_are_small_enough():
    assert len(gif(film(read_law(None, None, 40, 1), look=Look()))) <= 600_000


def test_frames_share_their_noise_and_go_down_evenly():
    chosen = film(size=30)
    temperatures = np.array([frame.temperature for frame in chosen.frames])
    assert_allclose(np.diff(np.log(temperatures)), np.log(0.05 / 100) / 47, rtol=1e-3)
    noise = LAW.noise(30)
    for frame in (chosen.frames[0], chosen.frames[30], chosen.frames[-1]):
        z = gumbel.relax(LAW.logits, noise, frame.temperature)
        assert_allclose(frame.cloud[0], z[0], rtol=1e-5)
        assert_allclose(frame.mean, z.mean(axis=0), rtol=1e-4)
        assert_allclose(frame.exact, moments.exact_expectation(LAW.logits, frame.temperature), rtol=1e-4)


def test_bars_and_dots_stand_where_the_frames_say():
    bars, cloud = film(), film(THREE, triangle=True)
    figures = []
    for chosen in (bars, cloud):
        with style.drawn(chosen.draw) as figure:
            chosen.show(figure, chosen.frames[5], "#123456")
            figures.append(figure)
            assert figure.get_suptitle().endswith(f"τ = {chosen.frames[5].temperature:.3g}")
            assert figure._suptitle.get_parse_math() is False
    heights = [[bar.get_height() for bar in axes.containers[0]] for axes in figures[0].axes[:-1]]
    assert heights == [list(values) for values in (bars.frames[5].cloud[0], bars.frames[5].mean, bars.frames[5].exact)]
    (dots,) = [line.get_xydata() for line in figures[1].axes[0].lines if line.get_label() == "samples"]
    assert_allclose(dots, np.array(cloud.frames[5].cloud) @ [[0, 0], [1, 0], [0.5, 0.75**0.5]])


@pytest.mark.parametrize(("first", "last"), [("100", "0.05"), ("3", "2"), ("1e-6", "1e9"), ("0.09", "11")])
def test_the_scale_names_its_ends_and_no_number_touches_another(first, last):
    ends = (read_temperature(first), read_temperature(last))
    chosen = film(ends=ends)
    with style.drawn(chosen.draw) as figure:
        figure.draw_without_rendering()
        scale = figure.axes[-1]
        labels = [label for label in scale.get_xticklabels() if label.get_text()]
        assert [label.get_text() for label in labels[:2]] == [f"{end.value:.3g}" for end in ends]
        assert all("e" not in label.get_text() for label in labels) or "1e9" in (first, last)
        boxes = [label.get_window_extent() for label in labels]
        assert not any(box.overlaps(its) for box, its in combinations(boxes, 2))


def test_thousands_are_written_whole():
    chosen = film(ends=(read_temperature("1e5"), read_temperature("1")))
    with style.drawn(chosen.draw) as figure:
        chosen.show(figure, chosen.frames[0], "#123456")
        assert figure.get_suptitle().endswith("τ = 100,000")
        texts = [label.get_text() for label in figure.axes[-1].get_xticklabels() if label.get_text()]
        assert set(texts) == {"1", "10", "100", "1,000", "10,000", "100,000"}
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in figure.axes[-1].get_xticklabels() if label.get_text()]
        assert not any(box.overlaps(its) for box, its in combinations(boxes, 2))


@pytest.mark.parametrize("count", [3, 15, 20, 40])
def test_no_name_touches_another(count):
    names = ",".join(f"label {k}" for k in range(1, count + 1))
    chosen = film(read_law(None, None, count, 0, names=names), look=Look())
    with style.drawn(chosen.draw) as figure:
        figure.draw_without_rendering()
        for axes in figure.axes[:-1]:
            labels = [label for label in axes.get_xticklabels() if label.get_text()]
            assert [label.get_text() for label in labels] == names.split(",")
            boxes = [label.get_window_extent() for label in labels]
            assert not any(box.overlaps(its) for box, its in combinations(boxes, 2))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"law": read_law(None, None, 41, 0)}, "at most 40 classes, not 41: name fewer"),
        ({"triangle": True}, "three classes, not 6: write for example --probs"),
        ({"ends": (ENDS[0], ENDS[0])}, "must differ, and are 100 and 100: name two"),
        ({"size": 10**9}, "--samples must be at most 3472222 for 6 classes and 48 temperatures, not 1000000000: take"),
    ],
    ids=["classes", "triangle", "ends", "samples"],
)
def test_what_cannot_be_shown_is_refused(given, sentence):
    with pytest.raises(UsageError, match=sentence):
        film(**given)
