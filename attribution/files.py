"""How files are written: whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all: under another name, then renamed."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def json_bytes(value: object) -> bytes:
    """Write a value as JSON, the same bytes for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def file_sha256(path: Path) -> str:
    """Hash a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
