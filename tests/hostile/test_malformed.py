"""Ten thousand malformed requests under AddressSanitizer: the same process, one defined answer or a
close for each within a second, nothing kept. LONG=1: a hundred thousand."""

import asyncio
import collections
import os

import malformed
import peer
from harness.paths import wait_until

REFUSED = 100_000 if os.environ.get("LONG") else 10_000
SECONDS = 1.0
RSS_BYTES = 16 * 1024 * 1024


def test_each_is_answered_once_or_closed(start_fake):
    service = start_fake()
    # The first ones make buffers that stay: what counts is that it ends there.
    warm_up = malformed.requests(service.root, 3000)
    asyncio.run(peer.ask_all(service.port, warm_up, SECONDS))
    pid, descriptors, resident = service.pid, service.descriptor_count(), service.resident_bytes()
    # Some changes do no harm: twice as many give enough that are refused.
    cases = malformed.requests(service.root, REFUSED * 2)
    results = asyncio.run(peer.ask_all(service.port, cases, SECONDS))
    failures = [f"{result.failure}: {result.data[:200]!r}" for result in results if result.failure]
    assert not failures, f"{len(failures)} of {len(results)}:\n" + "\n".join(failures[:20])
    refused = [result for result in results if not result.statuses or result.statuses[-1] >= 400]
    statuses = collections.Counter(status for result in results for status in result.statuses or ["close"])
    slowest = max(result.seconds for result in results)
    grown = service.resident_bytes() - resident
    print(f"{len(results)} requests, {len(refused)} refused, slowest {slowest * 1000:.0f} ms, "
          f"RSS {grown / 1024:+.0f} KiB, {dict(sorted(statuses.items(), key=str))}")
    assert len(refused) >= REFUSED
    assert grown <= RSS_BYTES
    assert service.alive() and service.pid == pid
    wait_until(lambda: service.descriptor_count() <= descriptors, 5, "no more descriptors than before")
    health = service.health()
    assert (health["slots"]["busy"], health["slots"]["lost"]) == (0, 0)
    assert service.status_of("/livez") == 200
