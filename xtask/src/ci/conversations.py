"""The example `conversations`, by Python's `websockets`: `conversations.py URL PROCESS [AUTHORITY]`, its URL ws:// or wss://.

What is not as it should be ends it with a word about it. At the end the server is told to stop, and says so to those who still converse.
"""

import asyncio
import os
import random
import signal
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

PATIENCE = 30  # seconds, for any step of it
LARGE = 5_000_000
MANY = 200
TIMES = 20


def expect(seen, wanted, what):
    if seen != wanted:
        sys.exit(f"error: {what}: {str(seen)[:200]!r}, not {str(wanted)[:200]!r}")


class Server:
    def __init__(self, url, authority):
        self.url = url
        self.options = {"max_size": 2 * LARGE, "open_timeout": PATIENCE, "proxy": None}
        if authority:
            self.options["ssl"] = ssl.create_default_context(cafile=authority)

    def connect(self, path, **options):
        return connect(self.url + path, **{"compression": None, **self.options, **options})


async def echoes(socket, what):
    generator = random.Random(7)
    texts = ["", "a", "héllo, wörld", "\U0001f426" * 1000, "line\n" * 30_000]
    blobs = [b"", bytes(range(256)), generator.randbytes(65_535), generator.randbytes(65_536), generator.randbytes(LARGE), bytes(LARGE)]
    for message in texts + blobs:
        await socket.send(message)
        expect(await socket.recv(), message, f"{what}, a message of {len(message)}")
    for piece in texts:  # none waits for the one before
        await socket.send(piece)
    expect([await socket.recv() for _ in texts], texts, f"{what}, messages at once")


async def messages(server):
    async with server.connect("/echo") as socket:
        expect(socket.protocol.extensions, [], "extensions that nobody asked for")
        await echoes(socket, "plain")
        await socket.send(["frag", "", "men", "ted"])
        expect(await socket.recv(), "fragmented", "a text of fragments")
        await socket.send([b"\0" * 1000] * 1000)
        expect(await socket.recv(), bytes(1_000_000), "bytes of fragments")
        pong = await socket.ping(b"are you there?")
        expect(await pong > 0, True, "a Pong")
        # A Ping between the fragments of a message.
        async def pieces():
            yield "be"
            await (await socket.ping())
            yield "fore"
        await socket.send(pieces())
        expect(await socket.recv(), "before", "a message with a Ping in it")


async def compression(server):
    deflate = ClientPerMessageDeflateFactory
    offers = [
        ("/alone", {"compression": "deflate"}),
        ("/takeover", {"compression": "deflate"}),
        ("/takeover", {"extensions": [deflate(server_no_context_takeover=True)]}),
        ("/takeover", {"extensions": [deflate(client_no_context_takeover=True)]}),
        ("/takeover", {"extensions": [deflate(server_max_window_bits=9, client_max_window_bits=9)]}),
        ("/takeover", {"extensions": [deflate(server_max_window_bits=12, client_max_window_bits=True)]}),
        ("/alone", {"extensions": [deflate(server_max_window_bits=10, client_max_window_bits=15)]}),
    ]
    for path, offer in offers:
        async with server.connect(path, **offer) as socket:
            expect([one.name for one in socket.protocol.extensions], ["permessage-deflate"], f"{path} with {offer}")
            await echoes(socket, f"{path} with {offer}")


async def protocols(server):
    for asked, agreed in [(["v1.echo"], "v1.echo"), (["v1.echo", "v2.echo"], "v1.echo"), (["none", "v2.echo"], "v2.echo"), (["none"], None)]:
        async with server.connect("/echo", subprotocols=asked) as socket:
            expect(socket.subprotocol, agreed, f"the sub-protocol of {asked}")


async def closes(server):
    for code, reason in [(1000, ""), (1000, "done"), (1001, "away"), (3000, "é" * 61), (4999, "own")]:
        async with server.connect("/echo") as socket:
            await socket.close(code, reason)
            expect((socket.close_code, socket.protocol.close_rcvd.code), (code, code), f"closing with {code}")
    for code in [1000, 1001, 1008, 1011, 1013, 3999, 4000]:
        async with server.connect(f"/close/{code}") as socket:
            try:
                expect(await socket.recv(), None, "a message")
            except ConnectionClosed as closed:
                expect((closed.rcvd.code, closed.rcvd.reason), (code, "as was asked"), "the server's Close")
    async with server.connect("/echo", max_size=1000) as socket:  # it is the client for whom it is too much
        await socket.send("a" * 2000)
        try:
            expect(await socket.recv(), None, "a message that is too big")
        except ConnectionClosed as closed:
            expect(closed.sent.code, 1009, "what the client says of it")


async def refusals(server):
    origin = server.url.replace("ws", "http", 1)
    async with server.connect("/echo", origin=origin):
        pass
    for path, options, status in [("/echo", {"origin": "https://evil.test"}, 403), ("/none", {}, 404), ("/", {}, 200)]:
        try:
            async with server.connect(path, **options):
                sys.exit(f"error: {path} with {options} is agreed to")
        except InvalidStatus as refused:
            expect(refused.response.status_code, status, f"{path} with {options}")


async def many(server):
    async def one(number):
        async with server.connect("/takeover" if number % 4 == 0 else "/echo", compression="deflate") as socket:
            for time in range(TIMES):
                message = f"{number} says {time}" * (1 + number * time % 50)
                await socket.send(message)
                expect(await socket.recv(), message, f"client {number} of many")
    async with asyncio.TaskGroup() as group:
        for number in range(MANY):
            group.create_task(one(number))


async def goodbye(server, process):
    async with server.connect("/echo") as first, server.connect("/takeover", compression="deflate") as second:
        os.kill(process, signal.SIGTERM)
        for socket in (first, second):
            try:
                expect(await socket.recv(), None, "a message")
            except ConnectionClosed as closed:
                expect(closed.rcvd and closed.rcvd.code, 1001, "what a server says that ends")


async def main(url, process, authority=None):
    server = Server(url, authority)
    for step in (messages, compression, protocols, closes, refusals, many):
        async with asyncio.timeout(PATIENCE):
            await step(server)
    async with asyncio.timeout(PATIENCE):
        await goodbye(server, int(process))
    print(f"{MANY} at once")


asyncio.run(main(*sys.argv[1:]))
