"""What is signed stays signed: cut lines, full disks, two processes."""

import os

import pytest

from anyk.aggregation import FileJournal
from anyk.errors import InvalidArgument

ONE, TWO = bytes(range(32)), bytes(range(1, 33))


def test_rounds_are_there_again(tmp_path):
    with FileJournal(tmp_path / "signed") as journal:
        journal.note(5, ONE)
        journal.note(3, TWO)
    with FileJournal(tmp_path / "signed") as journal:
        assert (journal.signed(5), journal.signed(3), journal.signed(4)) == (ONE, TWO, None)
    assert (tmp_path / "signed").stat().st_mode & 0o077 == 0


def test_a_line_that_was_cut_short_does_not_count(tmp_path):
    path = tmp_path / "signed"
    with FileJournal(path) as journal:
        journal.note(1, ONE)
        journal.note(2, TWO)
    whole = path.read_bytes()
    for cut in (1, 2, 40, 64, 65, 66):
        path.write_bytes(whole[:-cut])
        with FileJournal(path) as journal:
            assert journal.signed(2) is None
            journal.note(2, ONE)
        with FileJournal(path) as journal:
            assert (journal.signed(1), journal.signed(2)) == (ONE, ONE)


@pytest.mark.parametrize(
    "text",
    ["\n", "1\n", "x\n", f"1 {ONE.hex()[:-1]}\n", f"1  {ONE.hex()}\n", f"-1 {ONE.hex()}\n",
     f"1 {ONE.hex()}\n1 {TWO.hex()}\n", f"1 {ONE.hex().upper()}\n", f"\u0661 {ONE.hex()}\n"],
)  # fmt: skip
def test_what_is_no_journal_is_refused_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "signed"
    path.write_text(text)
    with pytest.raises(InvalidArgument, match="a journal of signed rounds"):
        FileJournal(path)
    assert path.read_text() == text


def test_two_have_no_journal_in_common(tmp_path):
    with FileJournal(tmp_path / "signed"):
        with pytest.raises(InvalidArgument, match="another process writes in"):
            FileJournal(tmp_path / "signed")
    FileJournal(tmp_path / "signed").close()


def test_what_is_not_on_the_disk_is_not_signed(tmp_path, monkeypatch):
    path = tmp_path / "signed"
    with FileJournal(path) as journal:
        journal.note(1, ONE)
        monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk")))
        with pytest.raises(OSError, match="disk"):
            journal.note(2, TWO)
        with pytest.raises(OSError, match="disk"):
            journal.note(1000, TWO)  # a line that is longer than the next
        assert (journal.signed(2), journal.signed(1000)) == (None, None)
        monkeypatch.undo()
        journal.note(2, ONE)
        assert path.read_text() == f"1 {ONE.hex()}\n2 {ONE.hex()}\n"
