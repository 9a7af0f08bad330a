"""What the user types as a temperature or as a law, and every way of getting it wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gsm_cli.errors import UsageError, shown
from gsm_cli.law.gumbel import random_logits
from gsm_cli.law.looks import read_look
from gsm_cli.law.request import (
    ARTICLE_TEMPERATURES,
    Law,
    Temperature,
    check_work,
    read_law,
    read_temperatures,
)


def temperature(text: str) -> Temperature:
    (only,) = read_temperatures([text])
    return only


@pytest.mark.parametrize(
    ("text", "value", "label"),
    [
        ("0.1", 0.1, "1"),
        ("1", 1.0, "10"),
        ("4.1", 4.1, "41"),
        ("0.25", 0.25, "2_5"),
        ("0.01", 0.01, "0_1"),
        ("100", 100.0, "1000"),
        ("1e2", 100.0, "1000"),
        ("1e-3", 0.001, "0_01"),
        (" 5.0 ", 5.0, "50"),
    ],
)
def test_temperature_keeps_its_decimals(text, value, label):
    assert temperature(text).value == value
    assert temperature(text).file_label == label


@given(st.integers(1, 10**9), st.integers(0, 6))
def test_text_of_a_temperature_is_the_same_temperature(digits, places):
    first = temperature(f"{digits}e-{places}")
    again = temperature(first.text)
    assert first == again
    assert first.file_label == again.file_label
    assert "e" not in first.text.lower()


def test_temperatures_keep_their_order_each_once():
    texts = ["5", "1", "1.0", "1e2", "100", "+5", "0.10", "0.1"]
    assert [each.text for each in read_temperatures(texts)] == ["5", "1", "100", "0.1"]


@pytest.mark.parametrize("longer", ["0.1000000000000000000000000000000000001", "0.10000000000000000000000000001"])
def test_temperatures_of_one_name_are_one_figure(longer):
    labels = [each.file_label for each in read_temperatures(["0.1", longer])]
    assert len(labels) == len(set(labels))


def test_article_temperatures_name_the_article_files():
    assert [each.file_label for each in read_temperatures(ARTICLE_TEMPERATURES)] == ["1", "10", "50", "1000"]


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "-0", "nan", "sNaN", "inf", "-inf", "1e-400", "1e999", "1e99999999999999999999", "", "x", "5,", "1;5"],
)
def test_bad_temperature_is_refused(text):
    with pytest.raises(UsageError, match=r"--tau must be .*, not .*: write for example --tau 0\.5") as refusal:
        read_temperatures(["1", text])
    assert text.rstrip(",") in str(refusal.value)


def test_a_temperature_of_more_digits_than_a_file_name_bears_is_refused():
    assert len(temperature("1e99").text) == 100
    with pytest.raises(UsageError, match=r"^--tau must have at most 100 digits, not 1e100: choose another$"):
        temperature("1e100")


def test_commas_are_the_same_as_repeating():
    assert read_temperatures(["0.1,1", " 5 , 100"]) == read_temperatures(["0.1", "1", "5", "100"])


def test_more_temperatures_than_fit_are_refused():
    texts = [str(number) for number in range(1, 260)]
    assert len(read_temperatures(texts[:50])) == 50
    with pytest.raises(UsageError, match="at most 50 temperatures, not 259: leave some out"):
        read_temperatures(texts)
    with pytest.raises(UsageError, match="at most 20 temperatures, not 259: leave some out"):
        read_temperatures([",".join(texts)], most=20)


def test_default_law_is_the_article_s():
    law = read_law(None, None, None, seed=3)
    assert_allclose(law.probabilities, [0.107, 0.765, 0.022, 0.006, 0.055, 0.045], rtol=1e-14)
    assert (law.seed, law.options) == (3, ())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"probs": " 0.5, 0.5 "}, [0.5, 0.5]),
        ({"probs": "1,0"}, [1.0, 0.0]),
        ({"probs": "0.33333,0.33333,0.33333"}, [1 / 3, 1 / 3, 1 / 3]),
        ({"probs": "1e-12,0.999999999999"}, [1e-12, 1 - 1e-12]),
        ({"logits": "0,0"}, [0.5, 0.5]),
        ({"logits": "-1,-1,-1,-1"}, [0.25, 0.25, 0.25, 0.25]),
        ({"logits": "1001,1000"}, [1 / (1 + np.exp(-1)), 1 / (1 + np.e)]),
        ({"logits": "0,-inf"}, [1.0, 0.0]),
        ({"logits": "-inf,-3,-inf,-3"}, [0.0, 0.5, 0.0, 0.5]),
        ({"probs": "0.33,0.33,0.33"}, [1 / 3, 1 / 3, 1 / 3]),
        ({"probs": "0.17,0.17,0.17,0.17,0.17,0.17"}, 6 * [1 / 6]),
        ({"probs": "0.143,0.143,0.143,0.143,0.143,0.143,0.143"}, 7 * [1 / 7]),
        ({"logits": "0.5,1.5"}, [1 / (1 + np.e), 1 / (1 + np.exp(-1))]),
        ({"logits": "0,-700"}, [1.0, np.exp(-700)]),
        ({"logits": "0,-1000"}, [1.0, 0.0]),
        ({"logits": "1e308,-1e308"}, [1.0, 0.0]),
        ({"logits": "1e308,1e308"}, [0.5, 0.5]),
    ],
    ids=str,
)
def test_law_is_read_and_normalised(given, expected):
    law = read_law(**({"probs": None, "logits": None, "classes": None} | given), seed=0)
    assert_allclose(law.probabilities, expected, rtol=1e-12)
    assert_allclose(np.exp(law.logits), expected, rtol=1e-12)
    ((name, text),) = given.items()
    assert law.options == (f"--{name}", text)


def test_logits_survive_where_probabilities_underflow():
    assert_allclose(read_law(None, "0,-1000", None, seed=0).logits, [0.0, -1000.0])


@pytest.mark.parametrize(
    ("given", "value", "remedy"),
    [
        ({"probs": "0.5,0.6"}, "sum to 1, not to 1.1", "scale them"),
        ({"probs": "0,0", "normalize": True}, "sum to more than 0, not to 0", "replace one"),
        ({"logits": "inf,1"}, "finite numbers up to 1e308 or -inf, not 'inf'", "replace it"),
        ({"probs": "0.2,0.2"}, "not to 0.4", "--logits"),
        ({"probs": "1e308,1e308"}, "not beyond 1e308", "scale them"),
        ({"probs": f"0.5,{'9' * 5000}"}, f"finite numbers up to 1e308, not {'9' * 60}…", "replace it in '0.5,999"),
        ({"names": "a,b"}, "one for each of 6 classes, not 2", "--class-names cat,dog,bird"),
        ({"names": "a,b,,d,e,f"}, "1 to 20 printable characters, not ''", "--class-names"),
        ({"names": "a,b,c,d,e,f" + 20 * "g"}, f"not 'f{20 * 'g'}'", "--class-names"),
        pytest.param({"names": "a,b,c,d,e,f\x00"}, r"not 'f\x00'", "--class-names", id="not printable"),
        ({"classes": 41, "names": "a,b"}, "at most 40 classes, not 41", "leave the names out"),
        ({"probs": "1.5,-0.5"}, "-0.5", "--logits"),
        ({"probs": "-1,-2"}, "-2", "--logits"),
        ({"probs": "1"}, "not 1", "add the others"),
        ({"probs": "nan,1"}, "nan,1", "replace"),
        ({"probs": "inf,0"}, "inf,0", "replace"),
        ({"probs": ""}, "''", "write for example"),
        ({"probs": "0.5:0.5"}, "'0.5:0.5'", "--probs 0.5,0.3,0.2"),
        ({"probs": "0.33,0.33,0.32"}, "not to 0.98", "--normalize"),
        ({"probs": "0.3,0.3,0.3"}, "not to 0.9", "--normalize"),
        ({"probs": ",".join(50 * ["0.0205"])}, "not to 1.025", "--normalize"),
        ({"probs": "0,0", "normalize": True}, "not to 0", "replace one of them"),
        ({"probs": "2,-1", "normalize": True}, "-1", "--logits"),
        ({"probs": "2,inf", "normalize": True}, "not 'inf'", "replace"),
        ({"logits": "0,-1", "normalize": True}, "--normalize scales probabilities", "--probs"),
        ({"classes": 3, "normalize": True}, "--normalize scales probabilities", "--probs"),
        ({"logits": "-inf,-inf"}, "a number above -inf, and have none", "replace"),
        ({"logits": "0,inf"}, "not 'inf'", "replace"),
        ({"probs": "0.5,,0.5"}, "'0.5,,0.5'", "--probs 0.5,0.3,0.2"),
        ({"logits": "0.5,0.3,0.2"}, "0.5,0.3,0.2", "--probs"),
        ({"logits": "0"}, "not 1", "add the others"),
        ({"logits": "nan,0"}, "nan,0", "replace"),
        ({"logits": "x,y"}, "'x,y'", "write for example"),
        ({"probs": "0.5,0.5", "logits": "1,2"}, "--probs and --logits", "leave out"),
        ({"probs": "0.5,0.5", "classes": 2}, "--probs and --classes", "leave out"),
        ({"logits": "1,2", "classes": 2}, "--logits and --classes", "leave out"),
    ],
    ids=str,
)
def test_bad_law_is_refused_with_its_value_and_a_remedy(given, value, remedy):
    with pytest.raises(UsageError) as refusal:
        read_law(**({"probs": None, "logits": None, "classes": None} | given), seed=0)
    rule, colon, advice = str(refusal.value).partition(": ")
    assert value in rule + colon + advice
    assert remedy in advice


@pytest.mark.parametrize("text", ["0.5,0.3,0.2", "1,0"])
def test_probabilities_given_as_logits_are_told_from_them(text):
    with pytest.raises(UsageError) as refusal:
        read_law(None, text, None, seed=0)
    assert str(refusal.value) == (
        f"--logits must be log-probabilities, and {text!r} are probabilities: pass them as --probs "
        "(if they are meant, add one number to all of them, which leaves the law as it is)"
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("2,1,1", [0.5, 0.25, 0.25]), ("1e308,1e308", [0.5, 0.5]), ("0.5,0.5", [0.5, 0.5])]
)
def test_weights_are_scaled_where_that_is_asked_for(text, expected):
    law = read_law(text, None, None, 0, normalize=True)
    assert_allclose(law.probabilities, expected, rtol=1e-14)
    assert law.options == ("--probs", text, "--normalize")


@pytest.mark.parametrize("option", ["probs", "logits"])
def test_the_example_of_a_refusal_is_accepted(option):
    with pytest.raises(UsageError) as refusal:
        read_law(**({"probs": None, "logits": None, "classes": None} | {option: "x"}), seed=0)
    assert str(refusal.value).startswith(
        f"--{option} must be numbers with commas, a file of them or - for stdin, not 'x': write for example --{option} "
    )
    example = str(refusal.value).rpartition(" ")[2]
    law = read_law(**({"probs": None, "logits": None, "classes": None} | {option: example}), seed=0)
    assert_allclose(law.probabilities, [0.5, 0.3, 0.2], atol=0.005)


def test_a_number_of_thousands_of_digits_is_named_as_typed_and_shortened():
    with pytest.raises(UsageError, match=r"finite numbers up to 1e308, not 9{60}…: replace it in '0\.5,9{55}…$"):
        read_law("0.5," + "9" * 5000, None, None, seed=0)


def test_what_is_named_is_shortened_from_61_characters_on():
    assert shown(60 * "1") == 60 * "1"
    assert shown(61 * "1") == 60 * "1" + "…"


def test_more_classes_than_a_figure_shows_are_refused():
    assert read_law(None, None, 10_000, seed=0).logits.size == 10_000
    with pytest.raises(UsageError, match=r"at most 10,000 classes, not 10,001: leave some out"):
        read_law(None, ",".join(["-1"] * 10_001), None, seed=0)


def test_names_of_classes_are_part_of_the_law():
    law = read_law("0.5,0.5", None, None, 0, "cat, big dog")
    assert law.names == ("cat", "big dog")
    assert law.options == ("--probs", "0.5,0.5", "--class-names", "cat, big dog")
    longest = [f"{number:020}" for number in range(40)]
    assert read_law(None, None, 40, 0, ",".join(longest)).names == tuple(longest)


def test_a_refusal_of_names_gives_an_example():
    with pytest.raises(UsageError, match=r"classes, not 2: write for example --class-names cat,dog,bird$"):
        read_law("0.5,0.3,0.2", None, None, 0, "cat,dog")


def test_more_work_than_a_minute_gives_is_refused():
    law = read_law(None, None, None, 0)
    check_work("--samples", 41_666_666, law, 4)
    with pytest.raises(
        UsageError, match="--samples must be at most 41666666 for 6 classes and 4 temperatures, not 41666667"
    ):
        check_work("--samples", 41_666_667, law, 4)


@pytest.mark.parametrize(
    ("look", "options"),
    [
        ((None, None, None), ()),
        (("Größe τ → 0 по-русски", None, None), ("--title", "Größe τ → 0 по-русски")),
        (("Mine", "6X4.5", 90), ("--title", "Mine", "--size", "6x4.5", "--dpi", "90")),
    ],
)
def test_a_look_is_read_and_written_again(look, options):
    assert read_look(*look).options == options


def test_letters_and_paper_are_part_of_a_look():
    look = read_look(None, None, None, "DejaVu Serif", font_size=16, style="dark")
    assert look.options == ("--font-size", "16", "--font", "DejaVu Serif", "--style", "dark")


@pytest.mark.parametrize(
    ("look", "value"),
    [
        (("", None, None), "--title must have from 1 to 80 printable characters in one line, not ''"),
        (("t" * 81, None, None), "--title must have"),
        (
            ("Müller 💥 数💥", None, None),
            "^--title must be of characters that the font of figures has, and it has no 💥数: ",
        ),
        pytest.param(("two\nlines", None, None), r"not 'two\\nlines'", id="two lines"),
        *(
            ((None, size, None), f"--size must be .*, not '?{size}'?: write")
            for size in ("6", "6x", "6x4x2", "axb", "1x4", "6x41", "nanx4")
        ),
    ],
)
def test_a_look_that_cannot_be_is_refused(look, value):
    with pytest.raises(UsageError, match=value):
        read_look(*look)


def test_random_laws_follow_their_seed():
    laws = [read_law(None, None, 20, seed) for seed in (3, 3, 4)]
    assert laws[0].options == ("--classes", "20")
    assert_array_equal(laws[0].logits, laws[1].logits)
    assert (laws[0].logits != laws[2].logits).all()
    assert_allclose(laws[0].probabilities.sum(), 1.0, rtol=1e-14)


def test_random_logits_are_the_article_s_linear_map():
    """Given x each logit is N(0, 0.9 |x|^2), so overall it has deviation 3 and kurtosis 3 (1 + 2/10). Seed 0.

    Tolerances: five standard errors over 20,000 independent laws, and a chi-square for the map's rank of ten.
    """
    n, rng = 20_000, np.random.default_rng(0)
    logits = np.array([random_logits(3, rng) for _ in range(n)])
    assert_allclose(logits.mean(axis=0), 0.0, atol=5 * 3 / np.sqrt(n))
    assert_allclose(logits.var(axis=0), 9.0, atol=5 * 9 * np.sqrt((3.6 - 1) / n))
    assert_allclose(np.corrcoef(logits.T) - np.eye(3), 0.0, atol=5 / np.sqrt(n))
    squares = (logits**2).T
    assert 0.05 < np.corrcoef(squares)[0, 1] < 0.12  # (1.2 - 1) / (3.6 - 1) = 0.077: the classes share one x


@pytest.mark.parametrize(("fewer", "more"), [(1, 2), (5, 500)])
def test_noise_of_more_draws_starts_with_that_of_fewer(fewer, more):
    law = Law(np.zeros(4), seed=7, options=())
    assert_array_equal(law.noise(more)[:fewer], law.noise(fewer))


def test_noise_depends_on_the_seed_alone():
    skewed, even = Law(np.array([5.0, 0.0]), 7, ("--classes", "2")), Law(np.zeros(2), 7, ())
    assert_array_equal(skewed.noise(3), even.noise(3))
    assert (even.noise(3) != Law(np.zeros(2), 8, ()).noise(3)).all()
