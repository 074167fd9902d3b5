"""Arguments that several commands take."""

from typing import Annotated, TypeAlias

import typer

from orderstream.dialects import DIALECTS


def _known(dialect: str | None) -> str | None:
    if dialect not in (None, *DIALECTS):
        raise typer.BadParameter(f"must be one of {', '.join(DIALECTS)}")
    return dialect


Files: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help='JSON or JSON lines of {"topic"?, "key", "headers", "value"}, or value_base64 for any bytes; '
        "- is standard input.",
    ),
]
Ref: TypeAlias = Annotated[
    str, typer.Argument(metavar="REF", help="Id, number, reference or idempotency key of the order.")
]
Dialect: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", callback=_known, help=f"Only this one: {', '.join(DIALECTS)}.")
]
Tenant: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help="Only this one.")]
