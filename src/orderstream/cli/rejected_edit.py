"""A rejected message in the user's editor: key, headers, and the value as text (interface 5)."""

import asyncio
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from orderstream.commands import Headers
from orderstream.marked import as_sent, read
from orderstream.rejections import REPLAY_OF, Rejection
from orderstream.terminal import FailedError, printable

KEY: Final = "(record key)"
NOTE: Final = "#"

_EMPTY_LINE: Final = re.compile(rb"\r?\n\r?\n")


async def edited(rejection: Rejection, environ: Mapping[str, str] = os.environ) -> Rejection:
    """The message as the user has left it. Raises `FailedError` when there is nothing to be sent."""
    editor = environ.get("VISUAL") or environ.get("EDITOR")
    if not editor:
        raise FailedError("set the environment variable EDITOR to the program that --edit shall open")
    before = _text(rejection)
    with TemporaryDirectory(prefix="orderstream-") as folder:  # only this user can read it
        file = Path(folder) / "message.json"
        file.write_bytes(before)
        await _run([*shlex.split(editor), str(file)])
        after = file.read_bytes()
    if after == before:
        raise FailedError("nothing was changed in the editor, so nothing is sent; without --edit it goes as it is")
    return _read(after, rejection)


async def _run(command: list[str]) -> None:
    try:
        process = await asyncio.create_subprocess_exec(*command)
    except OSError as error:
        raise FailedError(f"the editor {printable(command[0])} cannot be run: {error.strerror}") from None
    if await process.wait():
        raise FailedError(f"the editor ended with exit code {process.returncode}, so nothing is sent")


def _text(rejection: Rejection) -> bytes:
    """Lines `name: value`, an empty line, and the value."""
    told = "".join(f"{NOTE}   {problem.code} at {problem.path}: {problem.message}\n" for problem in rejection.problems)
    head = (
        f"{NOTE} {rejection.id} was rejected:\n{told}"
        f"{NOTE} Key and headers, one a line, then an empty line, then the value. Lines with {NOTE} are not sent.\n"
    )
    members = read(rejection.value)
    value = rejection.value or b"" if members is None else as_sent(members).encode() + b"\n"
    return _printable_lines(head) + "".join(_lines(rejection)).encode() + b"\n" + value


def _printable_lines(text: str) -> bytes:
    """Paths and messages may hold anything."""
    return "".join(f"{printable(line)}\n" for line in text.splitlines()).encode()


def _lines(rejection: Rejection) -> Iterator[str]:
    for name, value in ((KEY, rejection.key), *rejection.headers):
        if _is_text(name, value):
            yield f"{name}: {(value or b'').decode()}\n"
        elif name != REPLAY_OF:
            yield f"{NOTE} {printable(name)} is no line of text and stays as it is\n"


def _is_text(name: str, value: bytes | None) -> bool:
    """Whether the editor can show it; a replay says by itself what it replays."""
    try:
        text = (value or b"").decode()
    except UnicodeDecodeError:
        return False
    is_name = name.isprintable() and ": " not in name and not name.startswith(NOTE)
    return is_name and text.isprintable() and (value is not None or name == KEY) and name != REPLAY_OF


def _read(file: bytes, rejection: Rejection) -> Rejection:
    """The edited file. Raises `FailedError`."""
    head, *rest = _EMPTY_LINE.split(file, maxsplit=1)
    if not rest:
        raise FailedError("there is no empty line before the value; nothing is sent")
    try:
        lines = head.decode().splitlines()
    except UnicodeDecodeError:
        raise FailedError("a header is not UTF-8; nothing is sent") from None
    pairs = [_pair(line) for line in lines if not line.startswith(NOTE)]
    kept = tuple(header for header in rejection.headers if not _is_text(*header))
    headers: Headers = tuple((name, text.encode()) for name, text in pairs if name != KEY)
    key = next((text.encode() for name, text in pairs if name == KEY), None)
    if key is None and not _is_text(KEY, rejection.key):
        key = rejection.key
    return rejection._replace(key=key or None, headers=(*headers, *kept), value=_value(rest[0], rejection))


def _value(edited: bytes, rejection: Rejection) -> bytes | None:
    """Without the line end that editors add."""
    value = edited if (rejection.value or b"").endswith(b"\n") else edited.removesuffix(b"\n")
    return value if value or rejection.value is not None else None


def _pair(line: str) -> tuple[str, str]:
    name, parted, text = line.partition(": ")
    if not parted and not line.endswith(":"):
        raise FailedError("a line before the value is not `name: value`; nothing is sent")
    return (name, text) if parted else (line[:-1], "")
