-- Shapes of TPC-DS: star joins, years against years, ranks, rollups, set operations, shares of a whole.
WITH customer_total_return AS (
  SELECT sr_customer_sk AS ctr_customer_sk, sr_store_sk AS ctr_store_sk, sum(sr_return_amt) AS ctr_total_return
  FROM tpcds.store_returns, tpcds.date_dim WHERE sr_returned_date_sk = d_date_sk AND d_year = 2000
  GROUP BY sr_customer_sk, sr_store_sk)
SELECT c_customer_id FROM customer_total_return ctr1, tpcds.store, tpcds.customer
WHERE ctr1.ctr_total_return > (SELECT avg(ctr_total_return) * 1.2 FROM customer_total_return ctr2
    WHERE ctr1.ctr_store_sk = ctr2.ctr_store_sk)
  AND s_store_sk = ctr1.ctr_store_sk AND s_state = 'TN' AND ctr1.ctr_customer_sk = c_customer_sk
ORDER BY c_customer_id LIMIT 100;
WITH wscs AS (SELECT sold_date_sk, sales_price FROM (
    SELECT ws_sold_date_sk AS sold_date_sk, ws_ext_sales_price AS sales_price FROM tpcds.web_sales
    UNION ALL SELECT cs_sold_date_sk, cs_ext_sales_price FROM tpcds.catalog_sales)),
  wswscs AS (SELECT d_week_seq, sum(CASE WHEN d_day_name = 'Sunday' THEN sales_price END) AS sun_sales,
      sum(CASE WHEN d_day_name = 'Monday' THEN sales_price END) AS mon_sales
    FROM wscs, tpcds.date_dim WHERE d_date_sk = sold_date_sk GROUP BY d_week_seq)
SELECT d_week_seq1, round(sun_sales1 / sun_sales2, 2), round(mon_sales1 / mon_sales2, 2) FROM
  (SELECT wswscs.d_week_seq AS d_week_seq1, sun_sales AS sun_sales1, mon_sales AS mon_sales1
   FROM wswscs, tpcds.date_dim WHERE date_dim.d_week_seq = wswscs.d_week_seq AND d_year = 2000) y,
  (SELECT wswscs.d_week_seq AS d_week_seq2, sun_sales AS sun_sales2, mon_sales AS mon_sales2
   FROM wswscs, tpcds.date_dim WHERE date_dim.d_week_seq = wswscs.d_week_seq AND d_year = 2001) z
WHERE d_week_seq1 = d_week_seq2 - 53 ORDER BY d_week_seq1;
SELECT dt.d_year, item.i_brand_id AS brand_id, item.i_brand AS brand, sum(ss_ext_sales_price) AS sum_agg
FROM tpcds.date_dim dt, tpcds.store_sales, tpcds.item
WHERE dt.d_date_sk = store_sales.ss_sold_date_sk AND store_sales.ss_item_sk = item.i_item_sk
  AND item.i_manufact_id = 12 AND dt.d_moy = 11
GROUP BY dt.d_year, item.i_brand, item.i_brand_id ORDER BY dt.d_year, sum_agg DESC, brand_id LIMIT 100;
WITH year_total AS (
  SELECT c_customer_id AS customer_id, d_year AS dyear, sum(ss_ext_sales_price) AS year_total, 's' AS sale_type
  FROM tpcds.customer, tpcds.store_sales, tpcds.date_dim
  WHERE c_customer_sk = ss_customer_sk AND ss_sold_date_sk = d_date_sk GROUP BY c_customer_id, d_year
  UNION ALL
  SELECT c_customer_id, d_year, sum(ws_ext_sales_price), 'w' FROM tpcds.customer, tpcds.web_sales, tpcds.date_dim
  WHERE c_customer_sk = ws_customer_sk AND ws_sold_date_sk = d_date_sk GROUP BY c_customer_id, d_year)
