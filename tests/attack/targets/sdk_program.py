"""The gateway of a released SDK as a program. Runs inside the SDK's own environment; targets/sdk.py is the other end.

Its one argument is JSON: port, devices {id: psk} in hex, handshake_timeout, session_timeout, and for SDKs that
have it, connections_per_ip. TCP and UDP are served on the same port. Standard output has a line of JSON for each
event, with the names of usmpd's backend socket; standard input takes `send` and `list`. The log goes to standard error.
"""

import asyncio
import base64
import inspect
import json
import logging
import sys
from typing import Any

import usmp


def emit(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def adapt_asyncio() -> None:
    """On Python 3.11 SDKs before 1.2.2 ask the loop's UDP transport for a class that it does not have."""
    transport = asyncio.selector_events._SelectorDatagramTransport
    if not issubclass(transport, asyncio.DatagramTransport):
        asyncio.DatagramTransport = transport


class Gateway:
    def __init__(self, port: int, devices: dict[str, str], connections: int, **timeouts: float) -> None:
        self.sessions: dict[str, Any] = {}
        self.servers = []
        options: dict[str, Any] = dict(timeouts)
        known = inspect.signature(usmp.USMPServer).parameters
        if "max_connections_per_ip" in known:
            options |= {"max_connections": 100000, "max_connections_per_ip": connections}
        keys = {bytes.fromhex(id): bytes.fromhex(key) for id, key in devices.items()}
        for transport in ("tcp", "udp"):
            server = usmp.USMPServer("127.0.0.1", port, keys, protocol=transport, **options)
            server.on_session(self.handle)
            self.servers.append(server)

    async def handle(self, session: Any) -> None:
        id = session._info.device_id.hex(":")
        about = {"device": id, "session": session._info.session_id.hex()}
        self.sessions[id] = session
        emit(type="connected", **about)
        reason = "peer"
        try:
            while True:
                emit(type="message", base64=base64.b64encode(await session.recv()).decode(), **about)
        except Exception as end:
            reason = str(end)
            raise
        finally:
            if self.sessions.get(id) is session:
                del self.sessions[id]
            emit(type="disconnected", detail=reason, **about)

    async def carry_out(self, op: str, ref: str, device: str = "", **fields: str) -> None:
        if op == "list":
            emit(type="listed", ref=ref, sessions=list(self.sessions))
            return
        session = self.sessions.get(device)
        if session is None:
            emit(type="error", ref=ref, code="not_connected")
            return
        try:
            await session.send(base64.b64decode(fields["base64"]))
            emit(type="sent", ref=ref)
        except Exception as failure:
            emit(type="error", ref=ref, code="unconfirmed", message=str(failure))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        tasks = {loop.create_task(server.serve()) for server in self.servers}
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            task = loop.create_task(self.carry_out(**json.loads(line)))
            tasks.add(task)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    adapt_asyncio()
    try:
        asyncio.run(Gateway(**json.loads(sys.argv[1])).run())
    except KeyboardInterrupt:
        pass
