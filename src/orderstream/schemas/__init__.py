"""The folder `schemas/`: JSON Schemas, AsyncAPI and OpenAPI documents, made from the code (interface 5)."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from orderstream.schemas import asyncapi, openapi
from orderstream.schemas.asyncapi import INPUTS
from orderstream.schemas.outputs import event_schema, rejection_schema
from orderstream.schemas.values import value_schema


@cache
def files() -> Mapping[Path, str]:
    """The files of the folder and their texts: the same on every machine."""
    contents = {
        **{
            Path(dialect.name, f"{operation.value}.json"): value_schema(dialect, operation)
            for dialect, operation in INPUTS
        },
        Path("status-event.json"): event_schema(),
        Path("rejection.json"): rejection_schema(),
        Path("asyncapi.json"): asyncapi.document(),
        Path("openapi.json"): openapi.document(),
    }
    return {path: json.dumps(content, ensure_ascii=False, indent=2) + "\n" for path, content in contents.items()}


def write(folder: Path) -> None:
    """Put all files into *folder*. Raises `OSError`."""
    for path, text in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")


def differences(folder: Path) -> Iterator[str]:
    """What is wrong with the files in *folder*, a sentence each."""
    for path, text in files().items():
        file = folder / path
        if not file.is_file():
            yield f"{file} is not there; `orderstream schemas` writes it"
        elif file.read_bytes() != text.encode():
            yield f"{file} differs; `orderstream schemas` writes it anew"
    for file in sorted(folder.glob("**/*.json")):
        if file.relative_to(folder) not in files():
            yield f"{file} belongs to no message; delete it"
