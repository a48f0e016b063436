"""Clients that do harm, each kind from an address of its own on the loopback interface, in one event loop."""

import asyncio
import collections
import random
import socket
import struct

from bombs import bombs

# First address; each kind has the next one. Linux accepts all of 127.0.0.0/8.
FIRST_ADDRESS = 10
# Closes a socket without a word to the other end, as a machine does that loses its power; needs CAP_NET_ADMIN. tcp(7).
TCP_REPAIR = 19
HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
# A kilobyte at a time, and its reader's buffer, which Linux doubles.
SLOW_READ = 1024
# Requests whose response is known; the others may get any of the statuses of the documentation.
SMALL = [
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", {200}),
    (b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", {200}),
    (b"HEAD /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n", {200}),
    (b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", {404}),
    (b"OPTIONS /v1/predict HTTP/1.1\r\nHost: localhost\r\n\r\n", {204}),
    # It needs a slot, of which this client has no more than the others.
    (b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nRIFF", {415, 503}),
]
LIES = [
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00" + bytes(range(256)),
]


class Hostile:
    """The clients, and what they counted: connections, responses by status, all by kind."""

    def __init__(self, port, recording, max_body, n_idle):
        self.port, self.recording, self.max_body, self.n_idle = port, recording, max_body, n_idle
        self.bombs = bombs()
        self.counts = collections.defaultdict(collections.Counter)
        self.addresses = {}
        self.random = random.Random(1)

    def kinds(self):
        """Name, number of clients and function of each kind."""
        return [
            *[(f"idle {part}", self.n_idle // 4, self.idle) for part in range(4)],
            ("half a header", 50, self.half_header),
            ("header by the byte", 20, self.header_by_the_byte),
            ("body by the byte", 40, self.body_by_the_byte),
            ("body without its end", 12, self.body_without_end),
            ("does not read", 20, self.does_not_read),
            ("reads by the kilobyte", 20, self.reads_slowly),
            ("aborted upload", 4, self.aborted),
            ("vanished", 2, self.vanished),
            ("bomb", 3, self.bomb),
            ("small", 8, self.small),
            ("lie", 2, self.lie),
        ]

    async def run(self, seconds):
        """All clients for a time; then their sockets are closed."""
        tasks = []
        for number, (kind, n_clients, function) in enumerate(self.kinds()):
            self.addresses[kind] = f"127.0.0.{FIRST_ADDRESS + number}"
            tasks += [
                asyncio.create_task(self.forever(kind, function, client)) for client in range(n_clients)
            ]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def forever(self, kind, function, client):
        # Not all at once.
        await asyncio.sleep(self.random.random())
        while True:
            connection = None
            try:
                connection = await self.connect(kind, 2 * SLOW_READ if "read" in kind else None)
                await function(kind, connection, client)
            except OSError as error:
                self.counts[kind][type(error).__name__] += 1
                await asyncio.sleep(0.2)
            finally:
                if connection:
                    connection.close()

    async def connect(self, kind, buffer=None):
        connection = socket.socket()
        connection.setblocking(False)
        try:
            if buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            # The port depends on the whole connection, so that those of closed ones can be used again.
            connection.setsockopt(socket.IPPROTO_IP, 24, 1)
            connection.bind((self.addresses[kind], 0))
            await self.loop.sock_connect(connection, ("127.0.0.1", self.port))
        except BaseException:
            connection.close()
            raise
        self.counts[kind]["connections"] += 1
        return connection

    @property
    def loop(self):
        return asyncio.get_running_loop()

    async def response(self, kind, connection):
        """Reads a response and counts its status; None at the end of the connection."""
        received = b""
        while b"\r\n\r\n" not in received:
            part = await self.loop.sock_recv(connection, 65536)
            if not part:
                self.counts[kind]["closed"] += 1
                return None
            received += part
        head, body = received.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ", 2)[1])
        self.counts[kind][status] += 1
        lines = [line.lower() for line in head.split(b"\r\n")]
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        return status, head, length - len(body)

    async def ended(self, connection, seconds):
        """Waits for the end of the connection, at most for a time."""
        try:
            while await asyncio.wait_for(self.loop.sock_recv(connection, 65536), seconds):
                pass
        except TimeoutError:
            pass

    async def idle(self, _kind, connection, _client):
        await self.ended(connection, 3600)
        await asyncio.sleep(1)

    async def half_header(self, _kind, connection, _client):
        await self.loop.sock_sendall(connection, b"POST /v1/predict HTTP/1.1\r\nHost: loc")
        await self.ended(connection, 3600)
        await asyncio.sleep(1)

    async def by_the_byte(self, kind, connection, data):
        reading = asyncio.ensure_future(self.response(kind, connection))
        try:
            for byte in data:
                await self.loop.sock_sendall(connection, bytes([byte]))
                await asyncio.wait([reading], timeout=0.5)
                if reading.done():
                    break
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await asyncio.sleep(0.5)

    async def header_by_the_byte(self, kind, connection, _client):
        await self.by_the_byte(kind, connection, HEAD % 10)

    async def body_by_the_byte(self, kind, connection, _client):
        await self.loop.sock_sendall(connection, HEAD % len(self.recording))
        await self.by_the_byte(kind, connection, self.recording)

    async def body_without_end(self, kind, connection, _client):
        """As much memory as a body can have, all but one byte of it."""
        await self.loop.sock_sendall(connection, HEAD % self.max_body)
        await self.loop.sock_sendall(connection, bytes(self.max_body - 1))
        await self.response(kind, connection)
        await asyncio.sleep(1)

    async def does_not_read(self, _kind, connection, _client):
        """Asks for more than the buffers of both sockets hold."""
        request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
        await self.loop.sock_sendall(connection, request * 1000)
        await asyncio.sleep(self.random.uniform(5, 60))

    async def reads_slowly(self, kind, connection, _client):
        query = HEAD.replace(b"predict", b"predict?overview=true") % len(self.recording)
        await self.loop.sock_sendall(connection, query + self.recording)
        while True:
            part = await self.loop.sock_recv(connection, SLOW_READ)
            if not part:
                return
            self.counts[kind]["kilobytes"] += 1
            await asyncio.sleep(0.5)

    async def aborted(self, _kind, connection, client):
        await self.loop.sock_sendall(connection, HEAD % len(self.recording))
        await self.loop.sock_sendall(connection, self.recording[: self.random.randrange(1, 200_000)])
        if client % 2:
            # Reset instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await asyncio.sleep(0.2)

    async def vanished(self, _kind, connection, _client):
        await self.loop.sock_sendall(connection, HEAD % len(self.recording) + self.recording[:10_000])
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        await asyncio.sleep(0.5)

    async def bomb(self, kind, connection, _client):
        name, body, headers = self.random.choice(self.bombs)
        lines = b"".join(f"{key}: {value}\r\n".encode() for key, value in headers.items())
        await self.loop.sock_sendall(connection, HEAD[:-2] % len(body) + lines + b"\r\n" + body)
        if response := await self.response(kind, connection):
            self.counts[name][response[0]] += 1
        await asyncio.sleep(0.05)

    async def small(self, kind, connection, client):
        """A share of 10,000 requests per minute; a new connection after some of them."""
        for number in range(100):
            request, expected = SMALL[(number + client) % len(SMALL)]
            await self.loop.sock_sendall(connection, request)
            response = await self.response(kind, connection)
            if not response:
                return
            status, _, left = response
            if status not in expected:
                self.counts[kind]["unexpected"] += 1
            while left > 0 and not request.startswith(b"HEAD"):
                left -= len(await self.loop.sock_recv(connection, left)) or left
            await asyncio.sleep(8 * 60 / 10_000)

    async def lie(self, kind, connection, _client):
        await self.loop.sock_sendall(connection, self.random.choice(LIES))
        try:
            await asyncio.wait_for(self.response(kind, connection), 1)
        except TimeoutError:
            self.counts[kind]["no response"] += 1
        await asyncio.sleep(0.1)
