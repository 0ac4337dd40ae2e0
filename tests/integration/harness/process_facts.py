"""What one process holds: descriptors, threads, scratch files. Linux /proc."""

import collections
import os
import pathlib
import re
import subprocess

# Files that the JVM opens when it first needs a class and keeps for life.
CODE_FILE = re.compile(r"\.(jar|so|jsa|so\.\d.*)$|/lib/modules$|^/dev/u?random$|^/dev/null$")
BLOCK_FOLDER = re.compile(r"/blockmgr-[^/]*/")

# Pools whose size follows the work of the last minute, each with the most
# threads it may have: Spark's and the JVM's own sizing, not a query's remains.
ELASTIC_POOLS = {
    r"^Executor task": 64,       # task threads of local[N], idle ones end after 60 s
    r"^task-result-get": 4,      # spark.resultGetter.threads
    r"^broadcast-exch": 128,     # broadcast builds, idle ones end after 60 s
    r"^shuffle-exch": 128,       # spark.sql.shuffleExchange.maxThreadThreshold
    r"^subquery": 16,
    r"^QueryStageCreat": 16,     # AQE, idle ones end after 60 s
    r"^ResultQueryStag": 128,    # ditto; spark.sql.resultQueryStage.maxThreadThreshold
    r"^block-manager": 200,
    r"^map-output-": 8,
    r"^(netty-rpc|rpc-server|rpc-client)": 24,
    r"^dispatcher": 16,
    r"^files-client": 16,
    r"^(G1|GC|VM|C1|C2|Parallel|ParGC|Signal|Sweeper|Service|Monitor|Notifi|Common|Attach)": 64,
    r"^ForkJoinPool": 16,
    r"^Thread-": 16,
    r"^process reaper": 2,
    r"^(delta-|delta)": 32,
    r"^iceberg-": 32,
    r"^mysql-cj-aband": 1,
    r"^(SparkUI|qtp|spark-ui|Scheduler)": 256,
}


def listening_addresses(port):
    """Addresses on which somebody listens on this port, as the kernel writes them in hex."""
    lines = [line.split() for name in ("tcp", "tcp6")
             for line in pathlib.Path("/proc/net", name).read_text().splitlines()[1:]]
    return {local.partition(":")[0] for _, local, _, state, *_ in lines
            if state == "0A" and local.endswith(f":{port:04X}")}


def descriptors(pid):
    """How many of each kind are open: socket, eventfd, data file ... Code and blocks left out."""
    kinds = collections.Counter()
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        try:
            target = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        if not CODE_FILE.search(target) and not BLOCK_FOLDER.search(target):
            kinds[re.sub(r":\[.*", "", target)] += 1
    return kinds


def threads(pid):
    """How many of each name there are, digits cut; elastic pools left out within their bound."""
    names = collections.Counter()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            comm = (task / "comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        names[re.sub(r"\d+", "N", comm)] += 1
    pools = collections.Counter()
    for name in list(names):
        for pattern in ELASTIC_POOLS:
            if re.match(pattern, name):
                pools[pattern] += names.pop(name)
                break
    for pattern, count in pools.items():
        if count > ELASTIC_POOLS[pattern]:
            names[f"pool {pattern}"] = count
    return names


def children_ever(pid):
    """Running children, and page faults of those that ended: more than before when one ran."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    running = [child for file in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
               for child in file.read_text().split()]
    return running, fields[8], fields[10]


def files_below(folder):
    """Regular files below a folder, Spark's blocks left out."""
    return {path for path in pathlib.Path(folder).rglob("*")
            if path.is_file() and not BLOCK_FOLDER.search(str(path))}


def shuffles(pid, folder):
    """Shuffles of which a file is left or open: freed when a GC finds their query's plan gone."""
    names = [path.name for path in pathlib.Path(folder).rglob("blockmgr-*/*/*")]
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.append(os.path.basename(os.readlink(link)))
        except FileNotFoundError:
            continue
    return {match[0] for match in (re.match(r"shuffle_\d+", name) for name in names) if match}


def collect_garbage(pid):
    subprocess.run(["jcmd", str(pid), "GC.run"], check=True, capture_output=True, timeout=60)


def heap_used_bytes(pid):
    """What a garbage collection leaves, counted within its pause: a busy JVM makes hundreds of MB
    of garbage between two commands."""
    done = subprocess.run(["jcmd", str(pid), "GC.class_histogram"], check=True,
                          capture_output=True, text=True, timeout=60)
    return int(re.search(r"^Total +\d+ +(\d+)", done.stdout, re.M)[1])


def resident_bytes(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def more_than(now, before):
    """Entries of Counter `now` that exceed `before`."""
    return {key: (before.get(key, 0), count) for key, count in now.items()
            if count > before.get(key, 0)}
