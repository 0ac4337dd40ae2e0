"""POSTs argument 2 to argument 1; says "complete BYTES", or "failed" and why."""

import sys

import requests

try:
    reply = requests.post(sys.argv[1], data=sys.argv[2].encode(), timeout=60,
                          headers={"Content-Type": "application/json"})
    print("complete", len(reply.content))
except requests.exceptions.RequestException as error:
    print("failed", error)