SELECT s2.customer_id FROM year_total s1, year_total s2, year_total w1, year_total w2
WHERE s2.customer_id = s1.customer_id AND s1.customer_id = w1.customer_id AND s1.customer_id = w2.customer_id
  AND s1.sale_type = 's' AND w1.sale_type = 'w' AND s2.sale_type = 's' AND w2.sale_type = 'w'
  AND s1.dyear = 2000 AND s2.dyear = 2001 AND w1.dyear = 2000 AND w2.dyear = 2001 AND s1.year_total > 0
  AND CASE WHEN w1.year_total > 0 THEN w2.year_total / w1.year_total END >
    CASE WHEN s1.year_total > 0 THEN s2.year_total / s1.year_total END
ORDER BY s2.customer_id LIMIT 100;
WITH ssr AS (
  SELECT s_store_id, sum(sales_price) AS sales, sum(return_amt) AS returns FROM (
    SELECT ss_store_sk AS store_sk, ss_sold_date_sk AS date_sk, ss_ext_sales_price AS sales_price,
      CAST(0 AS DECIMAL(7, 2)) AS return_amt FROM tpcds.store_sales
    UNION ALL
    SELECT sr_store_sk, sr_returned_date_sk, CAST(0 AS DECIMAL(7, 2)), sr_return_amt FROM tpcds.store_returns) salesreturns,
    tpcds.date_dim, tpcds.store
  WHERE date_sk = d_date_sk AND d_date BETWEEN DATE '2000-08-23' AND DATE '2000-08-23' + INTERVAL 14 DAYS
    AND store_sk = s_store_sk GROUP BY s_store_id)
SELECT s_store_id AS id, sum(sales) AS sales, sum(returns) AS returns FROM ssr
GROUP BY ROLLUP(s_store_id) ORDER BY id LIMIT 100;
SELECT a.ca_state AS state, count(*) AS cnt
FROM tpcds.customer_address a, tpcds.customer c, tpcds.store_sales s, tpcds.date_dim d, tpcds.item i
WHERE a.ca_address_sk = c.c_current_addr_sk AND c.c_customer_sk = s.ss_customer_sk
  AND s.ss_sold_date_sk = d.d_date_sk AND s.ss_item_sk = i.i_item_sk
  AND d.d_month_seq = (SELECT DISTINCT d_month_seq FROM tpcds.date_dim WHERE d_year = 2001 AND d_moy = 1)
  AND i.i_current_price > 1.2 * (SELECT avg(j.i_current_price) FROM tpcds.item j WHERE j.i_category = i.i_category)
GROUP BY a.ca_state HAVING count(*) >= 10 ORDER BY cnt LIMIT 100;
SELECT CASE WHEN (SELECT count(*) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 1 AND 20) > 10
    THEN (SELECT avg(ss_ext_sales_price) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 1 AND 20)
    ELSE (SELECT avg(ss_net_profit) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 1 AND 20) END AS bucket1,
  CASE WHEN (SELECT count(*) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 21 AND 40) > 10
    THEN (SELECT avg(ss_ext_sales_price) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 21 AND 40)
    ELSE (SELECT avg(ss_net_profit) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 21 AND 40) END AS bucket2;
SELECT i_item_id, i_category, sum(ws_ext_sales_price) AS itemrevenue,
  sum(ws_ext_sales_price) * 100 / sum(sum(ws_ext_sales_price)) OVER (PARTITION BY i_category) AS revenueratio
FROM tpcds.web_sales, tpcds.item, tpcds.date_dim
WHERE ws_item_sk = i_item_sk AND i_category IN ('Sports', 'Books', 'Home') AND ws_sold_date_sk = d_date_sk
GROUP BY i_item_id, i_category ORDER BY i_category, i_item_id, itemrevenue, revenueratio LIMIT 100;
WITH cross_items AS (SELECT i_item_sk AS ss_item_sk FROM tpcds.item, (
    SELECT iss.i_brand_id AS brand_id FROM tpcds.store_sales, tpcds.item iss WHERE ss_item_sk = iss.i_item_sk
    INTERSECT SELECT ics.i_brand_id FROM tpcds.catalog_sales, tpcds.item ics WHERE cs_item_sk = ics.i_item_sk
    INTERSECT SELECT iws.i_brand_id FROM tpcds.web_sales, tpcds.item iws WHERE ws_item_sk = iws.i_item_sk)
  WHERE i_brand_id = brand_id)
