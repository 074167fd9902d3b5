"""The docs page, and the documents behind it (interface 7)."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Final

from orderstream.http_message import Answer, ProblemError, Request

ASYNCAPI: Final = "asyncapi.json"


async def docs(request: Request) -> Answer:
    """`/docs`, or a file of `schemas/` below it. Raises `ProblemError`."""
    return await asyncio.to_thread(_docs, request.path[1:])  # what is shown is made at the first look, which takes long


def _docs(path: tuple[str, ...]) -> Answer:
    from orderstream import schemas  # no worker that nobody asks pays for these
    from orderstream.schemas.page import POLICY, page

    if not path:
        return Answer(HTTPStatus.OK, page().encode(), "text/html; charset=utf-8", {"content-security-policy": POLICY})
    text = schemas.files().get(Path(*path))
    if text is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such document; /docs leads to all of them")
    return Answer(HTTPStatus.OK, text.encode(), "application/json")
