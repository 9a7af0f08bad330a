"""The rules of records one by one, each where it is just broken and just kept, with the sentence that says it."""

import json
from base64 import b64encode

import msgspec
import pytest
from msgspec.structs import replace
from records_of import cost_record, gradient_record, reading, record

from gsm_cli.errors import DataError
from gsm_cli.records import run
from gsm_cli.records.cost import CostRecord, read_cost
from gsm_cli.records.curves import Curves
from gsm_cli.records.gradients import read_gradients
from gsm_cli.records.run import Reading, RunRecord, read_run
from gsm_cli.records.store import LONGEST, read

RUN = record("gumbel", 0)
SMALL = msgspec.structs.asdict(reading(1, 0.5, images=8))


class TestCurves:
    def test_every_column_is_as_long(self):
        columns = msgspec.structs.asdict(RUN.epochs)
        rule = r"^every column must have an entry for each epoch, and they have \[2, 3\]$"
        with pytest.raises(ValueError, match=rule):
            Curves(**columns | {"milliseconds": [1, 2]})

    @pytest.mark.parametrize("name", ["relaxed_bounds", "one_hot_bounds", "dropped_masses"])
    def test_nothing_is_of_an_epoch_beyond_the_last(self, name):
        columns = msgspec.structs.asdict(RUN.epochs)
        assert len(Curves(**columns | {name: {3: 0.5}})) == 3
        with pytest.raises(ValueError, match=r"^what was measured must be of one of the 3 epochs, and not of 4$"):
            Curves(**columns | {name: {3: 0.5, 4: 0.5}})

    @pytest.mark.parametrize("name", ["right", "modal"])
    def test_no_more_images_than_there_are(self, name):
        columns = msgspec.structs.asdict(RUN.epochs)
        assert len(Curves(**columns | {name: [0, 1, 600_000]})) == 3
        with pytest.raises(ValueError, match=r"^images must be at most the 600000 of validation, and not 600001$"):
            Curves(**columns | {name: [0, 600_001, 1]})


class TestErrors:
    """A bit for every image, the first the highest, and zeros to a whole byte."""

    @pytest.mark.parametrize(
        ("images", "flags"), [(8, "80"), (8, "ff"), (9, "8080"), (9, "ff80"), (12, "00f0"), (15, "00fe"), (16, "00ff")]
    )
    def test_as_many_bits_as_images(self, images, flags):
        bits = bytes.fromhex(flags)
        errors = sum(byte.bit_count() for byte in bits)
        found = Reading(**SMALL | {"images": images, "wrong": b64encode(bits).decode()})
        assert (found.errors, found.accuracy) == (errors, 1 - errors / images)

    @pytest.mark.parametrize(
        ("images", "flags"),
        [(8, ""), (8, "8000"), (9, "80"), (9, "8040"), (9, "8001"), (12, "0008"), (12, "0001"), (15, "0001")],
    )
    def test_neither_more_nor_fewer(self, images, flags):
        wrong = b64encode(bytes.fromhex(flags)).decode()
        rule = rf"^wrong must have a bit for each of the {images} images, and zeros to a whole byte$"
        with pytest.raises(ValueError, match=rule):
            Reading(**SMALL | {"images": images, "wrong": wrong})

    def test_are_base64_and_nothing_else(self):
        right = reading(1, 0.5, images=8)
        with pytest.raises(ValueError, match="padding"):
            Reading(**SMALL | {"wrong": right.wrong + "\n"})

    @pytest.mark.parametrize(("part", "most"), [("modal", 8), ("unlabelled_right", 1000)])
    def test_a_part_is_no_more_than_the_whole(self, part, most):
        assert getattr(Reading(**SMALL | {part: most}), part) == most
        rule = "^a part must be at most the 8 test images or the 1000 unlabelled ones, and not "
        with pytest.raises(ValueError, match=rule):
            Reading(**SMALL | {part: most + 1})

    def test_both_readings_are_of_the_same_images(self):
        with pytest.raises(ValueError, match=r"^images must be as many twice, not 8 and 9$"):
            run.Test(chosen=reading(1, 0.5, images=8), last=reading(1, 0.5, images=9), bound=None)


class TestRuns:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            (
                {"unlabelled": 49},
                "a run must have at most its 3 epochs of whole batches of 50 images, and it has 3 of 49 images",
            ),
            ({"test": None}, "a run must have either read the test set or failed"),
            (
                {"test": replace(RUN.test, chosen=replace(RUN.test.chosen, epoch=1))},
                "a finished run must have its 3 epochs and have tested the most accurate and the last, "
                "and it has 3 and tested 1 and 3",
            ),
        ],
        ids=["images", "test", "epochs"],
    )
    def test_say_what_is_broken(self, changes, sentence):
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            RunRecord(**msgspec.structs.asdict(RUN) | changes)

    def test_an_epoch_may_have_every_image(self):
        assert RunRecord(**msgspec.structs.asdict(RUN) | {"unlabelled": 1000}).steps == 20
        assert RunRecord(**msgspec.structs.asdict(RUN) | {"unlabelled": 999}).steps == 19