SELECT i_brand_id, sum(ss_quantity * ss_sales_price) AS sales, count(*) AS number_sales
FROM tpcds.store_sales, tpcds.item
WHERE ss_item_sk IN (SELECT ss_item_sk FROM cross_items) AND ss_item_sk = i_item_sk
GROUP BY i_brand_id WITH ROLLUP ORDER BY 1 LIMIT 100;
SELECT ca_zip, sum(cs_sales_price) FROM tpcds.catalog_sales, tpcds.customer, tpcds.customer_address, tpcds.date_dim
WHERE cs_bill_customer_sk = c_customer_sk AND c_current_addr_sk = ca_address_sk
  AND (substr(ca_zip, 1, 5) IN ('85669', '86197', '88274') OR ca_state IN ('CA', 'WA', 'GA') OR cs_sales_price > 50)
  AND cs_sold_date_sk = d_date_sk AND d_qoy = 2 GROUP BY ca_zip ORDER BY ca_zip LIMIT 100;
SELECT i_item_id, i_category, s_state, count(ss_quantity) AS cnt, avg(ss_quantity) AS av, stddev_samp(ss_quantity) AS sd,
  stddev_samp(ss_quantity) / avg(ss_quantity) AS cov
FROM tpcds.store_sales, tpcds.date_dim, tpcds.store, tpcds.item
WHERE d_date_sk = ss_sold_date_sk AND i_item_sk = ss_item_sk AND s_store_sk = ss_store_sk
GROUP BY i_item_id, i_category, s_state ORDER BY 1, 2, 3 LIMIT 100;
SELECT i_category, i_class, i_brand, s_store_name, d_moy, sum_sales, avg_monthly_sales FROM (
  SELECT i_category, i_class, i_brand, s_store_name, d_moy, sum(ss_sales_price) AS sum_sales,
    avg(sum(ss_sales_price)) OVER (PARTITION BY i_category, i_brand, s_store_name) AS avg_monthly_sales
  FROM tpcds.item, tpcds.store_sales, tpcds.date_dim, tpcds.store
  WHERE ss_item_sk = i_item_sk AND ss_sold_date_sk = d_date_sk AND ss_store_sk = s_store_sk
  GROUP BY i_category, i_class, i_brand, s_store_name, d_moy) tmp1
WHERE CASE WHEN avg_monthly_sales <> 0 THEN abs(sum_sales - avg_monthly_sales) / avg_monthly_sales END > 0.1
ORDER BY sum_sales - avg_monthly_sales, s_store_name LIMIT 100;
SELECT * FROM (SELECT i_category, i_class, i_item_id, d_year, sumsales,
    rank() OVER (PARTITION BY i_category ORDER BY sumsales DESC) AS rk FROM (
    SELECT i_category, i_class, i_item_id, d_year, sum(coalesce(ss_sales_price * ss_quantity, 0)) AS sumsales
    FROM tpcds.store_sales, tpcds.date_dim, tpcds.item
    WHERE ss_sold_date_sk = d_date_sk AND ss_item_sk = i_item_sk
    GROUP BY ROLLUP(i_category, i_class, i_item_id, d_year)) dw1) dw2
WHERE rk <= 100 ORDER BY i_category, i_class, i_item_id, d_year, sumsales, rk LIMIT 100;
SELECT sum(ss_net_profit) AS total_sum, s_state, s_store_name, grouping(s_state) + grouping(s_store_name) AS lochierarchy,
  rank() OVER (PARTITION BY grouping(s_state) + grouping(s_store_name),
    CASE WHEN grouping(s_store_name) = 0 THEN s_state END ORDER BY sum(ss_net_profit) DESC) AS rank_within_parent
