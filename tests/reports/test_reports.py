"""Reports: what they say of a small set of records, and whether they notice that something drifted."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from records_of import batch, failed, record

from gsm_cli.errors import DataError, GsmError
from gsm_cli.records.run import read_record
from gsm_cli.reports.folder import check_report, data_shown, find_folders, read_folder, write_report
from gsm_cli.reports.groups import command, group
from gsm_cli.reports.sections import render
from gsm_cli.reports.statistics import Comparison, Spread
from gsm_cli.reports.verdict import judge

GOLDEN = Path(__file__).parent / "golden" / "report.md"
SIX = {
    "marginalize": [0.00, 0.01, 0.02, 0.01, 0.00, 0.008],
    "gumbel": [0.00, 0.01, 0.01, 0.01, 0.00, 0.006],
    "straight-through": [-0.05, -0.06, -0.04, -0.05, -0.05, -0.05],
    "supervised": [-0.10, -0.11, -0.12, -0.11, -0.10, -0.108],
}


@pytest.fixture
def reports(tmp_path) -> Path:
    """A folder of reports with one data set and the runs of SIX."""
    save(tmp_path / "digits-100", batch(SIX))
    write_report(read_folder(tmp_path / "digits-100"))
    return tmp_path


def save(folder: Path, records) -> None:
    for each in records:
        each.save(folder / "records" / f"{each.config.name}.json")


def sheet(level: int) -> str:
    buffer = BytesIO()
    Image.new("L", (80, 32), level).save(buffer, "png")
    return b64encode(buffer.getvalue()).decode()


def section(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def cells(text: str, first: str) -> list[str]:
    """The cells of the table row whose first cell is `first`."""
    return re.search(rf"^\| {re.escape(first)} \| (.*) \|$", text, re.MULTILINE).group(1).split(" | ")


def test_golden_report():
    """To change it on purpose, write what `render` gives into the golden file, and read the difference."""
    assert render(batch(SIX)).text == GOLDEN.read_text("utf-8")


def test_order_of_the_records_changes_nothing():
    assert render(batch(SIX)[::-1]).text == render(batch(SIX)).text


@pytest.mark.parametrize(
    ("low", "high", "p_value", "words"),
    [
        (-0.002, 0.004, 0.5, "Yes: the two are equal within 1 point."),
        (-0.006, -0.002, 0.01, "equal within 1 point, if a little worse"),
        (0.002, 0.006, 0.01, "equal within 1 point, if a little better"),
        (-0.02, -0.001, 0.05, "less accurate"),
        (0.001, 0.02, 0.05, "more accurate"),
        (-0.02, -0.001, 0.06, "lean towards a loss"),
        (0.001, 0.02, 0.06, "lean towards a gain"),
        (-0.02, 0.001, 0.01, "cannot tell"),
        (-0.001, 0.02, 0.01, "cannot tell"),
        (-0.01, 0.01, 0.5, "cannot tell"),
    ],
)
def test_nothing_is_claimed_beyond_the_interval_and_the_test(low, high, p_value, words):
    assert words in judge(Comparison((), (), Spread(0.0, 0.01, low, high, 10), p_value, 0.002))


@pytest.mark.parametrize(("seeds", "words"), [(1, "one seed"), (2, "2 seeds"), (5, "5 seeds")])
def test_few_seeds_conclude_nothing(seeds, words):
    text = render(batch({name: values[:seeds] for name, values in SIX.items()})).text
    assert f"Nothing can be concluded from {words}." in text


def test_one_objective_names_the_command_that_adds_the_other():
    text = render([record("gumbel", seed) for seed in (0, 1, 2, 5)]).text
    assert "no finished run of marginalize" in text
    assert "`gsm train-ssl --dataset digits --objective marginalize --seeds 0-2,5 --epochs 3`" in text


def test_numbers_of_the_table():
    """Gumbel by hand: test 0.9 + 0.006 on average; 2 s an epoch for 1,000 images; 4 s for marginalize."""
    row = cells(section(render(batch(SIX)).text, "Results"), "gumbel")
    runs, validation, test, gain, bound, seconds, rate, evaluations, speed_up = row
    assert (runs, validation, gain, bound, seconds) == ("6", "91.60", "+11.40", "-25.00", "2")
    assert test.startswith("90.60 [")
    assert (rate, evaluations, speed_up) == ("500", "1", "2.00")


def test_equal_accuracies_differ_by_nothing():
    text = render(batch({"marginalize": [0.01] * 6, "gumbel": [0.01] * 6})).text
    assert cells(text, "gumbel − marginalize") == ["6", "+0.00 [+0.00, +0.00]", "1", "0.0312"]


def test_a_failed_seed_is_shown_and_not_averaged():
    text = render([*batch(SIX), failed("gumbel", 7)]).text
    assert cells(text, "gumbel")[0] == "6 (+ 1 failed)"
    assert cells(text, "gumbel")[2].startswith("90.60")
    assert "gumbel seed 7 failed at step 17" in text


def test_an_objective_that_only_failed_is_shown():
    text = render([*batch({"marginalize": [0.0, 0.0]}), failed("gumbel", 0)]).text
    assert cells(text, "gumbel")[0] == "0 (+ 1 failed)"


def test_a_collapsed_run_is_called_collapsed():
    whole = record("gumbel", 3)
    collapsed = type(whole)(**{**vars(whole), "test": type(whole.test)(2, 0.1, -40.0, 1.0)})
    assert cells(section(render([collapsed]).text, "Temperature, entropy, collapse"), "gumbel")[-1] == "seeds 3"


def test_other_settings_form_another_group():
    longer = [record("gumbel", seed, (0.5, 0.6, 0.7, 0.99)) for seed in range(2)]
    report = render([*batch(SIX), *longer])
    first, second = report.text.split("# Settings 2\n")
    assert "99.00" not in first
    assert "As above, but epochs 4." in second
    assert [picture.name for picture in report.pictures] == ["accuracy.png", "accuracy-2.png"]


def test_temperatures_are_apart_but_compared():
    each = [*batch({"marginalize": [0.0], "gumbel": [0.0]}), record("gumbel", 0, (0.1, 0.2, 0.3), tau=0.25)]
    (only,) = group(each)
    assert [series.name for series in only.series] == ["marginalize", "gumbel, tau 0.5", "gumbel, tau 0.25"]


def test_command_makes_the_runs_again():
    config = record("gumbel", 0, (0.1, 0.2), hidden=[32, 16], tau=0.25, kl_start=7).config
    assert command(config, [3, 0, 1, 2, 9]) == (
        "gsm train-ssl --dataset digits --objective gumbel --seeds 0-3,9 "
        "--set hidden=32,16 --epochs 2 --set kl_start=7.0 --tau 0.25"
    )


def test_mnist_shows_what_others_report():
    assert "Jang et al. 2017" in render([record("gumbel", 0, dataset="mnist")]).text
    assert "Jang et al. 2017" not in render([record("gumbel", 0)]).text


class TestFiles:
    def test_a_fresh_report_is_what_its_records_give(self, reports):
        assert check_report(read_folder(reports / "digits-100")) == []

    def test_every_link_and_picture_is_there(self, reports):
        text = (reports / "digits-100/report.md").read_text()
        targets = re.findall(r"\]\(([^)]+)\)", text)
        assert len(targets) == 25
        assert all((reports / "digits-100" / target).is_file() for target in targets)

    def test_what_models_generate_is_shown_and_followed(self, gsm, reports):
        folder = reports / "digits-100"
        assert "What the models generate" not in (folder / "report.md").read_text()
        sheets = [sheet(level) for level in (10, 20)]
        paths = [next((folder / "records").glob(f"{name}-*-0.json")) for name in ("gumbel", "marginalize")]
        for path, generated in zip(paths, sheets, strict=True):
            replace(read_record(path), generated=generated).save(path)
        assert "generated" in gsm("report", reports, "--check").stdout
        gsm("report", reports)
        (picture,) = folder.glob("generated*.png")
        assert f"]({picture.name})" in (folder / "report.md").read_text()
        assert list(data_shown(picture)) == ["marginalize", "gumbel"]
        replace(read_record(paths[0]), generated=sheets[1]).save(paths[0])
        assert f"{picture} is missing, or shows other data" in gsm("report", reports, "--check").stdout

    def test_an_edited_report_is_noticed(self, gsm, reports):
        path = reports / "digits-100/report.md"
        path.write_text(path.read_text().replace("90.60", "99.60"))
        result = gsm("report", reports, "--check")
        assert result.exit_code == 1
        assert "-| gumbel | 6 | 91.60 | 99.60" in result.stdout
        assert "+| gumbel | 6 | 91.60 | 90.60" in result.stdout
        assert "99.60" in path.read_text()

    def test_a_missing_picture_is_noticed_and_made_again(self, gsm, reports):
        picture = reports / "digits-100/accuracy.png"
        before = picture.read_bytes()
        picture.unlink()
        assert gsm("report", reports, "--check").exit_code == 1
        assert gsm("report", reports).exit_code == 0
        assert picture.read_bytes() == before

    def test_a_picture_of_other_data_is_noticed(self, gsm, reports):
        path = next((reports / "digits-100/records").glob("gumbel-*-0.json"))
        changed = json.loads(path.read_text())
        changed["epochs"][0]["validation_accuracy"] = 0.123
        path.write_text(json.dumps(changed))
        assert "shows other data" in gsm("report", reports, "--check").stdout

    @pytest.mark.parametrize(("factor", "noticed"), [(1 + 2**-52, False), (1 - 2**-52, False), (1.0001, True)])
    def test_a_last_bit_of_another_processor_is_no_difference_and_a_digit_is(self, reports, factor, noticed):
        def moved(value):
            if isinstance(value, dict | list):
                entries = value.items() if isinstance(value, dict) else enumerate(value)
                return type(value)(
                    moved(entry) if isinstance(value, list) else (key, moved(entry)) for key, entry in entries
                )
            return value * factor if isinstance(value, float) else value

        folder = read_folder(reports / "digits-100")
        pictures = tuple(replace(picture, data=moved(picture.data)) for picture in folder.pictures)
        assert pictures
        assert bool(check_report(replace(folder, pictures=pictures))) == noticed

    def test_a_damaged_record_is_named_and_the_others_still_rendered(self, gsm, reports):
        (reports / "digits-100/records/gumbel-broken-9.json").write_text("{")
        result = gsm("report", reports)
        assert result.exit_code == 3
        assert "gumbel-broken-9.json" in result.stderr
        text = (reports / "digits-100/report.md").read_text()
        assert "**Warning.** records/gumbel-broken-9.json must be a whole record" in text
        assert cells(text, "gumbel")[0] == "6"
        assert gsm("report", reports, "--check").exit_code == 1

    def test_a_newer_schema_is_named_with_its_remedy(self, reports):
        path = reports / "digits-100/records/new.json"
        path.write_text('{"schema": 99}')
        (problem,) = read_folder(reports / "digits-100").problems
        assert "schema 1, not 99" in problem
        assert "read it with the gsm that wrote it" in problem

    def test_no_records_at_all(self, gsm, tmp_path):
        with pytest.raises(GsmError, match="make some with gsm train-ssl"):
            find_folders(tmp_path)
        assert gsm("report", tmp_path / "nowhere").exit_code == 1

    def test_nothing_but_damage(self, tmp_path):
        (tmp_path / "digits-100/records").mkdir(parents=True)
        (tmp_path / "digits-100/records/a.json").write_text("[]")
        with pytest.raises(DataError, match=r"a\.json"):
            read_folder(tmp_path / "digits-100")
