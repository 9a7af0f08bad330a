"""Numbers from whatever people have them in, and what is no end of them."""

import os
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gsm_cli.errors import DataError, UsageError
from gsm_cli.files import read_stream
from gsm_cli.law import numbers
from gsm_cli.law.numbers import read_numbers

SEPARATORS = [",", ";", " ", "\n", "\r\n", "\t", " , ", ";\n", ",\n", "  "]


def read(text):
    return read_numbers("--probs", text, "0.5,0.3,0.2")


@given(
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=8),
    st.lists(st.sampled_from(SEPARATORS), min_size=8, max_size=8),
    st.sampled_from(["{}", "[{}]", " ({}) ", "[[{}]]", "{{{}}}", "{},", "{};\n", "\n{}\n", "[{},]"]),
)
def test_whatever_stands_between_and_around_them(values, between, around):
    text = "".join(f"{value!r}{gap}" for value, gap in zip(values, between, strict=False)).rstrip(",; \r\n\t")
    read_back = read(around.format(text))
    assert_array_equal(read_back.values, values)
    assert_array_equal(np.array([float(word) for word in read_back.words]), values)
    assert read_back.again == around.format(text)


@pytest.mark.parametrize("text", ["0.5,,0.5", ",0.5,0.5", "0.5,0.5,;,", "0.5:0.5", "[]", "()", ",", "0.5 x"])
def test_what_lacks_a_number_is_neither_numbers_nor_a_file(folder, text):
    with pytest.raises(UsageError, match=r"^--probs must be numbers with commas, a file of them or - for stdin, not '"):
        read(text)


@pytest.mark.parametrize(
    ("text", "rounding"),
    [("0.5,0.5", 0), ("1,0", 0), ("0.33,0.33,0.33", 0.015), ("0.333,0.6667,0", 0.00055), ("33e-2,1E-12", 0.005)],
)
def test_what_rounding_does_to_a_sum(text, rounding):
    """Half a unit of the last decimal of each that has two or more."""
    assert read(text).rounding == pytest.approx(rounding, rel=1e-9)


class TestFiles:
    def test_are_told_from_numbers_and_become_them(self, folder):
        (folder / "law").write_text("0.60\n0.3\n.1\n")
        (folder / "0.5").write_text("never read")
        assert read("law").again == "0.60,0.3,.1"
        with pytest.raises(UsageError, match="at least two classes, not 1"):
            read("0.5")

    def test_of_more_letters_than_a_shell_takes_are_named(self, folder):
        (folder / "long").write_text(10_000 * "0.00010000000 ")
        assert read("long").again == "long"
        assert read("long").values.size == 10_000

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "it is empty"),
            (b"\n \n", "it is empty"),
            (bytes(range(256)), "it is no text"),
            (b"0.5 half", "no number: 'half'"),
            (b"0.5 " + b"x" * 5000, f"no number: '{48 * 'x'}…"),
            (10_000_000 * b"1\n", "it has more than 1,000,000 bytes"),
        ],
        ids=["empty", "blank", "binary", "word", "long word", "ten million"],
    )
    def test_of_something_else_are_damaged(self, folder, content, reason):
        (folder / "law").write_bytes(content)
        before = time.process_time()
        with pytest.raises(DataError, match=r"^law must hold numbers \(") as refusal:
            read("law")
        assert str(refusal.value) == f"law must hold numbers ({reason}): write for example 0.5,0.3,0.2"
        assert time.process_time() - before < 1

    def test_may_be_neither_folders_nor_endless(self, folder):
        for name, reason in ((".", "Is a directory"), ("/dev/zero", "it has more than 1,000,000 bytes")):
            with pytest.raises(DataError, match=f"{name} must hold numbers .{reason}"):
                read(name)


class TestStreams:
    def test_of_a_named_pipe_wait_for_who_writes(self, folder):
        os.mkfifo("pipe")
        writer = threading.Timer(0.2, lambda: (folder / "pipe").write_text("0.5 0.5"))
        writer.start()
        assert read("pipe").words == ["0.5", "0.5"]
        writer.join()

    def test_that_do_not_end_are_left(self, folder, monkeypatch):
        monkeypatch.setattr(numbers, "PATIENCE", 0.2)
        os.mkfifo("pipe")
        with pytest.raises(DataError, match=r"^pipe must hold numbers \(it has not ended after 0.2 seconds\): write"):
            read("pipe")

    def test_end_with_what_was_written_in_parts(self):
        reader, writer = os.pipe()
        parts = [b"0.5", b" 0.", b"5"]

        def write():
            for part in parts:
                os.write(writer, part)
                time.sleep(0.02)
            os.close(writer)

        thread = threading.Thread(target=write)
        thread.start()
        assert read_stream(reader, 9, 60.0) == b"".join(parts)
        thread.join()
        os.close(reader)  # which whoever opened it closes