FROM tpcds.store_sales, tpcds.date_dim d1, tpcds.store WHERE d1.d_date_sk = ss_sold_date_sk AND s_store_sk = ss_store_sk
GROUP BY ROLLUP(s_state, s_store_name)
ORDER BY lochierarchy DESC, CASE WHEN lochierarchy = 0 THEN s_state END, rank_within_parent LIMIT 100;
SELECT count(*) FROM (
  SELECT DISTINCT c_customer_id, d_date FROM tpcds.store_sales, tpcds.date_dim, tpcds.customer
  WHERE ss_sold_date_sk = d_date_sk AND ss_customer_sk = c_customer_sk
  EXCEPT
  SELECT DISTINCT c_customer_id, d_date FROM tpcds.web_sales, tpcds.date_dim, tpcds.customer
  WHERE ws_sold_date_sk = d_date_sk AND ws_customer_sk = c_customer_sk) cool_cust;
SELECT s_store_name, s_store_id, sum(CASE WHEN d_day_name = 'Sunday' THEN ss_sales_price ELSE NULL END) AS sun_sales,
  sum(CASE WHEN d_day_name = 'Saturday' THEN ss_sales_price ELSE NULL END) AS sat_sales
FROM tpcds.date_dim, tpcds.store_sales, tpcds.store
WHERE d_date_sk = ss_sold_date_sk AND s_store_sk = ss_store_sk AND d_year = 2000
GROUP BY s_store_name, s_store_id ORDER BY s_store_name, s_store_id LIMIT 100;
SELECT asceding.rnk, i1.i_item_id AS best_performing, i2.i_item_id AS worst_performing FROM
  (SELECT * FROM (SELECT item_sk, rank() OVER (ORDER BY rank_col ASC) AS rnk FROM
    (SELECT ss_item_sk AS item_sk, avg(ss_net_profit) AS rank_col FROM tpcds.store_sales GROUP BY ss_item_sk) v1) v11
   WHERE rnk < 11) asceding,
  (SELECT * FROM (SELECT item_sk, rank() OVER (ORDER BY rank_col DESC) AS rnk FROM
    (SELECT ss_item_sk AS item_sk, avg(ss_net_profit) AS rank_col FROM tpcds.store_sales GROUP BY ss_item_sk) v2) v21
   WHERE rnk < 11) descending, tpcds.item i1, tpcds.item i2
WHERE asceding.rnk = descending.rnk AND i1.i_item_sk = asceding.item_sk AND i2.i_item_sk = descending.item_sk
ORDER BY asceding.rnk LIMIT 100;
WITH v1 AS (
  SELECT i_category, i_brand, d_year, d_moy, sum(ss_sales_price) AS sum_sales,
    avg(sum(ss_sales_price)) OVER (PARTITION BY i_category, i_brand, d_year) AS avg_monthly_sales,
    rank() OVER (PARTITION BY i_category, i_brand ORDER BY d_year, d_moy) AS rn
  FROM tpcds.item, tpcds.store_sales, tpcds.date_dim WHERE ss_item_sk = i_item_sk AND ss_sold_date_sk = d_date_sk
  GROUP BY i_category, i_brand, d_year, d_moy),
  v2 AS (SELECT v1.i_category, v1.d_year, v1.d_moy, v1.avg_monthly_sales, v1.sum_sales, v1_lag.sum_sales AS psum,
      v1_lead.sum_sales AS nsum
    FROM v1, v1 v1_lag, v1 v1_lead
    WHERE v1.i_category = v1_lag.i_category AND v1.i_category = v1_lead.i_category AND v1.i_brand = v1_lag.i_brand
      AND v1.i_brand = v1_lead.i_brand AND v1.rn = v1_lag.rn + 1 AND v1.rn = v1_lead.rn - 1)
