"""The SDK's own gateway, to try device.py on. Runs inside an SDK's environment; see test_driver.py.

Arguments: transport, port, PSK in hex. Echoes every message; the message `bye` ends the session.
Its log goes to standard output; "Listening" there says that it is up. It ends with its standard input.
"""

import asyncio
import logging
import sys

import usmp
import usmp._server
from device import adapt_asyncio


async def main() -> None:
    transport, port, psk = sys.argv[1:]
    options = {} if usmp.__version__.startswith("0.4.") else {"protocol": transport}
    server = usmp.USMPServer("127.0.0.1", int(port), bytes.fromhex(psk), **options)

    @server.on_session
    async def echo(session: usmp.USMPSession) -> None:
        while (message := await session.recv()) != b"bye":
            await session.send(message)
        await session.bye()

    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(sys.stdin.read)
    serving.cancel()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    adapt_asyncio()
    asyncio.run(main())
