"""Reports on disk: read, written, and whether they notice that something drifted."""

import json
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from shutil import copytree
from typing import Any

import msgspec
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from records_of import SIX, batch, cost_record, failed, gradient_record, record

from gsm_cli.errors import DataError, GsmError
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.layout import ReportFolder, find_folders
from gsm_cli.records.run import Failure, RunRecord, read_run
from gsm_cli.reports.folder import check, read, write
from gsm_cli.reports.index import check_index, write_index, write_one
from gsm_cli.reports.markdown import plain
from gsm_cli.reports.page import Block, Page, Report
from gsm_cli.reports.run_report import render_runs

MISSING = "{} is missing: rebuild it with gsm report"
DRIFT = "{} shows or says something else than the records: rebuild it with gsm report"
EDITED = "{} must be as a report wrote it, and is not: rebuild it with gsm report"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A folder with a report on the runs of SIX."""
    folder = ReportFolder(tmp_path_factory.mktemp("written") / "digits-100")
    save(folder, batch(SIX))
    write(read(folder))
    return folder.path


@pytest.fixture
def digits(written, tmp_path) -> ReportFolder:
    """That report, as it was written."""
    return ReportFolder(copytree(written, tmp_path / "digits-100"))


@pytest.fixture
def costs(tmp_path) -> ReportFolder:
    """A report on costs, in a folder of any name."""
    folder = ReportFolder(tmp_path / "how-long")
    measured = cost_record(marginalize={2: (8.0,), 10: (9.0,)}, gumbel={2: (7.0,), 10: (7.1,)})
    measured.save(folder.record(measured.plan.name))
    write(read(folder))
    return folder


def save(folder: ReportFolder, records: list[RunRecord]) -> None:
    for each in records:
        each.save(folder.record(each.config.name))


def of(folder: ReportFolder, objective: str) -> Path:
    """The record of that objective's first seed."""
    return next(path for path in folder.records if re.fullmatch(rf"{objective}-\w{{8}}-0", path.stem))


def whole(report: Report) -> str:
    return report.text + report.details_text


def change(path: Path, **changes: object) -> RunRecord:
    changed = msgspec.structs.replace(read_run(path), **changes)
    changed.save(path)
    return changed


def sheet(level: int) -> str:
    buffer = BytesIO()
    Image.new("L", (80, 32), level).save(buffer, "png")
    return b64encode(buffer.getvalue()).decode()


def save_again(image: Image.Image, path: Path) -> None:
    """With the texts that the picture has."""
    texts = PngInfo()
    for name, text in image.text.items():
        texts.add_text(name, text)
    image.save(path, pnginfo=texts)


