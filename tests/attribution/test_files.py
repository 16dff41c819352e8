import hashlib
import os
import subprocess
import sys

import pytest

from attribution.files import file_sha256, json_bytes, write_whole


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path):
    for content in (b"one", b"two"):
        write_whole(tmp_path / "a", content)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"two"}
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"two").hexdigest()


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError("no space left on device")

    write_whole(tmp_path / "a", b"one")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="no space left"):
        write_whole(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_equal_values_give_equal_json():
    assert (
        json_bytes({"b": 1, "a": 2}) == json_bytes({"a": 2, "b": 1}) == b'{\n "a": 2,\n "b": 1\n}\n'
    )


def test_writing_files_and_music_needs_no_torch_and_no_numpy():
    code = (
        "import sys, attribution.files, attribution.music.midi, attribution.music.audio; "
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
