"""Files that are whole or not there: what a killed process leaves, and who removes it."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gsm_cli import files
from gsm_cli.errors import GsmError, printable
from gsm_cli.files import move, prepare, read_bounded, sweep, temporary_of, write_atomic

KILLED = (
    "import os, signal; from pathlib import Path; from gsm_cli.files import write_atomic; "
    "os.fsync = lambda file: os.kill(os.getpid(), signal.{signal}); write_atomic(Path({path!r}), b'half of it')"
)


def write_and(signal: str, path: Path) -> subprocess.Popen:
    """A process that is killed, or stopped, in the middle of writing."""
    return subprocess.Popen([sys.executable, "-c", KILLED.format(signal=signal, path=str(path))])


def temporary(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.tmp"))


def wait_for_one(folder: Path) -> Path:
    deadline = time.monotonic() + 30
    while not (found := [path for path in temporary(folder) if path.stat().st_size]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found[0]


class TestStrayFiles:
    def test_what_a_killed_process_leaves_is_removed_by_the_next_write(self, tmp_path):
        (tmp_path / "a.json").write_bytes(b"old")
        write_and("SIGKILL", tmp_path / "a.json").wait()
        assert len(temporary(tmp_path)) == 1
        assert (tmp_path / "a.json").read_bytes() == b"old"
        files._sweep_once.cache_clear()
        write_atomic(tmp_path / "b.json", b"new")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]

    def test_what_a_process_is_writing_is_left_alone(self, tmp_path):
        process = write_and("SIGSTOP", tmp_path / "a.json")
        try:
            path = wait_for_one(tmp_path)
            sweep(tmp_path)
            assert temporary(tmp_path) == [path]
        finally:
            process.kill()
            process.wait()
        sweep(tmp_path)
        assert temporary(tmp_path) == []

    def test_a_process_that_has_the_number_of_one_that_is_gone(self, tmp_path):
        """Its token says that it is another."""
        (tmp_path / f".a.json.{files._host()}-{os.getpid()}-01234567-01234567.tmp").touch()
        mine = temporary_of(tmp_path / "a.json")
        mine.touch()
        sweep(tmp_path)
        assert temporary(tmp_path) == [mine]

    def test_another_machine_s_file_is_left_alone_until_it_is_very_old(self, tmp_path):
        path = tmp_path / ".a.json.elsewhere-1-01234567-01234567.tmp"
        path.touch()
        sweep(tmp_path)
        assert path.exists()
        os.utime(path, (time.time() - 31 * 86400,) * 2)
        sweep(tmp_path)
        assert not path.exists()

    def test_what_others_call_temporary_is_theirs(self, tmp_path):
        names = [".a.tmp", "a.json.elsewhere-1-01234567-01234567.tmp", ".a.json.elsewhere-1-01234567.tmp", "~a.tmp"]
        for name in names:
            (tmp_path / name).touch()
            os.utime(tmp_path / name, (0, 0))
        sweep(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)

    def test_a_folder_that_is_not_there(self, tmp_path):
        sweep(tmp_path / "nowhere")


class TestWrite:
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
    def test_what_was_there_is_still_there_if_the_disk_refuses(self, tmp_path, monkeypatch, code):
        (tmp_path / "a.json").write_bytes(b"old")

        def refuse(*given: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(GsmError, match=rf"a\.json cannot be written \({os.strerror(code)}\): see to its folder"):
            write_atomic(tmp_path / "a.json", b"new")
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.json", b"old")]

    def test_a_folder_where_the_file_should_be_and_the_reverse(self, tmp_path):
        (tmp_path / "a.json").mkdir()
        (tmp_path / "b").touch()
        for path, reason in ((tmp_path / "a.json", "Is a directory"), (tmp_path / "b" / "c", "a file stands where")):
            with pytest.raises(GsmError, match=f"cannot be written .{reason}"):
                write_atomic(path, b"new")
        assert temporary(tmp_path) == []

    def test_a_name_that_is_too_long(self, tmp_path):
        with pytest.raises(GsmError, match="File name too long"):
            write_atomic(tmp_path / ("a" * 300), b"new")


class TestPrepare:
    """Before long work."""

    def test_makes_the_folder_and_leaves_nothing_in_it(self, tmp_path):
        prepare(tmp_path / "deep" / "er" / "a.json")
        assert list((tmp_path / "deep" / "er").iterdir()) == []

    def test_says_what_stands_in_the_way(self, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        with pytest.raises(GsmError, match="a file stands where its folder should be"):
            prepare(tmp_path / "file" / "a.json")
        with pytest.raises(GsmError, match="File name too long"):
            prepare(tmp_path / ("a" * 300) / "a.json")

        def refuse(**given: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr(files, "TemporaryFile", refuse)
        with pytest.raises(GsmError, match=r"a\.json cannot be written \(Read-only file system\): see to its folder"):
            prepare(tmp_path / "a.json")


class TestRead:
    @pytest.mark.parametrize("content", [b"", b"four"])
    def test_a_file_that_is_small_enough(self, tmp_path, content):
        (tmp_path / "a").write_bytes(content)
        assert read_bounded(tmp_path / "a", 4) == content

    def test_what_is_larger_or_never_ends_is_refused(self, tmp_path):
        (tmp_path / "large").write_bytes(b"fiver")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "zero").symlink_to("/dev/zero")
        (tmp_path / "folder").mkdir()
        for name, reason in (
            ("large", "more than 4 bytes"),
            ("pipe", "no ordinary file"),
            ("zero", "no ordinary file"),
        ):
            with pytest.raises(OSError, match=reason):
                read_bounded(tmp_path / name, 4)
        with pytest.raises(IsADirectoryError):
            read_bounded(tmp_path / "folder", 4)

    def test_a_file_of_any_size_costs_no_more_than_it_may(self, tmp_path):
        with (tmp_path / "a").open("wb") as file:
            file.truncate(2**40)
        with pytest.raises(OSError, match="more than 4 bytes"):
            read_bounded(tmp_path / "a", 4)


def test_what_a_terminal_would_obey_is_written_out():
    assert printable("plain, π, 1×1") == "plain, π, 1×1"
    assert printable("a\x1b[31mb\nc\u202ed\x00") == r"a\x1b[31mb\nc\u202ed\x00"


def test_a_move_that_the_disk_refuses_is_one_sentence_and_loses_nothing(tmp_path):
    source, path = tmp_path / "a.part", tmp_path / "a.json"
    source.write_text("whole")
    path.mkdir()
    with pytest.raises(GsmError, match=r"a\.json cannot be written \("):
        move(source, path)
    assert source.read_text() == "whole"
    path.rmdir()
    move(source, path)
    assert (path.read_text(), source.exists()) == ("whole", False)
