"""A rejected message repaired in an editor, and sent: on real servers."""

import json
from pathlib import Path

import pytest

from orderstream.order import Position
from orderstream.rejections import Choice
from orderstream.settings import Settings
from orderstream.terminal import FailedError
from tests.builders import a_create
from tests.rejected_messages import of, put, replayed
from tests.worker import read


def editor(folder: Path, monkeypatch: pytest.MonkeyPatch, *commands: str) -> None:
    script = folder / "editor.sh"
    script.write_text("\n".join(["#!/bin/sh", *commands]))
    script.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)


async def test_one_message_can_be_repaired_in_the_editor(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = of(settings, a_create("wishlist", {"orderStatus": "?"}, tenant=" "))
    await put(settings, record)
    editor(tmp_path, monkeypatch, """sed -i 's/"?"/"CREATED"/; s/^tenant: .*/tenant: acme/' "$1" """)

    await replayed(settings, edit=True)

    (again,) = await read(settings, settings.topic_create)
    assert {**json.loads(record.value or b""), "orderStatus": "CREATED"} == json.loads(again.value or b"")
    assert (record.key, b"acme") == (again.key, dict(again.headers)["tenant"])


async def test_a_broken_value_without_key_can_be_repaired_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = a_create("wishlist")
    record = of(
        settings,
        whole._replace(key=None, value=(whole.value or b"")[:-1] + b",}", headers=(*whole.headers, ("x", b"\xff"))),
    )
    await put(settings, record)
    editor(tmp_path, monkeypatch, """sed -i 's/,}$/}/; s/^(record key): /(record key): k-1/' "$1" """, 'echo >> "$1"')

    await replayed(settings, edit=True)

    (again,) = await read(settings, settings.topic_create)
    assert record.position.partition != again.partition  # where its new key belongs
    assert (b"k-1", whole.value, b"\xff") == (again.key, again.value, dict(again.headers)["x"])


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        (["true"], "nothing was changed in the editor"),
        (["exit 3"], "the editor ended with exit code 3"),
        (["echo '# more' >> $1"], "it would be rejected again"),
        (["echo 'nonsense' > $1"], "there is no empty line"),
    ],
)
async def test_nothing_is_sent_when_the_editor_leaves_nothing_to_send(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: list[str], told: str
) -> None:
    await put(settings, of(settings, a_create("wishlist", {"orderStatus": "?"})))
    editor(tmp_path, monkeypatch, *commands)

    with pytest.raises(FailedError, match=told):
        await replayed(settings, edit=True)

    assert [] == await read(settings, settings.topic_create)


async def test_the_editor_is_for_one_message(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(settings, *(of(settings, a_create("wishlist", {"orderStatus": "?"}), n) for n in range(2)))

    with pytest.raises(FailedError, match="--edit is for one message that can be sent, and 2 are chosen"):
        await replayed(settings, edit=True)
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    one = Choice(frozenset({Position(settings.topic_create, 3, 0)}))
    with pytest.raises(FailedError, match="set the environment variable EDITOR"):
        await replayed(settings, one, edit=True)
