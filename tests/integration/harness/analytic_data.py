"""Small tables with the columns of TPC-H and TPC-DS that tests/corpora/sql asks for, as Iceberg tables."""

# name: (rows, {column: expression over `id`})
_TABLES = {
    "tpch.region": (5, {
        "r_regionkey": "id", "r_name": "elt(CAST(id + 1 AS INT), 'AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST')"}),
    "tpch.nation": (25, {
        "n_nationkey": "id", "n_regionkey": "id % 5",
        "n_name": "elt(CAST(id % 8 + 1 AS INT), 'FRANCE', 'GERMANY', 'BRAZIL', 'CANADA', 'SAUDI ARABIA', 'CHINA', 'INDIA', 'KENYA')"}),
    "tpch.supplier": (20, {
        "s_suppkey": "id", "s_name": "concat('Supplier#', id)", "s_address": "concat('street ', id)",
        "s_nationkey": "id % 25", "s_phone": "concat(10 + id % 25, '-555')",
        "s_acctbal": "CAST(id * 10.5 AS DECIMAL(15, 2))", "s_comment": "if(id % 7 = 0, 'Customer x Complaints', 'fine')"}),
    "tpch.customer": (50, {
        "c_custkey": "id", "c_name": "concat('Customer#', id)", "c_address": "concat('road ', id)",
        "c_nationkey": "id % 25", "c_phone": "concat(10 + id % 25, '-555')",
        "c_acctbal": "CAST(id * 3.5 - 20 AS DECIMAL(15, 2))",
        "c_mktsegment": "elt(CAST(id % 3 + 1 AS INT), 'BUILDING', 'AUTOMOBILE', 'MACHINERY')", "c_comment": "'none'"}),
    "tpch.part": (40, {
        "p_partkey": "id", "p_name": "elt(CAST(id % 3 + 1 AS INT), 'forest green', 'navy', 'light green')",
        "p_mfgr": "concat('Manufacturer#', id % 5)", "p_brand": "concat('Brand#', 11 + id % 15)",
        "p_type": "elt(CAST(id % 3 + 1 AS INT), 'PROMO BRASS', 'ECONOMY ANODIZED STEEL', 'MEDIUM POLISHED TIN')",
        "p_size": "CAST(id % 50 AS INT)", "p_container": "elt(CAST(id % 3 + 1 AS INT), 'MED BOX', 'SM CASE', 'LG CASE')"}),
    "tpch.partsupp": (80, {
        "ps_partkey": "id % 40", "ps_suppkey": "id % 20", "ps_availqty": "CAST(id * 3 AS INT)",
        "ps_supplycost": "CAST(id * 1.25 AS DECIMAL(15, 2))"}),
    "tpch.orders": (150, {
        "o_orderkey": "id", "o_custkey": "id % 45", "o_orderstatus": "elt(CAST(id % 3 + 1 AS INT), 'F', 'O', 'P')",
        "o_totalprice": "CAST(id * 100.1 AS DECIMAL(15, 2))",
        "o_orderdate": "date_add(DATE '1993-01-01', CAST(id * 13 AS INT))",
        "o_orderpriority": "elt(CAST(id % 3 + 1 AS INT), '1-URGENT', '2-HIGH', '5-LOW')", "o_shippriority": "0",
        "o_comment": "if(id % 9 = 0, 'special asked requests', 'none')"}),
    "tpch.lineitem": (600, {
        "l_orderkey": "id % 150", "l_partkey": "id % 40", "l_suppkey": "id % 20",
        "l_quantity": "CAST(id % 50 AS DECIMAL(15, 2))", "l_extendedprice": "CAST(id * 7.5 AS DECIMAL(15, 2))",
        "l_discount": "CAST(id % 10 / 100.0 AS DECIMAL(15, 2))", "l_tax": "CAST(0.05 AS DECIMAL(15, 2))",
        "l_returnflag": "elt(CAST(id % 3 + 1 AS INT), 'R', 'A', 'N')", "l_linestatus": "elt(CAST(id % 2 + 1 AS INT), 'O', 'F')",
        "l_shipdate": "date_add(DATE '1993-01-10', CAST(id * 3 AS INT))",
        "l_commitdate": "date_add(DATE '1993-01-12', CAST(id * 3 AS INT))",
        "l_receiptdate": "date_add(DATE '1993-01-11', CAST(id * 3 + id % 4 AS INT))",
        "l_shipmode": "elt(CAST(id % 4 + 1 AS INT), 'MAIL', 'SHIP', 'AIR', 'RAIL')"}),
    "tpcds.date_dim": (800, {
        "d_date_sk": "id", "d_date": "date_add(DATE '2000-01-01', CAST(id AS INT))",
        "d_year": "2000 + CAST(id DIV 366 AS INT)", "d_moy": "CAST(id DIV 31 % 12 + 1 AS INT)",
        "d_qoy": "CAST(id DIV 92 % 4 + 1 AS INT)", "d_week_seq": "CAST(id DIV 7 AS INT)",
        "d_month_seq": "CAST(if(id DIV 366 = 1, 12, id DIV 31) AS INT)",
        "d_day_name": "elt(CAST(id % 7 + 1 AS INT), 'Saturday', 'Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday')"}),
    "tpcds.store": (6, {
        "s_store_sk": "id", "s_store_id": "concat('S', id)", "s_store_name": "concat('store ', id)",
        "s_state": "elt(CAST(id % 2 + 1 AS INT), 'TN', 'CA')"}),
    "tpcds.item": (30, {
        "i_item_sk": "id", "i_item_id": "concat('I', id)", "i_brand_id": "CAST(id % 7 AS INT)",
        "i_brand": "concat('brand ', id % 7)", "i_class": "concat('class ', id % 4)",
        "i_category": "elt(CAST(id % 3 + 1 AS INT), 'Sports', 'Books', 'Home')", "i_manufact_id": "CAST(id AS INT)",
        "i_current_price": "CAST(id * 1.1 AS DECIMAL(7, 2))"}),
    "tpcds.customer": (40, {
        "c_customer_sk": "id", "c_customer_id": "concat('C', id)", "c_current_addr_sk": "id % 20"}),
    "tpcds.customer_address": (20, {
        "ca_address_sk": "id", "ca_state": "elt(CAST(id % 3 + 1 AS INT), 'CA', 'WA', 'NY')", "ca_zip": "concat(85660 + id, '-1')"}),
    "tpcds.store_sales": (500, {
        "ss_sold_date_sk": "id % 790", "ss_item_sk": "id % 30", "ss_customer_sk": "id % 40",
        "ss_store_sk": "id % 6", "ss_promo_sk": "if(id % 5 = 0, NULL, id % 5)",
        "ss_quantity": "CAST(id % 45 AS INT)", "ss_sales_price": "CAST(id % 90 + 0.5 AS DECIMAL(7, 2))",
        "ss_ext_sales_price": "CAST(id * 2.5 AS DECIMAL(7, 2))", "ss_net_profit": "CAST(id - 100 AS DECIMAL(7, 2))"}),
    "tpcds.store_returns": (100, {
        "sr_returned_date_sk": "id % 790 + 9", "sr_item_sk": "id % 30", "sr_customer_sk": "id % 40",
        "sr_store_sk": "id % 6", "sr_return_amt": "CAST(id * 1.5 AS DECIMAL(7, 2))"}),
    "tpcds.web_sales": (200, {
        "ws_sold_date_sk": "id * 3", "ws_item_sk": "id % 30", "ws_customer_sk": "id % 40",
        "ws_promo_sk": "if(id % 5 = 0, NULL, id % 5)", "ws_sales_price": "CAST(id % 90 + 0.5 AS DECIMAL(7, 2))",
        "ws_ext_sales_price": "CAST(id * 2.5 AS DECIMAL(7, 2))"}),
    "tpcds.catalog_sales": (200, {
        "cs_sold_date_sk": "id * 3", "cs_item_sk": "id % 30", "cs_bill_customer_sk": "id % 40",
        "cs_sales_price": "CAST(id % 90 + 0.5 AS DECIMAL(7, 2))",
        "cs_ext_sales_price": "CAST(id * 2.5 AS DECIMAL(7, 2))"}),
}


def create_statements():
    yield "CREATE NAMESPACE IF NOT EXISTS local.tpch"
    yield "CREATE NAMESPACE IF NOT EXISTS local.tpcds"
    for name, (rows, columns) in _TABLES.items():
        select = ", ".join(f"{expression} AS {column}" for column, expression in columns.items())
        yield (f"CREATE TABLE local.{name} USING iceberg AS SELECT {select}"
               f" FROM range(0, {rows}, 1, 1)")


def drop_statements():
    for name in _TABLES:
        yield f"DROP TABLE IF EXISTS local.{name} PURGE"
    yield "DROP NAMESPACE local.tpch"
    yield "DROP NAMESPACE local.tpcds"
