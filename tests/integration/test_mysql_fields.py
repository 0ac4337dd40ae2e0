"""What callers write into `config` reaches no connection unless it is a host that is allowed."""

import json

import hostile_mysql
from harness.rogue_mysql import RogueMySql

FIELDS = 2000
ENGINES = ("auto", "direct", "spark")


def test_hostile_fields(service, world):
    seen = {}
    with RogueMySql(world.rogue_port) as server, service.connect() as connection:
        good = world.config(server)
        assert service.query("mysql", "SELECT a FROM t", config=good).status == 200
        server.begin({})
        for number, config in enumerate(hostile_mysql.configs(good, FIELDS)):
            body = {"sql": "SELECT 1", "config": config, "engine": ENGINES[number % len(ENGINES)]}
            reply = connection.request("POST", "/api/spark/query/mysql", json.dumps(body).encode())
            assert reply.status in (400, 403), (config, reply)
            seen[reply.status] = seen.get(reply.status, 0) + 1
        assert server.received == []  # nobody came
    assert sum(seen.values()) == FIELDS and len(seen) == 2, seen
