"""What libraries say of a connection that does not come about, in words for people."""

import pytest

from orderstream.causes import Places, cause_in

PLACES = Places("ADDRESS", "AUTHORITY", "CERTIFICATE", "PROTOCOL")


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:27017: connection closed (configured timeouts: connectTimeoutMS: 3000.0ms)",
        "127.0.0.1:27017: Connection is closed (configured timeouts: connectTimeoutMS: 3000.0ms)",
        "127.0.0.1:27017: connection is already closed",
        "127.0.0.1:27017: [Errno 104] Connection reset by peer",
        "127.0.0.1:27017: [Errno 32] Broken pipe",
    ],
)
def test_however_a_server_hangs_up_it_is_told(text: str) -> None:
    cause = cause_in(text, PLACES)

    assert cause
    assert cause.reason.startswith("ends the connection at once")
    assert cause.remedy == "look at PROTOCOL, and at the port"


def test_what_is_not_known_is_not_told() -> None:
    assert cause_in("something else, with a secret", PLACES) is None
