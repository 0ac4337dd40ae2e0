"""Queries that run for minutes unless they are ended, one for each way Spark can be busy."""

# source -> name -> SQL; the file sources read 200 000 integers.
SPARK_QUERIES = {
    # one long stage of generated code
    "scan_loop": "SELECT sum(hash(a.n, x.x)) AS h FROM parquet_data a"
                 " LATERAL VIEW explode(sequence(1, 100000)) x AS x",
    # a broadcast side, then a nested loop over it
    "nested_loop_join": "SELECT count(*) AS c FROM parquet_data a JOIN parquet_data b"
                        " ON a.n * b.n % 1000003 = 7",
    # a broadcast side that is never done
    "broadcast_build": "SELECT count(*) AS c FROM parquet_data a LEFT JOIN"
                       " (SELECT b.n FROM parquet_data b LATERAL VIEW explode(sequence(1, 100000))"
                       " x AS x WHERE b.n + x.x < 0) s ON a.n > s.n",
    # map side of a shuffle
    "shuffle": "SELECT count(*) AS c FROM (SELECT DISTINCT a.n % 100000 AS k, x.x"
               " FROM parquet_data a LATERAL VIEW explode(sequence(1, 100000)) x AS x)",
    # rows without end: the result itself is what takes long
    "many_rows": "SELECT a.n, x.x FROM parquet_data a"
                 " LATERAL VIEW explode(sequence(1, 100000)) x AS x WHERE a.n + x.x < 0",
}
MYSQL_SLEEP = "SELECT SLEEP(600) AS s"
# A billion rows.
MYSQL_ROWS = "SELECT a.id, b.name FROM users a, users b, users c"
# No rows are read for a minute: so many joins are analysed and ordered first.
PLANNING = "SELECT count(*) AS c FROM parquet_data t0 " + " ".join(
    f"JOIN parquet_data t{i} ON t{i}.n = t{i - 1}.n" for i in range(1, 200))
ROWS_WITHOUT_END = ("SELECT a.n, x.x FROM parquet_data a"
                    " LATERAL VIEW explode(sequence(1, 100000)) x AS x")


def slow_query(world, name="scan_loop"):
    """Source and fields of a slow query."""
    if name.startswith("mysql_sleep"):
        return "mysql", {"sql": MYSQL_SLEEP, "config": world.config(world.mysql),
                         "engine": name.rpartition("_")[2]}
    if name == "jdbc_stream":
        return "mysql", {"sql": MYSQL_ROWS, "config": world.config(world.mysql, "samples"),
                         "engine": "spark"}
    sql = {"planning": PLANNING, "stopped_reader": ROWS_WITHOUT_END}.get(name)
    return "parquet", {"sql": sql or SPARK_QUERIES[name], "path": f"{world.data}/parquet/numbers"}


# Their answers have begun when they are under way.
STREAMING = ("jdbc_stream", "stopped_reader")
SLOW_NAMES = [*SPARK_QUERIES, "mysql_sleep_direct", "mysql_sleep_spark"]


def twenty():
    """Twenty turns over all of them."""
    return [SLOW_NAMES[turn % len(SLOW_NAMES)] for turn in range(20)]
