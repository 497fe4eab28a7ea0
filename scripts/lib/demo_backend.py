"""The backend of scripts/demo: demo_backend.py SOCKET DEVICE...

Prints every line from usmpd and every command it gives, as they are, and answers each message with a `send`. When
usmpd closes the connection it sums up; exit status 0 if each DEVICE had a message and got an answer.
"""

import json
import socket
import sys


def answer_to(event: dict) -> dict:
    text = f"got {event.get('text', 'bytes')}"
    return {"op": "send", "device": event["device"], "text": text, "ref": f"answer-{event['id']}"}


def converse(connection: socket.socket, heard: dict, answered: dict) -> None:
    awaiting = {}
    with connection.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            print(line, end="", flush=True)
            event = json.loads(line)
            if event["type"] == "message" and event["device"] in heard:
                heard[event["device"]] += 1
                command = answer_to(event)
                awaiting[command["ref"]] = event["device"]
                text = json.dumps(command, separators=(",", ":"))
                print(text, flush=True)
                connection.sendall(text.encode() + b"\n")
            elif event["type"] == "sent" and event.get("ref") in awaiting:
                answered[awaiting.pop(event["ref"])] += 1


def main() -> int:
    path, devices = sys.argv[1], sys.argv[2:]
    heard = dict.fromkeys(devices, 0)
    answered = dict.fromkeys(devices, 0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(path)
        try:
            converse(connection, heard, answered)
        except ConnectionError:
            pass  # usmpd stops while an answer is on its way, or nobody reads our output any more
    for device in devices:
        print(f"backend: {device}: {heard[device]} messages, {answered[device]} answers sent", file=sys.stderr)
    return 0 if all(heard.values()) and all(answered.values()) else 1


sys.exit(main())