class TestGradients:
    """A row for every estimator at every temperature that its rule allows, on every subject."""

    def test_every_estimator_and_every_temperature_is_expected(self, tmp_path):
        pairs = ("gumbel", 0.5), ("gumbel", 1.0), ("reinforce", None), ("reinmax", 1.0)
        whole = gradient_record(*pairs, epochs=(1,), seeds=(0,))
        assert whole.is_whole
        rows, path = whole.rows, tmp_path / "gradients.json"
        others = [replace(rows[0], temperature=0.7), *rows[1:]], [replace(rows[0], subject="other"), *rows[1:]]
        for damaged in (rows[1:], rows[:-1], [*rows[:2], *rows[3:]], [*rows, rows[3]], [], *others):
            replace(whole, rows=damaged).save(path)
            with pytest.raises(
                DataError, match="must have every estimator on every subject once, and has not: restore"
            ):
                read_gradients(path)
        assert not replace(whole, subjects=whole.subjects[:-1]).is_whole
        assert not replace(whole, subjects=[*whole.subjects, whole.subjects[0]]).is_whole

    def test_a_model_of_another_estimator_has_that_alone(self):
        whole = gradient_record(("gumbel", 0.5), ("reinforce", None), epochs=(1,), seeds=(0,))
        own = replace(whole.subjects[-1], name="gumbel, seed 0, epoch 1", trained_by="gumbel")
        rows = [replace(row, subject=own.name) for row in whole.rows[:2]]
        with_own = replace(whole, subjects=[*whole.subjects, own], rows=[*whole.rows, rows[0]])
        assert with_own.is_whole
        assert not replace(with_own, rows=[*whole.rows, *rows]).is_whole
        assert not replace(with_own, rows=[*whole.rows, rows[1]]).is_whole


class TestCosts:
    def test_a_part_is_read_where_a_part_is_asked_for(self, tmp_path):
        whole = cost_record(marginalize={2: (8.0,)}, gumbel={2: (7.0,)})
        part, path = replace(whole, rows=whole.rows[:1]), tmp_path / "part.json"
        part.save(path)
        assert read(path, CostRecord, part=True) == part
        with pytest.raises(DataError, match="must have every turn of its plan once, and has not: restore it"):
            read_cost(path)


class TestText:
    def test_an_old_record_is_left_to_the_gsm_that_wrote_it(self, tmp_path):
        path = tmp_path / "old.json"
        path.write_text('{"schema": 3}')
        with pytest.raises(DataError) as caught:
            read_run(path)
        assert str(caught.value) == (
            f"{path} must be a record of schema 4, not 3: "
            "read it with the gsm that wrote it, or remove it and run again"
        )

    @pytest.mark.parametrize(("letters", "told"), [(10, 10), (10_000, LONGEST)])
    def test_what_is_wrong_is_told_in_so_many_letters(self, tmp_path, letters, told):
        path = tmp_path / "strange.json"
        path.write_text(json.dumps(msgspec.to_builtins(RUN) | {"kind": "k" * letters}))
        with pytest.raises(DataError) as caught:
            read_run(path)
        reason = str(caught.value).removeprefix(f"{path} must be a whole record, and is not (")
        reason = reason.removesuffix("): restore it, or remove it and run again")
        assert ("k" * letters in reason) == (letters == told)
        assert reason.endswith("…") == (letters != told)
        assert len(reason) == LONGEST + 1 or letters == told

    def test_a_line_for_every_entry_of_the_two_outer_levels(self, tmp_path):
        """And for every row of a list of rows; what lies deeper stays in its line."""
        path = tmp_path / "a.json"
        RUN.save(path)
        lines = path.read_text().splitlines()
        assert lines[:4] == ["{", ' "kind": "run",', ' "schema": 4,', ' "version": "0.0.0",']
        assert '  "estimator": {"objective": "gumbel","tau": 0.5,"tau_min": 0.0,"tau_rate": 0.0,' in path.read_text()
        assert '  "milliseconds": [2000,2000,2000],' in lines
        assert lines[-1] == "}"
        whole = cost_record(gumbel={2: (7.0,), 3: (8.0,)})
        whole.save(path)
        assert [line[:16] for line in path.read_text().splitlines() if '"gumbel"' in line and "seconds" in line] == [
            '  {"objective": '
        ] * 2

    def test_no_number_is_written_that_json_has_not(self, tmp_path):
        with pytest.raises(ValueError, match="JSON compliant"):
            replace(RUN, epochs=replace(RUN.epochs, evaluations=[float("nan")] * 3)).save(tmp_path / "a.json")
        assert not list(tmp_path.iterdir())