SELECT * FROM v2 WHERE avg_monthly_sales > 0 ORDER BY sum_sales - avg_monthly_sales, d_moy LIMIT 100;
WITH web_v1 AS (SELECT ws_item_sk AS item_sk, d_date, sum(sum(ws_sales_price)) OVER (PARTITION BY ws_item_sk
      ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cume_sales
    FROM tpcds.web_sales, tpcds.date_dim WHERE ws_sold_date_sk = d_date_sk GROUP BY ws_item_sk, d_date),
  store_v1 AS (SELECT ss_item_sk AS item_sk, d_date, sum(sum(ss_sales_price)) OVER (PARTITION BY ss_item_sk
      ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cume_sales
    FROM tpcds.store_sales, tpcds.date_dim WHERE ss_sold_date_sk = d_date_sk GROUP BY ss_item_sk, d_date)
SELECT * FROM (SELECT item_sk, d_date, web_sales, store_sales,
    max(web_sales) OVER (PARTITION BY item_sk ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS web_cumulative
  FROM (SELECT CASE WHEN web.item_sk IS NOT NULL THEN web.item_sk ELSE store.item_sk END AS item_sk,
      CASE WHEN web.d_date IS NOT NULL THEN web.d_date ELSE store.d_date END AS d_date,
      web.cume_sales AS web_sales, store.cume_sales AS store_sales
    FROM web_v1 web FULL OUTER JOIN store_v1 store ON web.item_sk = store.item_sk AND web.d_date = store.d_date) x) y
WHERE web_cumulative > store_sales ORDER BY item_sk, d_date LIMIT 100;
SELECT channel, col_name, d_year, d_qoy, i_category, count(*) AS sales_cnt, sum(ext_sales_price) AS sales_amt FROM (
  SELECT 'store' AS channel, 'ss_promo_sk' AS col_name, d_year, d_qoy, i_category, ss_ext_sales_price AS ext_sales_price
  FROM tpcds.store_sales, tpcds.item, tpcds.date_dim
  WHERE ss_promo_sk IS NULL AND ss_sold_date_sk = d_date_sk AND ss_item_sk = i_item_sk
  UNION ALL
  SELECT 'web', 'ws_promo_sk', d_year, d_qoy, i_category, ws_ext_sales_price FROM tpcds.web_sales, tpcds.item, tpcds.date_dim
  WHERE ws_promo_sk IS NULL AND ws_sold_date_sk = d_date_sk AND ws_item_sk = i_item_sk) foo
GROUP BY channel, col_name, d_year, d_qoy, i_category ORDER BY channel, col_name, d_year, d_qoy, i_category LIMIT 100;
SELECT sum(CASE WHEN datediff(d2.d_date, d1.d_date) <= 30 THEN 1 ELSE 0 END) AS days_30,
  sum(CASE WHEN datediff(d2.d_date, d1.d_date) > 30 AND datediff(d2.d_date, d1.d_date) <= 60 THEN 1 ELSE 0 END) AS days_60
FROM tpcds.store_sales, tpcds.store_returns, tpcds.date_dim d1, tpcds.date_dim d2
WHERE ss_item_sk = sr_item_sk AND ss_customer_sk = sr_customer_sk AND ss_sold_date_sk = d1.d_date_sk
  AND sr_returned_date_sk = d2.d_date_sk;
SELECT * FROM (SELECT avg(ss_sales_price) AS b1_lp, count(ss_sales_price) AS b1_cnt, count(DISTINCT ss_sales_price) AS b1_cntd
    FROM tpcds.store_sales WHERE ss_quantity BETWEEN 0 AND 5) b1,
  (SELECT avg(ss_sales_price) AS b2_lp, count(ss_sales_price) AS b2_cnt, count(DISTINCT ss_sales_price) AS b2_cntd
    FROM tpcds.store_sales WHERE ss_quantity BETWEEN 6 AND 10) b2 LIMIT 100;
SELECT count(DISTINCT c_customer_sk), a.ca_state FROM tpcds.customer c JOIN tpcds.customer_address a
    ON c.c_current_addr_sk = a.ca_address_sk
WHERE EXISTS (SELECT * FROM tpcds.store_sales WHERE c.c_customer_sk = ss_customer_sk)
  AND (EXISTS (SELECT * FROM tpcds.web_sales WHERE c.c_customer_sk = ws_customer_sk)
    OR EXISTS (SELECT * FROM tpcds.catalog_sales WHERE c.c_customer_sk = cs_bill_customer_sk))
GROUP BY a.ca_state ORDER BY a.ca_state;
