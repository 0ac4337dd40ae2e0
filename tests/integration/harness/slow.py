"""Queries that run for minutes unless they are ended, one for each way Spark can be busy."""

# source -> name -> SQL; the file sources read 200 000 integers.
SPARK_QUERIES = {
    # one long stage of generated code
    "scan_loop": "SELECT sum(hash(a.n, x.x)) AS h FROM parquet_data a"
                 " LATERAL VIEW explode(sequence(1, 100000)) x AS x",
    # a broadcast side, then a nested loop over it
    "nested_loop_join": "SELECT count(*) AS c FROM parquet_data a JOIN parquet_data b"
                        " ON a.n * b.n % 1000003 = 7",
    # map side of a shuffle
    "shuffle": "SELECT count(*) AS c FROM (SELECT DISTINCT a.n % 100000 AS k, x.x"
               " FROM parquet_data a LATERAL VIEW explode(sequence(1, 100000)) x AS x)",
    # rows without end: the result itself is what takes long
    "many_rows": "SELECT a.n, x.x FROM parquet_data a"
                 " LATERAL VIEW explode(sequence(1, 100000)) x AS x WHERE a.n + x.x < 0",
}
MYSQL_SLEEP = "SELECT SLEEP(600) AS s"


def slow_query(world, name="scan_loop"):
    """Source and fields of a slow query."""
    if name.startswith("mysql_sleep"):
        return "mysql", {"sql": MYSQL_SLEEP, "config": world.config(world.mysql),
                         "engine": name.rpartition("_")[2]}
    return "parquet", {"sql": SPARK_QUERIES[name], "path": f"{world.data}/parquet/numbers"}


SLOW_NAMES = [*SPARK_QUERIES, "mysql_sleep_direct", "mysql_sleep_spark"]


def twenty():
    """Twenty turns over all of them."""
    return [SLOW_NAMES[turn % len(SLOW_NAMES)] for turn in range(20)]
