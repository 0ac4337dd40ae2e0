"""Spark Connect's Python client: statements from stdin, each timed here (peers/lines.py).

    client.py sc://127.0.0.1:PORT
"""

import json
import sys
import time

from pyspark.sql.connect.session import SparkSession

session = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
print("ready", flush=True)
for line in sys.stdin:
    command, _, sql = line.rstrip("\n").partition(" ")
    begin = time.perf_counter_ns()
    rows = session.sql(sql).collect()
    spent = time.perf_counter_ns() - begin
    print(json.dumps([row.asDict() for row in rows]) if command == "rows" else spent, flush=True)
