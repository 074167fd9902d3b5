"""How long a working worker takes to answer whether it is well."""

import asyncio
import time
from contextlib import suppress
from http.client import HTTPException
from typing import Final

from orderstream.settings import Settings
from tests.http_client import asked

PATHS: Final = ("/health/live", "/health/ready")
PAUSE_SECONDS: Final = 0.1


class Health:
    """Asks both ways again and again, from when there is somebody to answer."""

    def __init__(self, settings: Settings) -> None:
        self._port = settings.http_port
        self.slowest_ms = dict.fromkeys(PATHS, 0.0)
        self.answers = 0

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            for path in PATHS:
                with suppress(OSError, HTTPException):  # it does not listen yet
                    milliseconds = await asyncio.to_thread(self._asked, path)
                    self.slowest_ms[path] = max(self.slowest_ms[path], milliseconds)
                    self.answers += 1
            await asyncio.sleep(PAUSE_SECONDS)

    def _asked(self, path: str) -> float:
        before = time.perf_counter()
        asked(self._port, path)
        return 1000 * (time.perf_counter() - before)
