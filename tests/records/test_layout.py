"""Where things lie, and what is found there."""

from pathlib import Path

import pytest
from records_of import cost_record, gradient_record, record

from gsm_cli.errors import DataError
from gsm_cli.records.layout import ReportFolder, find_folders


def test_everything_has_one_place(tmp_path):
    folder = ReportFolder(tmp_path / "reports" / "digits-100")
    assert folder.name == "digits-100"
    assert folder.text == folder.path / "report.md"
    assert folder.record("gumbel-0") == folder.path / "records" / "gumbel-0.json"
    assert folder.measurement("gradients-1") == folder.path / "gradients-1.json"
    assert folder.picture("accuracy") == folder.path / "accuracy.png"
    assert folder.table("accuracy") == folder.path / "accuracy.csv"
    assert folder.link(folder.record("gumbel-0")) == "records/gumbel-0.json"


class TestQuestion:
    @pytest.mark.parametrize("kind", ["comparison", "settings"])
    def test_is_written_once_and_read(self, tmp_path, monkeypatch, kind):
        monkeypatch.chdir(tmp_path)
        folder = ReportFolder(Path("reports/digits-100"))
        assert folder.asked.kind == "comparison"
        folder.ask(kind)
        folder.ask("comparison")
        assert folder.asked.kind == kind
        assert folder.question.read_text("utf-8") == f'kind = "{kind}"\n'

    @pytest.mark.parametrize(
        "content",
        ["", "kind = 3", 'kind = "other"', "[", 'kind = "settings"\nmore = 1', 'kind = "settings"\nmargin = 100', "\0"],
    )
    def test_that_is_none_is_refused_with_the_remedy(self, tmp_path, content):
        (tmp_path / "report.toml").write_text(content)
        with pytest.raises(DataError) as caught:
            assert ReportFolder(tmp_path).asked
        kinds = 'kind = "comparison", "settings", "curve" or "table"'
        rule = f"{tmp_path}/report.toml must say what the report asks: {kinds}, and does not ("
        assert str(caught.value).startswith(rule)
        assert str(caught.value).endswith("): restore it, or remove it")

    @pytest.mark.parametrize(("name", "options"), [("digits-100", []), ("try", ["--report", "try"])])
    def test_a_command_names_the_folder_unless_the_run_lies_there_by_itself(self, tmp_path, name, options):
        assert ReportFolder(tmp_path / name).options(record("gumbel", 0).config) == options

    def test_a_command_keeps_where_it_was_told_to_write_and_to_read(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        folder, config = ReportFolder(Path("my runs/digits-100")), record("gumbel", 0).config
        folder.ask("comparison", Path('da"ta'))
        words = ["--out", "my runs", "--data-dir", 'da"ta']
        assert folder.options(config) == words
        monkeypatch.chdir("/")
        found = ReportFolder(tmp_path / folder.path)
        assert (found.options(config), found.place, found.named) == (words, words[:2], "my runs/digits-100")


def test_what_is_there_is_found_in_order_and_nothing_hidden(tmp_path):
    folder = ReportFolder(tmp_path)
    assert (folder.records, folder.pictures, folder.gradients) == ([], [], [])
    names = ["records/b.json", "records/a.json", "records/.c.json", "records/d.txt", "gradients-2.json"]
    for name in [*names, "gradients-1.json", "b.png", "a.png", ".c.png", "other.json"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in folder.records] == ["a.json", "b.json"]
    assert [path.name for path in folder.pictures] == ["a.png", "b.png"]
    assert [path.name for path in folder.gradients] == ["gradients-1.json", "gradients-2.json"]


class TestFolders:
    def test_that_have_records_or_gradients_are_found_and_the_outer_one_first(self, tmp_path):
        record("gumbel", 0).save(tmp_path / "b" / "records" / "a.json")
        gradient_record(("gumbel", 0.5)).save(tmp_path / "a" / "gradients.json")
        (tmp_path / "empty").mkdir()
        assert [folder.name for folder in find_folders(tmp_path)] == ["a", "b"]
        assert [folder.path for folder in find_folders(tmp_path / "b")] == [tmp_path / "b"]
        record("gumbel", 0).save(tmp_path / "records" / "a.json")
        found = [folder.path for folder in find_folders(tmp_path)]
        assert found == [tmp_path, tmp_path / "a", tmp_path / "b"]

    @pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.touch(), lambda path: None])
    def test_without_any_the_command_that_makes_some_is_named(self, tmp_path, make):
        make(path := tmp_path / "reports")
        with pytest.raises(DataError) as caught:
            find_folders(path)
        assert str(caught.value) == (
            f"a report needs records, and {path} has none: "
            f"name a folder that has, or make some with gsm train-ssl --out {path}"
        )

    def test_one_that_cannot_be_read_is_named(self, tmp_path, monkeypatch):
        def refuse(_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
        with pytest.raises(DataError) as caught:
            find_folders(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path} cannot be read (Permission denied): make it readable, or name another"
        )


class TestCosts:
    COSTS = cost_record(gumbel={2: (7.0,)})

    def test_a_folder_is_of_costs_if_all_that_can_be_read_is(self, tmp_path):
        folder = ReportFolder(tmp_path)
        assert not folder.of_costs
        self.COSTS.save(folder.record("a"))
        assert folder.of_costs
        for number, damage in enumerate([b"", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"kind": 3}']):
            folder.record(f"damaged-{number}").write_bytes(damage)
        assert folder.of_costs
        record("gumbel", 0).save(folder.record("b"))
        assert not folder.of_costs
