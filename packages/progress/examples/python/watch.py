#!/usr/bin/env python3
"""Watches operations over a WebSocket until their ends. Written from the page "The protocol wcc.v1" alone.

    PROGRESS_TOKEN=… ./watch.py http://127.0.0.1:8080/progress http://127.0.0.1:8080/progress/ticket ID…
    PROGRESS_TOKEN=… ./watch.py http://127.0.0.1:8400/api/ws http://127.0.0.1:8400/api/ws-tickets ID…    (wcc)

Needs the standard library of Python ≥ 3.9. Prints each snapshot that it accepts as a line of JSON. Exit code: 0 all
succeeded, 1 one failed or was cancelled, 2 the server refuses, 3 one is not (or no longer) there for this user.
"""
import base64, json, math, os, random, socket, ssl, sys, time, urllib.error, urllib.request
from urllib.parse import urlsplit

ATTEMPT_S, DEAD_S, RESET_AFTER_S = 4, 12, 30
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
ENDS = {"succeeded": 0, "failed": 1, "cancelled": 1}
# Exit codes of statuses and close codes after which reconnecting does not help.
STOPS = {400: 2, 403: 3, 404: 2, 426: 2, 1003: 2, 1009: 2, 4400: 2, 4401: 3, 4409: 2}
WAITS_FOR_NEW_S = [0.5, 1, 2, 5, 5, 5, 5, 5]  # after `not_found`: the operation may begin later


class Socket:
    """One connection (RFC 6455). The server sends each message as one unmasked frame."""

    def __init__(self, url, ticket_url, headers):
        request = urllib.request.Request(ticket_url, b'{"purpose":"watch"}', headers)
        with urllib.request.urlopen(request, timeout=ATTEMPT_S) as answer:
            protocols = "wcc.v1, wcc.ticket." + json.load(answer)["ticket"]
        where, key = urlsplit(url), base64.b64encode(os.urandom(16)).decode()
        self.raw = socket.create_connection((where.hostname, where.port or where.scheme), ATTEMPT_S)
        if where.scheme == "https":
            self.raw = ssl.create_default_context().wrap_socket(self.raw, server_hostname=where.hostname)
        headers = {**headers, "Host": where.netloc, "Connection": "Upgrade", "Upgrade": "websocket",
                   "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": protocols}
        self.raw.sendall("\r\n".join([f"GET {where.path} HTTP/1.1", *map(": ".join, headers.items()), "\r\n"]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.read(1)
        if (status := int(answer.split()[1])) != 101:
            raise ConnectionError(status, "the handshake was refused")

    def read(self, size, timeout_s=DEAD_S):
        data = b""
        self.raw.settimeout(timeout_s)
        while len(data) < size:
            if not (part := self.raw.recv(size - len(data))):
                raise ConnectionError(1006, "the connection was cut")
            data += part
        return data

    def receive(self, wait_s):
        """The next message; {} for a control frame. A close frame raises its code."""
        kind = self.read(1, wait_s)[0] & 15
        size = self.read(1)[0]
        payload = self.read(size if size < 126 else int.from_bytes(self.read(2 if size == 126 else 8), "big"))
        if kind == CLOSE:
            raise ConnectionError(int.from_bytes(payload[:2], "big"), "the server closed the connection")
        if kind == PING:
            self.send(payload, PONG)
        return json.loads(payload) if kind == TEXT else {}

    def send(self, payload, kind=TEXT):
        size, mask = len(payload), os.urandom(4)
        head = [128 | kind, 128 | size] if size < 126 else [128 | kind, 254, *size.to_bytes(2, "big")]
        self.raw.sendall(bytes(head) + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))


class Watcher:
    def __init__(self, ids):
        self.held, self.codes = dict.fromkeys(ids), {}  # the newest snapshot, and the exit code, of each operation
        self.ask_at, self.waits = {}, {op: iter(WAITS_FOR_NEW_S) for op in ids}  # when to subscribe
        self.wait_s, self.failures, self.failing_since = None, 0, 0  # `wait_s`: as the server named it

    def is_over(self):
        return len(self.codes) == len(self.held)

    def follow(self, sock):
        self.ask_at = {}
        while not self.is_over():
            now = time.monotonic()
            self.subscribe(sock, [op for op, at in self.ask_at.items() if at <= now][:64])
            ask_in_s = max(0.001, min(self.ask_at.values(), default=math.inf) - now)
            try:
                self.take(sock.receive(min(ask_in_s, DEAD_S)))
            except socket.timeout:
                if ask_in_s >= DEAD_S:
                    raise

    def subscribe(self, sock, ops):
        rows = [{"op": op, **{key: self.held[op][key] for key in ("epoch", "seq") if self.held[op]}} for op in ops]
        if rows:
            sock.send(json.dumps({"t": "sub", "id": 1, "ops": rows}).encode())
        self.ask_at = {op: at for op, at in self.ask_at.items() if op not in ops}

    def take(self, message):
        if message.get("t") == "hello":
            self.ask_at = {op: 0 for op in self.held if op not in self.codes}
        if message.get("t") == "gone":
            self.codes[message["op"]] = 3
        for op in [row["op"] for row in message.get("res", []) if "err" in row]:
            print("not_found:", op, file=sys.stderr)
            wait_s = next(self.waits[op], None)
            self.ask_at.update({} if wait_s is None else {op: time.monotonic() + wait_s})
            self.codes.update({op: 3} if wait_s is None else {})
        for snapshot in message.get("d", []):
            op, held = snapshot["id"], self.held[snapshot["id"]]
            if not held or held["epoch"] != snapshot["epoch"] or held["seq"] < snapshot["seq"]:
                self.held[op], self.waits[op] = snapshot, iter(WAITS_FOR_NEW_S)
                self.codes.update({op: ENDS[snapshot["state"]]} if snapshot["state"] in ENDS else {})
                print(json.dumps(snapshot), flush=True)
        self.wait_s = message["ms"] / 1000 if "ms" in message else self.wait_s

    def pause(self, began):
        """Waits as the server asked, or for a random time, so that clients do not return all at once."""
        if self.failures == 0 or time.monotonic() - began >= RESET_AFTER_S:
            self.failures, self.failing_since = 0, time.monotonic()
        cap_s = 3 if time.monotonic() - self.failing_since < 60 else 30
        random_s = random.uniform(0, min(cap_s, 0.5 * 2 ** min(self.failures, 16)))
        time.sleep(random_s if self.wait_s is None else self.wait_s)
        self.failures, self.wait_s = self.failures + 1, None


def main(url, ticket_url, *ids):
    headers = {"Authorization": "Bearer " + os.environ.get("PROGRESS_TOKEN", ""), "Content-Type": "application/json"}
    watcher = Watcher(ids)
    while not watcher.is_over():
        began = time.monotonic()
        try:
            watcher.follow(Socket(url, ticket_url, headers))
        except urllib.error.HTTPError as error:
            print("no ticket:", error, file=sys.stderr)
            if error.code in (401, *STOPS):
                return STOPS.get(error.code, 3)
            watcher.pause(began)
        except OSError as error:
            print(f"no connection ({error}); the work on the server continues", file=sys.stderr)
            if error.errno in STOPS:
                return STOPS[error.errno]
            watcher.pause(began)
    return max(watcher.codes.values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