def bomb() -> bytes:
    """A PNG that says that it has 40,000 pixels in each direction."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(2**20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class TestLayout:
    def test_every_file_is_in_its_place(self, tmp_path):
        folder = ReportFolder(tmp_path / "digits-100")
        paths = (folder.record("gumbel-0"), folder.measurement("gradients-0"), folder.text, folder.picture("accuracy"))
        names = ["records/gumbel-0.json", "gradients-0.json", "report.md", "accuracy.png"]
        assert [folder.link(path) for path in paths] == names
        assert folder.name == "digits-100"

    def test_folders_are_found_in_order(self, digits, costs, tmp_path):
        (tmp_path / "empty").mkdir()
        (tmp_path / "a file").touch()
        gradients = ReportFolder(tmp_path / "mnist-100")
        measured = gradient_record(("gumbel", 1.0))
        measured.save(gradients.measurement(measured.plan.name))
        assert find_folders(tmp_path) == [digits, costs, gradients]
        assert find_folders(digits.path) == [digits]

    @pytest.mark.parametrize("name", ["", "nowhere"])
    def test_no_records_at_all(self, tmp_path, name):
        with pytest.raises(GsmError, match="make some with gsm train-ssl"):
            find_folders(tmp_path / name)

    def test_records_say_of_what_a_folder_is(self, digits, costs):
        assert (digits.of_costs, costs.of_costs) == (False, True)
        (costs.path / "records/broken.json").write_text("{")
        assert costs.of_costs
        record("gumbel", 0).save(costs.record("gumbel"))
        assert not costs.of_costs

    def test_the_current_folder_has_a_name(self, digits, monkeypatch):
        monkeypatch.chdir(digits.path)
        assert read(ReportFolder(Path())).problems == []


class TestWrite:
    def test_a_fresh_report_is_what_its_records_give(self, digits, costs):
        assert check(read(digits)) == []
        assert check(read(costs)) == []
        assert "Whether a gumbel step pays" in costs.text.read_text("utf-8")

    def test_every_link_and_picture_is_there(self, digits):
        targets = re.findall(r"\]\(([^#)][^)]*)\)", digits.text.read_text("utf-8"))
        assert len(targets) == 3
        assert all((digits.path / target).exists() for target in targets)

    def test_a_missing_picture_is_made_again(self, digits):
        picture = digits.picture("accuracy")
        before = picture.read_bytes()
        picture.unlink()
        assert check(read(digits)) == [MISSING.format(picture)]
        assert write(read(digits)) == digits.text
        assert picture.read_bytes() == before

    def test_pictures_that_it_showed_before_are_removed_and_others_stay(self, digits):
        save(digits, [record("gumbel", 0, (0.1, 0.2))])
        write(read(digits))
        Image.new("L", (1, 1)).save(digits.picture("mine"))
        of_two = read(digits).pictures
        assert [picture.name for picture in of_two] == ["answer", "accuracy", "frontier"]
        assert digits.picture("frontier").exists()
        digits.record(record("gumbel", 0, (0.1, 0.2)).config.name).unlink()
        write(read(digits))
        assert digits.pictures == [digits.picture(name) for name in ("accuracy", "answer", "mine")]

    def test_so_are_those_of_a_report_with_another_title(self, tmp_path):
        """A title says what was swept, and so depends on the records."""
        folder = ReportFolder(tmp_path / "chosen")
        folder.ask("settings")
        save(folder, [record("gumbel", seed, tau=tau) for seed in range(2) for tau in (0.1, 0.5)])
        before = write(read(folder)) and read(folder).title
        assert folder.picture("temperature").exists()
        for path in folder.records:
            path.unlink()
        save(folder, [record("gumbel", seed, labels=labels) for seed in range(2) for labels in (50, 100)])
        write(read(folder))
        assert read(folder).title != before
        assert not folder.picture("temperature").exists()
        assert check(read(folder)) == []


class TestKeptPictures:
    """A picture that is kept is the same file; one that is drawn takes its place, and so is another."""

    @pytest.fixture
    def redrawn(self, digits) -> Callable[[], set[str]]:
        """Writes the report again; the pictures that are new files then."""

        def files() -> dict[str, int]:
            return {path.stem: path.stat().st_ino for path in digits.pictures}

        def write_again() -> set[str]:
            before = [path.open("rb") for path in digits.pictures]  # so that no new file has the number of an old one
            kept = files().items()
            write(read(digits))
            for file in before:
                file.close()
            return {name for name, number in files().items() if (name, number) not in kept}

        return write_again

    def test_nothing_has_changed(self, redrawn):
        assert redrawn() == set()

    def test_a_number_has_changed(self, digits, redrawn):
        epochs = read_run(of(digits, "gumbel")).epochs
        change(of(digits, "gumbel"), epochs=msgspec.structs.replace(epochs, right=[123, *epochs.right[1:]]))
        assert redrawn() == {"accuracy"}
        assert redrawn() == set()

    def test_a_title_has_changed(self, digits, redrawn):
        with Image.open(digits.picture("accuracy")) as image:
            image.load()
            image.text["Title"] = "another"
            save_again(image, digits.picture("accuracy"))
        assert redrawn() == {"accuracy"}

    def test_the_picture_has_been_damaged(self, digits, redrawn):
        path = digits.picture("accuracy")
        content = path.read_bytes()
        path.write_bytes(content[:-13] + bytes([content[-13] ^ 1]) + content[-12:])
        redrawn()
        assert path.read_bytes() == content


class TestCheck:
    def test_an_edited_report(self, digits):
        text = digits.text.read_text("utf-8")
        digits.text.write_text(text.replace("90.58", "99.58"), "utf-8")
        lines = "\n".join(check(read(digits)))
        assert "-| gumbel | 6 | 99.58" in lines
        assert "+| gumbel | 6 | 90.58" in lines
        assert "99.58" in digits.text.read_text("utf-8")

    def test_a_report_that_is_not_there(self, digits):
        digits.text.unlink()
        assert len(check(read(digits))) > 20

    def test_a_picture_of_other_data(self, digits):
        epochs = read_run(of(digits, "gumbel")).epochs
        right = [epochs.right[0] // 3, *epochs.right[1:]]
        change(of(digits, "gumbel"), epochs=msgspec.structs.replace(epochs, right=right))
        assert DRIFT.format(digits.picture("accuracy")) in check(read(digits))

    @pytest.mark.parametrize("content", [b"", b"\x89PNG", b"no PNG", bytes(500)])
    def test_a_damaged_picture(self, digits, content):
        digits.picture("accuracy").write_bytes(content)
        assert check(read(digits)) == [EDITED.format(digits.picture("accuracy"))]

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.999])
    def test_a_picture_that_is_cut(self, digits, share):
        content = digits.picture("accuracy").read_bytes()
        digits.picture("accuracy").write_bytes(content[: int(share * len(content))])
        assert check(read(digits)) == [EDITED.format(digits.picture("accuracy"))]

    @pytest.mark.parametrize("name", ["Title", "Description"])
    def test_a_picture_that_is_described_in_other_words(self, digits, name):
        path = digits.picture("accuracy")
        with Image.open(path) as image:
            image.load()
            image.text[name] = "Gumbel beats the sum"
            save_again(image, path)
        assert check(read(digits)) == [DRIFT.format(path)]

    def test_the_picture_of_another_report(self, digits):
        """As it was written, with other words."""
        report = read(digits)
        other = [replace(picture, description="Gumbel beats the sum") for picture in report.pictures]
        assert [
            line for line in check(replace(report, page=Page(*"qa", other), details=[])) if "shows or says" in line
        ] == [DRIFT.format(digits.picture(picture.name)) for picture in other]

    @pytest.mark.parametrize(
        ("damage", "sentence"),
        [
            (lambda content: content.replace(b"\n", b"\r\n"), "has other line breaks than its records give"),
            (lambda content: content[:-1], "has other line breaks than its records give"),
            (lambda content: content.decode().encode("utf-16"), "must be text in UTF-8, and is not"),
            (lambda content: bytes(range(256)) * 4, "must be text in UTF-8, and is not"),
            (lambda content: b"a" * 2**22, "cannot be read (it has more than"),
        ],
    )
    def test_a_damaged_text(self, digits, damage, sentence):
        digits.text.write_bytes(damage(digits.text.read_bytes()))
        (line,) = check(read(digits))
        assert line.startswith(f"{digits.text} {sentence}")
        assert line.endswith("rebuild it with gsm report")
        write(read(digits))
        assert check(read(digits)) == []

    def test_a_folder_where_the_text_should_be(self, digits):
        digits.text.unlink()
        digits.text.mkdir()
        assert check(read(digits)) == [f"{digits.text} cannot be read (Is a directory): rebuild it with gsm report"]
        with pytest.raises(GsmError, match="cannot be written"):
            write(read(digits))

    def test_a_picture_that_no_report_shows(self, digits):
        Image.new("L", (1, 1)).save(digits.picture("accuracy-2"))
        assert check(read(digits)) == [f"{digits.picture('accuracy-2')} is in no report: remove it"]

    def test_what_models_generate_is_shown_and_followed(self, digits):
        assert "What the models generate" not in read(digits).details_text
        for path, level in ((of(digits, "gumbel"), 10), (of(digits, "marginalize"), 20)):
            change(path, generated=sheet(level))
        picture = digits.picture("generated")
        assert MISSING.format(picture) in check(read(digits))
        write(read(digits))
        assert f"]({picture.name})" in digits.details.read_text("utf-8")
        assert list(json.loads(Image.open(picture).text["Comment"])) == ["marginalize", "gumbel"]
        change(of(digits, "gumbel"), generated=sheet(20))
        assert check(read(digits)) == [DRIFT.format(picture)]

    @pytest.mark.parametrize(("factor", "noticed"), [(1 + 2**-52, False), (1 - 2**-52, False), (1.0001, True)])
    def test_a_last_bit_of_another_processor_is_no_difference_and_a_digit_is(self, digits, factor, noticed):
        def moved(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: moved(entry) for name, entry in value.items()}
            if isinstance(value, list):
                return [moved(entry) for entry in value]
            return value * factor if isinstance(value, float) else value

        report = read(digits)
        pictures = [replace(picture, facts=moved(msgspec.to_builtins(picture.facts))) for picture in report.pictures]
        named = {picture.name: picture for picture in pictures}
        assert pictures

        def shown(blocks: Sequence[Block]) -> list[Block]:
            return [block if isinstance(block, str) else named[block.name] for block in blocks]

        details = shown(report.details)
        page = replace(report.page, blocks=shown(report.page.blocks))
        assert bool(check(replace(report, page=page, details=details))) == noticed


DAMAGES = {  # what a file holds (None: a record of another run), and what is said of it
    "records/gumbel-broken-9.json": ("{", "must be a whole record, and is not"),
    "records/new.json": ('{"schema": 99}', "must be a record of schema 4, not 99: read it with the gsm that wrote it"),
    "gradients.json": ("[]", "must be a whole record, and is not"),
    "records/gumbel-01234567-3.json": (None, "is the record of another run than its name says, of gumbel-"),
}


class TestRenaming:
    @pytest.mark.parametrize("kind", ["comparison", "settings"])
    @pytest.mark.parametrize("name", ["mine", "digits-50"])
    def test_a_folder_changes_its_commands_alone(self, tmp_path, monkeypatch, kind, name):
        monkeypatch.chdir(tmp_path)
        folder = ReportFolder(Path("reports/digits-100"))
        folder.ask(kind)
        save(folder, [*batch(SIX), *(record("gumbel", seed, tau=tau) for tau in (0.1, 1.0) for seed in range(2))])
        before = whole(read(folder))
        renamed = ReportFolder(folder.path.rename(folder.path.parent / name))
        assert f" --report {name}" in whole(read(renamed))
        text = whole(read(renamed)).replace(f"gsm cost --for reports/{name}", "gsm cost --for reports/digits-100")
        assert text.replace(f" --report {name}", "") == before


class TestDamage:
    @pytest.mark.parametrize("name", DAMAGES)
    def test_is_named_and_the_rest_still_rendered(self, digits, name):
        content, sentence = DAMAGES[name]
        before, path = read(digits), digits.path / name
        if content is None:
            record("gumbel", 0, (0.1,)).save(path)
        else:
            path.write_text(content)
        report = read(digits)
        (problem,) = report.problems
        assert problem.startswith(f"{name} {sentence}")
        assert f"> **Warning.** {plain(problem)}." in report.text
        assert report.text.replace(f"\n\n> **Warning.** {plain(problem)}.", "") == before.text
        write(report)
        assert check(read(digits)) == [problem]

    def test_runs_of_another_folder(self, digits):
        other = record("gumbel", 0, dataset="mnist")
        other.save(digits.record(other.config.name))
        (problem,) = read(digits).problems
        assert problem.endswith("is of other data than most runs here: it belongs to mnist-100")

    def test_runs_whose_data_are_not_those_of_most_others(self, digits):
        other = msgspec.structs.replace(record("gumbel", 9), classes=3)
        other.save(digits.record(other.config.name))
        (problem,) = read(digits).problems
        assert "must have the data of its namesakes, 10 classes, 999 unlabelled and 400 test images" in problem
        assert problem.endswith(", and has 3 classes, 999 unlabelled and 400 test images")

    def test_runs_of_drawn_classes_whose_data_are_not_those_of_their_seed(self, digits):
        """Another seed draws other classes, which have another number of images."""
        drawn = [record(name, seed, classes=3) for name in ("gumbel", "marginalize", "reinforce") for seed in (0, 1)]
        drawn = [msgspec.structs.replace(each, unlabelled=300 + each.config.seed) for each in drawn]
        drawn[0] = msgspec.structs.replace(drawn[0], unlabelled=301)
        for each in drawn:
            each.save(digits.record(each.config.name))
        (problem,) = read(digits).problems
        assert f"{drawn[0].config.name}.json must have the data of its namesakes, 10 classes, 300 unlab" in problem

    def test_gradients_of_another_folder(self, digits):
        other = gradient_record(("gumbel", 1.0), dataset="mnist")
        other.save(digits.measurement(other.plan.name))
        (problem,) = read(digits).problems
        assert problem.endswith("is of other data than most runs here: it belongs to mnist-100")

    def test_gradients_of_another_plan(self, digits):
        gradient_record(("gumbel", 1.0)).save(digits.measurement("gradients-01234567"))
        (problem,) = read(digits).problems
        assert "gradients-01234567.json is the record of another run than its name says, of gradients-" in problem
        assert problem.endswith(": give it that name, or remove it")

    def test_gradients_of_an_older_form_are_named(self, digits):
        digits.measurement("gradients").write_text('{"kind": "gradients", "schema": 4, "rows": []}')
        (problem,) = read(digits).problems
        assert problem.startswith("gradients.json must be a whole record, and is not")

    @pytest.mark.parametrize(
        "generated",
        ["no base64", b64encode(b"no PNG").decode(), sheet(1)[:40], sheet(1)[:-8], b64encode(bomb()).decode()],
    )
    def test_images_that_are_none(self, digits, generated):
        change(of(digits, "gumbel"), generated=generated)
        (problem,) = read(digits).problems
        assert "must hold its generated images as a PNG in base64, and does not" in problem

    def test_costs_that_were_not_all_measured(self, costs):
        whole = cost_record(marginalize={2: (8.0,)}, gumbel={2: (7.0,)})
        msgspec.structs.replace(whole, rows=whole.rows[:1]).save(costs.record(whole.plan.name))
        (problem,) = read(costs).problems
        assert problem.endswith(
            "must have every turn of its plan once, and has not: restore it, or remove it and run again"
        )

    def test_costs_of_another_plan(self, costs):
        costs.records[0].rename(costs.record("adgm-cpu-01234567"))
        with pytest.raises(DataError, match="is the record of another run than its name says, of adgm-cpu-"):
            read(costs)

    def test_nothing_but_damage(self, tmp_path):
        (tmp_path / "digits-100/records").mkdir(parents=True)
        (tmp_path / "digits-100/records/a.json").write_text("[]")
        with pytest.raises(DataError, match=r"a\.json"):
            read(ReportFolder(tmp_path / "digits-100"))


class TestIndex:
    def test_has_a_row_for_each_report_and_is_held(self, digits, costs, tmp_path):
        reports = [read(digits), read(costs)]
        (path,) = write_index(tmp_path, reports)
        text = path.read_text("utf-8")
        assert f"| [{reports[0].title}](digits-100/report.md) | {reports[0].answer} | 24 |" in text
        assert check_index(tmp_path, reports) == []
        path.write_text(text.replace("| 24 |", "| 25 |"), "utf-8")
        assert any(line.startswith("-") and "| 25 |" in line for line in check_index(tmp_path, reports))

    def test_somebodys_own_file_is_left_alone(self, digits, costs, tmp_path):
        (tmp_path / "README.md").write_text("# Mine\n")
        reports = [read(digits), read(costs)]
        assert write_index(tmp_path, reports) == check_index(tmp_path, reports) == []
        assert (tmp_path / "README.md").read_text() == "# Mine\n"

    def test_one_report_renews_its_row(self, digits, costs, tmp_path):
        write_index(tmp_path, [read(digits), read(costs)])
        removed = sorted(digits.records)[0]
        removed.unlink()
        assert write_one(read(digits)) == digits.text
        assert check_index(tmp_path, [read(digits), read(costs)]) == []
        assert "| 23 |" in (tmp_path / "README.md").read_text("utf-8")

    def test_a_new_report_gets_a_row_in_the_order_of_folders(self, digits, costs, tmp_path):
        for name in ("digits-100-b", "digits-10", "a"):
            copytree(digits.path, tmp_path / name)
        write_index(tmp_path, [read(ReportFolder(tmp_path / name)) for name in ("a", "digits-100-b")])
        for name in ("digits-100", "digits-10"):
            write_one(read(ReportFolder(tmp_path / name)))
        every = [read(each) for each in find_folders(tmp_path) if each.path != costs.path]
        assert len(every) == 4
        assert check_index(tmp_path, every) == []

    def test_one_report_that_is_rebuilt_renews_its_row(self, gsm, digits, costs, tmp_path):
        """A run that went changes the number of runs."""
        assert gsm("report", tmp_path).exit_code == 0
        sorted(digits.records)[0].unlink()
        assert gsm("report", digits.path).exit_code == 0
        assert "| 23 |" in (tmp_path / "README.md").read_text("utf-8")
        assert gsm("report", tmp_path, "--check").exit_code == 0

    def test_one_report_leaves_an_index_with_notes_alone(self, digits, costs, tmp_path):
        (path,) = write_index(tmp_path, [read(digits), read(costs)])
        noted = path.read_text("utf-8").replace("| 24 |", "| 25 |") + "\n## My notes\n\nKeep me.\n"
        path.write_text(noted, "utf-8")
        assert write_one(read(digits)).is_file()
        assert path.read_text("utf-8") == noted

    def test_a_folder_in_the_place_of_the_index_harms_no_report(self, digits, tmp_path):
        (tmp_path / "README.md").mkdir()
        digits.text.unlink()
        assert write_one(read(digits)) == digits.text
        assert digits.text.is_file()

    @pytest.mark.parametrize("content", [None, b"# Mine\n", b"\xff"])
    def test_one_report_makes_no_index_and_leaves_another_file_alone(self, digits, tmp_path, content):
        if content is not None:
            (tmp_path / "README.md").write_bytes(content)
        write_one(read(digits))
        found = (tmp_path / "README.md").read_bytes() if (tmp_path / "README.md").exists() else None
        assert found == content

    def test_one_report_needs_none(self, digits, tmp_path):
        assert write_index(tmp_path, [read(digits)]) == []
        assert write_index(digits.path, [read(digits)]) == []


class TestQuestion:
    def test_what_the_title_says_of_the_runs_may_be_named(self, digits):
        digits.question.write_text('kind = "comparison"\nabout = "Digits of 1998"\n')
        assert read(digits).title == "Digits of 1998: can one sample replace the sum over classes?"

    def test_the_curves_of_others_are_a_question(self, tmp_path):
        folder = ReportFolder(tmp_path / "mnist-100")
        folder.question.parent.mkdir()
        folder.question.write_text('kind = "curve"\n')
        save(folder, [record("gumbel", seed, [0.5] * 9 + [0.8], dataset="mnist") for seed in range(2)])
        report = read(folder)
        assert report.title == "MNIST with 100 labels: do the validation curves of the article (musyoku 2016) come out?"
        reached = "gumbel 80.00 [80.00, 80.00] % after epoch 10 (there 87.5)"
        assert report.answer == f"No: {reached}; of marginalize there is no run yet."
        assert "| gumbel, epoch 10 | 2 | 80.00 [80.00, 80.00] | [80.00, 80.00] | 87.5 |" in report.text
        assert "minus the sum's" not in report.text
        save(folder, [record("marginalize", seed, [0.5] * 9 + [0.85], dataset="mnist") for seed in range(2)])
        near = [record("gumbel", seed, [0.5] * 9 + [0.86 + 0.02 * seed], dataset="mnist") for seed in range(2)]
        other = [record("gumbel", 0, [0.5] * 10), failed("gumbel", 0)]
        for no_curve in other:
            assert "can one sample replace" in render_runs(folder, [no_curve], kind="curve").title
        alone = render_runs(folder, near, kind="curve").answer
        assert alone.startswith("Not told apart: gumbel 87.00 [74.29, 99.71] % after epoch 10 (there 87.5)")
        wide = [record("gumbel", seed, [0.5] * 9 + [0.80 + 0.02 * seed], dataset="mnist") for seed in range(3)]
        spread = render_runs(folder, wide, kind="curve")
        assert spread.answer.startswith("Not told apart: gumbel 82.00 [77.03, 86.97] % after epoch 10 (there 87.5)")
        assert "| gumbel, epoch 10 | 3 | 82.00 [77.03, 86.97] | [72.06, 91.94] | 87.5 |" in spread.text
        lost = "gumbel -5.00 [-6.59, -3.41]"
        assert f"Test accuracy minus the sum's at the same seeds, in points: {lost}." in read(folder).text


class TestTable:
    """The table of Liu et al.: the sum 96.63, s.e. 0.12 over ten trials; here 400 test images."""

    @pytest.fixture
    def folder(self, tmp_path) -> ReportFolder:
        folder = ReportFolder(tmp_path / "mnist-liu2019")
        folder.question.parent.mkdir()
        folder.question.write_text('kind = "table"\n')
        return folder

    @staticmethod
    def runs(accuracies: dict[str, Sequence[float]], **settings: object) -> list[RunRecord]:
        task = {"dataset": "mnist", "labels": 5000, "model": "m2", **settings}
        return [
            record(objective, seed, (0.5, accuracy + 0.01), **task)
            for objective, values in accuracies.items()
            for seed, accuracy in enumerate(values)
        ]

    def test_every_row_stands_beside_ours(self, folder):
        found = {"marginalize": (0.965, 0.9675, 0.965), "gumbel": (0.90, 0.9025, 0.90), "gst": (0.9, 0.9)}
        found |= {"rebar": (0.965, 0.9675, 0.965), "sum-and-sample": (0.9, 0.99, 0.965), "reinforce": (0.95,)}
        save(folder, self.runs(found))
        report = read(folder)
        assert report.title == "MNIST with 5,000 labels: does the table of Liu et al. 2019 come out?"
        agreed = "marginalize agrees, rebar lies higher here, gumbel lies lower here and sum-and-sample stays open"
        assert report.answer == f"In part: {agreed}."
        assert len(report.answer.split()) <= 25
        (row,) = [line for line in report.text.splitlines() if line.startswith("| marginalize")]
        # errors 0.0833 and 0.1230 points, so 9.8 degrees of freedom and a half width of 2.23 x 0.1486
        assert row.startswith(
            "| marginalize | 3 | 96.58 [96.22, 96.94] | 96.63 [96.35, 96.91] | -0.05 [-0.38, +0.29] |"
        )
        assert "| gst | 2 | 90.00 [" in report.text
        (picture,) = report.page.blocks[:1]
        assert picture.name == "table"
        (panel,) = picture.facts
        drawn = [line.identity.objective for line in panel.lines]
        assert drawn == [name for name in OBJECTIVES if name in found and name != "gst" for _ in range(2)]
        beside = {each["series"]["label"]: each for each in report.facts["beside"] if each}
        assert set(beside) == {*found} - {"gst"}
        assert beside["gumbel"]["speed_up"] == pytest.approx(31.39 / 16.39)

    @pytest.mark.parametrize(
        ("accuracies", "answer"),
        [
            ({"marginalize": (0.965, 0.9675, 0.965)}, "Yes: marginalize agrees."),
            ({"gumbel": (0.5, 0.5), "rebar": (0.5, 0.5)}, "No: gumbel and rebar lie lower here."),
            ({"gumbel": (0.9, 0.99)}, "Undecided: gumbel stays open."),
            ({"gumbel": (0.9,)}, "Nothing is concluded: no objective of the table has two seeds."),
            ({"gst": (0.9, 0.9)}, "Nothing is concluded: no objective of the table has two seeds."),
        ],
    )
    def test_the_answer_says_which_agree(self, folder, accuracies, answer):
        save(folder, self.runs(accuracies))
        report = read(folder)
        assert report.answer == answer
        (lacking,) = [line for line in report.text.splitlines() if line.startswith("* Rows there without a run here: ")]
        assert "reinforce" in lacking
        assert not [objective for objective in accuracies if objective in lacking]

    def test_runs_that_all_failed_have_no_table(self, folder):
        whole = record("gumbel", 0, dataset="mnist", labels=5000, model="m2")
        failure = Failure(step=17, reason="the objective is not finite")
        save(folder, [msgspec.structs.replace(whole, test=None, failure=failure)])
        assert "1 run of gumbel failed" in read(folder).text

    @pytest.mark.parametrize("other", [{"labels": 100}, {"model": "adgm"}, {"classes": 10}])
    def test_another_task_is_compared_with_nothing(self, folder, other):
        save(folder, self.runs({"gumbel": (0.9, 0.9)}, **other))
        assert "Liu" not in read(folder).text
