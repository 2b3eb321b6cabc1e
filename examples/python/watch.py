#!/usr/bin/env python3
"""Watches one operation over wcc.v1 until its end: a client written from docs/protocol.md alone.

    WCC_URL=http://127.0.0.1:8400 WCC_TOKEN=… ./watch.py OPERATION [--json]

Needs Python ≥ 3.9 and `websockets` (Debian: python3-websockets). Prints a line for each snapshot that it accepts.
Exit code: 0 succeeded, 1 failed or cancelled, 2 cannot continue, 3 not (or no longer) allowed.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

import websockets

TERMINAL = ("succeeded", "failed", "cancelled")
DEAD_S = 12.0  # nothing arrived for this time: the connection is dead
ATTEMPT_S = 4.0
BACKOFF_BASE_S = 0.5
BACKOFF_CAP_FIRST_MINUTE_S = 3.0
BACKOFF_CAP_S = 30.0
RESET_AFTER_S = 30.0
# Reconnecting does not help: this program or its address is wrong, or a person must act.
STOP_CLOSE_CODES = {1003: 2, 1009: 2, 4400: 2, 4401: 3, 4409: 2}
STOP_STATUSES = {400: 2, 403: 3, 404: 2, 426: 2}


class Stop(Exception):
    """Reconnecting does not help."""

    def __init__(self, exit_code, reason):
        super().__init__(reason)
        self.exit_code = exit_code


class Watch:
    def __init__(self, url, token, operation, as_json):
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.operation = operation
        self.as_json = as_json
        self.latest = None  # the newest snapshot
        self.retry_after_s = None  # the wait in `bye` or `err`
        self.failures = 0
        self.failing_since = None

    async def run(self):
        """Keeps one connection open until the end. Returns the exit code."""
        while True:
            up_since = None
            try:
                ticket = await asyncio.wait_for(asyncio.to_thread(self.fetch_ticket), ATTEMPT_S)
                async with self.connect(ticket) as socket:
                    up_since = time.monotonic()
                    await self.follow(socket)
            except websockets.exceptions.ConnectionClosed as error:
                self.closed(error.rcvd.code if error.rcvd else 1006)
            except Stop:
                raise
            except (OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException) as error:
                self.refused(error)
            if self.latest and self.latest["state"] in TERMINAL:
                return 0 if self.latest["state"] == "succeeded" else 1
            await asyncio.sleep(self.pause(up_since))

    def fetch_ticket(self):
        """A new single-use ticket for each attempt."""
        request = urllib.request.Request(
            f"{self.url}/api/ws-tickets",
            data=b'{"purpose":"watch"}',
            headers={**self.headers, "Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=ATTEMPT_S) as answer:
                return json.load(answer)["ticket"]
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise Stop(3, f"the server issues no ticket: {error.code}") from error
            raise

    def connect(self, ticket):
        # The parameter was renamed in version 14.
        is_new = int(websockets.__version__.split(".")[0]) >= 14
        return websockets.connect(
            f"{self.url.replace('http', 'ws', 1)}/api/ws",
            subprotocols=["wcc.v1", f"wcc.ticket.{ticket}"],
            open_timeout=ATTEMPT_S,
            close_timeout=1,
            ping_interval=None,  # the server pings; its Pings are answered by the library
            **{"additional_headers" if is_new else "extra_headers": self.headers},
        )

    async def follow(self, socket):
        """From `hello` to the end of the operation; a lost connection is an exception."""
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), DEAD_S))
            kind = message.get("t")
            if kind == "hello":
                if message["v"] != 1:
                    raise Stop(2, f"the server speaks version {message['v']}")
                await socket.send(json.dumps({"t": "sub", "id": 1, "ops": [self.subscription()]}))
            elif kind == "ok":
                if any(row.get("err") == "not_found" for row in message.get("res", [])):
                    raise Stop(3, "there is no such operation, or you may not watch it")
            elif kind == "ops":
                for snapshot in message["d"]:
                    self.take(snapshot)
            elif kind == "gone" and message["op"] == self.operation:
                raise Stop(3, f"gone: {message['why']}")
            elif kind in ("bye", "err"):
                self.retry_after_s = message["ms"] / 1000
            # Ignores messages of a later version.
            if self.latest and self.latest["state"] in TERMINAL:
                return

    def subscription(self):
        """Names the newest snapshot, so that the server does not send it again."""
        row = {"op": self.operation}
        if self.latest:
            row.update(epoch=self.latest["epoch"], seq=self.latest["seq"])
        return row

    def take(self, snapshot):
        if snapshot["id"] != self.operation:
            return
        latest = self.latest
        if latest and latest["epoch"] == snapshot["epoch"] and snapshot["seq"] <= latest["seq"]:
            return  # an older snapshot, or the same one
        self.latest = snapshot
        print(json.dumps(snapshot) if self.as_json else line_of(snapshot), flush=True)

    def closed(self, code):
        if code in STOP_CLOSE_CODES:
            raise Stop(STOP_CLOSE_CODES[code], f"the server closed with {code}")
        if code not in (4429, 4503):
            self.retry_after_s = None
        print(f"connection lost ({code}); the work on the server continues", file=sys.stderr)

    def refused(self, error):
        self.retry_after_s = None
        status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
        if status in STOP_STATUSES:
            raise Stop(STOP_STATUSES[status], f"the server refuses the connection: {status}")
        print(f"no connection ({error or type(error).__name__})", file=sys.stderr)

    def pause(self, up_since):
        """Seconds until the next attempt: the server's wait, otherwise random, so that clients do not return all at once."""
        now = time.monotonic()
        if up_since is not None and now - up_since >= RESET_AFTER_S:
            self.failures, self.failing_since = 0, None
        asked, self.retry_after_s = self.retry_after_s, None
        if asked is not None:
            return asked
        self.failing_since = self.failing_since or now
        is_early = now - self.failing_since < 60
        cap = BACKOFF_CAP_FIRST_MINUTE_S if is_early else BACKOFF_CAP_S
        self.failures += 1
        return random.uniform(0, min(cap, BACKOFF_BASE_S * 2 ** min(self.failures - 1, 16)))


def line_of(snapshot):
    """Like `running transfer 1048576/4194304`; an unknown total is left out."""
    index, phases = snapshot["phaseIndex"], snapshot["phases"]
    phase = phases[index] if 0 <= index < len(phases) else {}
    parts = [snapshot["state"], phase.get("name", "")]
    if "done" in phase:
        parts.append(str(phase["done"]) + ("" if phase["total"] is None else f"/{phase['total']}"))
    return " ".join(part for part in parts if part)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("operation")
    arguments.add_argument("--json", action="store_true", help="each snapshot as a line of JSON")
    options = arguments.parse_args()
    watch = Watch(os.environ["WCC_URL"], os.environ.get("WCC_TOKEN"), options.operation, options.json)
    try:
        return asyncio.run(watch.run())
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
