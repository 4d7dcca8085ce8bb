"""Recomputes workload R with DuckDB from its files, and prints the time, the memory and the checksums.

Usage: duck.py FOLDER THREADS. The files are those that `peers --write FOLDER` makes; loading them is not
measured, as an engine's listener is not. Every answer is computed anew from all rows.
"""

import resource
import sys
import time

import duckdb

TABLES = {
    "said": "rows.csv",
    "accounts": "accounts.csv",
    "aliases": "aliases.csv",
    "skus": "skus.csv",
    "families": "families.csv",
    "lines": "lines.csv",
}

STEPS = [
    # Of rows that came twice one stands; what was taken back does not.
    """create temp table uses as
    select account, product, month, "user", device, quantity from (
        select id, revision, month, alias, sku, "user", device, quantity from said
        group by all having sum(times) > 0
    ) join aliases using (alias) join skus using (sku)""",
    """create temp table ways as
    with recursive up(account, node) as (
        select account, account from accounts
        union all
        select up.account, accounts.parent from up join accounts on accounts.account = up.node
        where accounts.parent is not null
    ) select account, node from up""",
    """create temp table used as
    select account, product, month, sum(quantity)::bigint as v from uses group by all""",
    """create temp table at_nodes as
    select node as account, unnest([product, family]) as product, month, "user", device, quantity
    from uses join ways using (account) join families using (product)""",
    """create temp table totals as
    select account, product, month, sum(quantity)::bigint as v, count(distinct "user") as users,
        count(distinct device) as devices from at_nodes group by all""",
    """create temp table short as
    select account, product, month, v - enough as v from totals join (
        select account, product, month, sum(quantity)::bigint as enough from lines group by all
    ) using (account, product, month) where v > enough""",
]

ANSWERS = [
    ("used", "used", "v"),
    ("totals", "totals", "v"),
    ("users", "totals", "users"),
    ("devices", "totals", "devices"),
    ("short", "short", "v"),
]


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    folder, threads = sys.argv[1], int(sys.argv[2])
    database = duckdb.connect()
    database.execute(f"set threads = {threads}")
    for table, file in TABLES.items():
        database.execute(f"create table {table} as select * from read_csv('{folder}/{file}')")
    began, ran = time.monotonic(), processor_seconds()
    for step in STEPS:
        database.execute(step)
    took, ran = time.monotonic() - began, processor_seconds() - ran
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"version {duckdb.__version__}")
    print(f"measured {took * 1e6:.0f} {ran * 1e6:.0f} {peak}")
    for name, table, value in ANSWERS:
        weight = "(account::bigint * 31 + product * 7 + month * 3) % 1009"
        sums = f"count(*), sum({value}), sum({value} * ({weight}))"
        row = database.execute(f"select {sums} from {table}").fetchone()
        print("answer", name, *(int(one or 0) for one in row))


main()
