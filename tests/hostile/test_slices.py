"""However a request's bytes are cut on their way, the answer is the same. LONG=1: a thousand
requests with twenty cuts each."""

import asyncio
import os
import random

import malformed
import peer

REQUESTS = 1000 if os.environ.get("LONG") else 100
CUTS = 20 if os.environ.get("LONG") else 10
SECONDS = 10.0
PAUSE_SECONDS = 0.001


def cut(dice, data):
    """Two to six pieces, or each of the first bytes alone."""
    if dice.randrange(8) == 0:
        return [data[at:at + 1] for at in range(min(40, len(data)))] + [data[40:]]
    places = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(1, 6)))
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


async def compare(port, data, dice, gate):
    async def answers(pieces):
        received = await peer.talk(port, [piece for piece in pieces if piece], SECONDS, PAUSE_SECONDS)
        return [answer.comparable() for answer in peer.parse_answers(received, b"HEAD " in data)]

    async with gate:
        whole = await answers([data])
        for _ in range(CUTS):
            pieces = cut(dice, data)
            sliced = await answers(pieces)
            assert sliced == whole, f"{whole} became {sliced}: {pieces}"


def test_any_cut_gives_the_same_answer(start_fake):
    service = start_fake()
    dice = random.Random(malformed.SEED)
    # What tells of the moment can't be the same twice; what is as long as that only takes time.
    cases = [data for data in malformed.requests(service.root, REQUESTS * 8)
             if b"/metrics" not in data and b"health" not in data and b"/queries" not in data
             and 20 < len(data) < 4000]

    async def compare_all():
        gate = asyncio.Semaphore(32)
        await asyncio.gather(*(compare(service.port, data, random.Random(dice.random()), gate)
                               for data in dice.sample(cases, REQUESTS)))

    asyncio.run(compare_all())
