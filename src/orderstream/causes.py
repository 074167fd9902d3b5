"""Why a connection does not come about: recognised in a library's text, which is not told; it may hold secrets."""

from typing import Final, NamedTuple


class Cause(NamedTuple):
    """What a server does wrong, and what to do about it; no remedy where the usual one will do."""

    reason: str
    remedy: str | None


class Places(NamedTuple):
    """Where a user sets what, by system."""

    address: str
    authority: str
    certificate: str
    protocol: str


KNOWN: Final[tuple[tuple[tuple[str, ...], str, str | None], ...]] = (
    (
        ("Hostname mismatch", "IP address mismatch"),
        "has a certificate for another host name",
        "use a name that stands in the certificate: {address}",
    ),
    (
        ("certificate has expired", "certificate is not yet valid"),
        "has a certificate that is out of date",
        "renew it there, or set this machine's clock",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        "has a certificate of an authority that is not trusted here",
        "name the file with that authority's certificate: {authority}",
    ),
    (
        ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "ALERT_UNKNOWN_CA"),
        "wants a client certificate, of an authority that it trusts",
        "give one: {certificate}",
    ),
    (("timed out", "TimeoutError", "found yet"), "does not answer in time", None),
    (
        ("SSL", " closed", "Broken pipe", "reset", "ConnectionReset", "Incomplete", "KafkaConnection", "IllegalSasl"),
        "ends the connection at once, as a server does that expects TLS or none, or another way to log in",
        "look at {protocol}, and at the port",
    ),
    (
        ("not known", "name resolution", "getaddrinfo failed", "nodename nor servname", "No address associated"),
        "has a host name that is not known",
        "look at {address}",
    ),
    (("Connection refused", "Connect call failed"), "does not listen at its address", None),
)


def cause_in(text: str, places: Places) -> Cause | None:
    """The first one known that the text tells of."""
    for marks, reason, remedy in KNOWN:
        if any(mark in text for mark in marks):
            return Cause(reason, remedy and remedy.format(**places._asdict()))
    return None
