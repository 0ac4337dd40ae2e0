"""One client on a socket of its own, by asyncio: sends bytes, in pieces or at once, and reads all
that comes until the server closes."""

import asyncio
import dataclasses
import json
import re
import socket
import time

# Members of an answer that differ each time, however a request is sent.
VOLATILE = re.compile(rb'"(query_id|elapsed_ms|uptime_ms|canary_age_ms|generation)":\s*("[^"]*"|[-\d.]+|null)')


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict  # names in lower case
    body: bytes

    def comparable(self):
        return self.status, VOLATILE.sub(rb"", self.body)


class NotAnAnswer(AssertionError):
    pass


async def talk(port, pieces, seconds, pause=0.0):
    """Everything the server says to these bytes. Behind the last one our side is shut, so that a
    whole request ends in a close too. Raises TimeoutError."""
    async def conversation():
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(client, ("127.0.0.1", port))
            try:
                for number, piece in enumerate(pieces):
                    if number and pause:
                        await asyncio.sleep(pause)
                    await loop.sock_sendall(client, piece)
                client.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass  # refused before all was sent: the answer is there all the same
            received = bytearray()
            try:
                while data := await loop.sock_recv(client, 65536):
                    received += data
            except ConnectionResetError:
                pass
            return bytes(received)

    return await asyncio.wait_for(conversation(), seconds)


def parse_answers(received, asked_head=False):
    """The answers in `received`, interim ones left out; NotAnAnswer unless they are whole, the last
    one too unless it is a stream that was broken off."""
    answers = []
    while received:
        head, mark, received = received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        if not mark or not re.fullmatch(rb"HTTP/1\.1 \d{3} [ -~]+", lines[0]):
            raise NotAnAnswer(f"not an answer: {head[:300]!r}")
        status = int(lines[0][9:12])
        fields = {name.decode().lower(): value.strip().decode("latin-1")
                  for name, _, value in (line.partition(b":") for line in lines[1:])}
        if status == 100:
            continue
        if asked_head and (not received or received.startswith(b"HTTP/1.1 ")):
            body = b""
        elif "content-length" in fields:
            length = int(fields["content-length"])
            if len(received) < length:
                raise NotAnAnswer(f"a body of {len(received)} of {length} bytes: {head!r}")
            body, received = received[:length], received[length:]
        elif fields.get("transfer-encoding") == "chunked":
            body, received = take_chunks(received)
        elif status in (204, 304):
            body = b""
        else:
            body, received = received, b""  # until close: HTTP/1.0
        answers.append(Answer(status, fields, body))
    return answers


def take_chunks(received):
    body = b""
    while True:
        line, mark, rest = received.partition(b"\r\n")
        if not mark:
            return body, b""  # broken off
        size = int(line.split(b";")[0], 16)
        if len(rest) < size + 2:
            return body + rest[:size], b""
        if size == 0:
            trailers, _, rest = (b"\r\n" + rest).partition(b"\r\n\r\n")
            return body, rest
        body += rest[:size]
        received = rest[size + 2:]


# What a client can bring about; 503 and 504 only when the service is busy or a query too slow.
STATUSES = {200, 202, 400, 403, 404, 405, 406, 408, 409, 410, 413, 414, 415, 417, 422, 431, 501, 503,
            504, 505}


def check_answers(data, received):
    """The answers to one client's bytes: whole, of defined status, problems as problems, and never
    more than there were requests. Gives their statuses."""
    answers = parse_answers(received, asked_head=b"HEAD " in data)
    limit = data.count(b"\r\n\r\n") + 1  # each takes an empty line, a refusal the bytes behind it
    if len(answers) > limit:
        raise NotAnAnswer(f"{len(answers)} answers to {limit} requests: {received[:400]!r}")
    if any(answer.fields.get("connection") == "close" for answer in answers[:-1]):
        raise NotAnAnswer(f"more behind the last answer: {received[:400]!r}")
    for answer in answers:
        if answer.status not in STATUSES:
            raise NotAnAnswer(f"status {answer.status}: {answer.body[:300]!r}")
        if answer.status >= 400 and answer.body:
            if answer.fields.get("content-type") != "application/problem+json":
                raise NotAnAnswer(f"an error that is no problem: {answer}")
            if json.loads(answer.body)["status"] != answer.status:
                raise NotAnAnswer(f"two statuses: {answer}")
    return [answer.status for answer in answers]


class Result:
    def __init__(self, data, statuses, seconds, failure=None):
        self.data, self.statuses, self.seconds, self.failure = data, statuses, seconds, failure


async def ask_one(port, data, seconds):
    began = time.monotonic()
    try:
        received = await talk(port, [data], seconds)
        return Result(data, check_answers(data, received), time.monotonic() - began)
    except TimeoutError:
        return Result(data, [], seconds, f"not over within {seconds} s")
    except (NotAnAnswer, ValueError) as failure:
        return Result(data, [], time.monotonic() - began, str(failure))


async def ask_all(port, cases, seconds, parallel=32):
    """One Result for each case; a late one is asked once more, alone, as the machine may have been
    busy."""
    gate = asyncio.Semaphore(parallel)

    async def ask(data):
        async with gate:
            return await ask_one(port, data, seconds)

    results = await asyncio.gather(*(ask(data) for data in cases))
    for at, result in enumerate(results):
        if result.failure and result.failure.startswith("not over"):
            results[at] = await ask_one(port, result.data, seconds)
    return results
