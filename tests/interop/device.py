"""Devices made of a released USMP SDK, steered by JSON lines. Runs inside the SDK's own environment.

One process holds any number of devices, each under a name of the caller's choice. Standard input takes
calls, one object a line: {"call": 7, "op": "send", "device": "a", "data": "00ff"}; `Device` has one method
for each op. Standard output gives each call's {"call": 7, "result": ...} or {"call": 7, "error": {...}}, and
events: {"device": "a", "event": ..., ...}:

  message   data: a message the SDK handed out, hex
  opened    type, seq: a frame that opened under the session's key (PONG and BYE are seen here only)
  repeated  type, seq: the SDK sent the same datagram again (UDP)
  paused    the SDK's writes no longer fit into the socket (TCP)
  ended     error: why the SDK gave up the session

The SDK is used through its public client; what that does not offer is added around it, never inside: the
event loop below chooses the local address and shows the transport, and `decrypt` is watched.
"""

import asyncio
import contextvars
import json
import socket
import struct
import sys
from typing import Any

import usmp
import usmp._session as sdk_session
from usmp.types import PacketType

current_device: contextvars.ContextVar["Device"] = contextvars.ContextVar("current_device")


def emit(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def describe(error: BaseException) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException)]
    return {"kind": kinds[0], "kinds": kinds, "message": str(error)}


def type_name(number: int) -> str:
    try:
        return PacketType(number).name
    except ValueError:
        return f"0x{number:02x}"


def watch_opened_frames() -> None:
    """Every SDK opens every session frame with this function, so what returns from it is authentic."""
    original = sdk_session.decrypt

    def decrypt(**arguments: Any) -> bytes:
        plaintext = original(**arguments)
        current_device.get().event("opened", type=type_name(arguments["type_"]), seq=arguments["seq"])
        return plaintext

    sdk_session.decrypt = decrypt


class DeviceLoop(asyncio.SelectorEventLoop):
    """Binds what a device opens to the device's own address, and lets the device see it."""

    async def create_connection(self, factory: Any, *args: Any, **kwargs: Any) -> Any:
        device = current_device.get()
        transport, protocol = await super().create_connection(
            factory, *args, **kwargs, local_addr=device.source
        )
        device.watch_stream(transport, protocol)
        return transport, protocol

    async def create_datagram_endpoint(self, factory: Any, *args: Any, **kwargs: Any) -> Any:
        device = current_device.get()
        transport, protocol = await super().create_datagram_endpoint(
            factory, *args, **kwargs, local_addr=device.source
        )
        device.watch_datagrams(transport)
        return transport, protocol


class Device:
    def __init__(self, name: str) -> None:
        self.name = name
        self.source: tuple[str, int] | None = None
        self.client: Any = None
        self.transport: Any = None
        self.receiver: asyncio.Task[None] | None = None
        # SDKs up to 1.0.0 do not guard one send against another.
        self.sending = asyncio.Lock()

    def event(self, event: str, **fields: Any) -> None:
        emit(device=self.name, event=event, **fields)

    def watch_stream(self, transport: Any, protocol: Any) -> None:
        self.transport = transport
        # A microcontroller's buffer: a gateway that stops reading is felt after few messages.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        original = protocol.pause_writing

        def pause_writing() -> None:
            self.event("paused")
            original()

        protocol.pause_writing = pause_writing

    def watch_datagrams(self, transport: Any) -> None:
        self.transport = transport
        original = transport.sendto
        last = b""

        def sendto(data: bytes, address: Any = None) -> None:
            nonlocal last
            if data[:2] != b"\xac\xac":
                if data == last:
                    self.event("repeated", type=type_name(data[3]), seq=struct.unpack_from("<I", data, 4)[0])
                last = bytes(data)
            original(data, address)

        transport.sendto = sendto

    async def connect(
        self, host: str, port: int, transport: str, psk: str, id: str,
        source: list[Any], timeout: float, first_message: str | None = None,
    ) -> dict[str, Any]:
        current_device.set(self)
        self.source = tuple(source)
        options = {} if usmp.__version__.startswith("0.4.") else {"protocol": transport}
        self.client = usmp.USMPClient(host, port, bytes.fromhex(psk), bytes.fromhex(id), **options)
        try:
            # SDKs up to 1.0.0 wait for ever; later ones for 10 s by themselves.
            await asyncio.wait_for(self.client.connect(), timeout)
            if first_message is not None:
                await self.client.send(bytes.fromhex(first_message))
        except BaseException:
            # SDKs up to 1.0.0 leave the socket open when the handshake fails.
            if self.transport is not None:
                self.transport.abort()
            raise
        self.receiver = asyncio.get_running_loop().create_task(self.receive())
        address = self.transport.get_extra_info("sockname")
        return {"session": self.client.session_id, "local": list(address[:2])}

    async def receive(self) -> None:
        try:
            while True:
                self.event("message", data=(await self.client.recv()).hex())
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.event("ended", error=describe(error))
            self.transport.close()

    async def send(self, data: str) -> None:
        async with self.sending:
            await self.client.send(bytes.fromhex(data))

    async def send_all(self, data: list[str]) -> None:
        for message in data:
            await self.send(message)

    async def ping(self) -> None:
        async with self.sending:
            await self.client.ping()

    async def rekey(self) -> None:
        async with self.sending:
            await self.client._session.rekey()

    async def use_chacha20(self) -> None:
        """The only way an application has: nothing in the SDK's public interface chooses the suite."""
        self.client._session._info.cipher_suite = usmp.types.CipherSuite.CHACHA20_POLY1305

    async def bye(self) -> None:
        async with self.sending:
            await self.client.disconnect()

    async def abort(self, reset: bool = False) -> None:
        """Goes away without BYE: TCP with a FIN or a reset, UDP without a word."""
        if self.receiver is not None:
            self.receiver.cancel()
        if self.transport is None:
            return
        if reset:
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await asyncio.sleep(0)  # the loop closes the socket in its next turn


class Driver:
    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.calls: set[asyncio.Task[None]] = set()

    async def perform(self, call: int, op: str, device: str, **arguments: Any) -> None:
        target = self.devices.get(device)
        if target is None:
            target = self.devices[device] = Device(device)
        if op == "abort":
            del self.devices[device]  # a later connect under this name is another device
        try:
            emit(call=call, result=await getattr(target, op)(**arguments))
        except Exception as error:
            emit(call=call, error=describe(error))

    async def serve(self) -> None:
        reader = asyncio.StreamReader(limit=1 << 26)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        emit(event="ready", version=usmp.__version__)
        while line := await reader.readline():
            task = loop.create_task(self.perform(**json.loads(line)))
            self.calls.add(task)
            task.add_done_callback(self.calls.discard)


def adapt_asyncio() -> None:
    """On Python 3.11 SDKs before 1.2.2 ask the loop's UDP transport for a class that it does not have."""
    datagram_transport = asyncio.selector_events._SelectorDatagramTransport
    if not issubclass(datagram_transport, asyncio.DatagramTransport):
        asyncio.DatagramTransport = datagram_transport


def main() -> None:
    adapt_asyncio()
    watch_opened_frames()
    asyncio.set_event_loop(loop := DeviceLoop())
    loop.run_until_complete(Driver().serve())


if __name__ == "__main__":
    main()
