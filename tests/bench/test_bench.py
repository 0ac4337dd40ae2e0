"""What of the bench needs no peer: figures, bounds, report and chart."""

import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bounds  # noqa: E402
import chart  # noqa: E402
import figures  # noqa: E402
import questions  # noqa: E402
import report  # noqa: E402


def results(measured, **more):
    return {"date": "today", "machine": {"cores": 2, "memory_gib": 4}, "versions": {"Spark": "x"},
            "commit": "c", "command": "make bench", "turns": 3, "minutes": 1, "method": ["so"],
            "cases": [bound.case for bound in bounds.BOUNDS], "peers_left_out": [], "failed": {},
            "measured": measured} | more


class Figures(unittest.TestCase):
    def test_percentile_is_nearest_rank(self):
        values = list(range(100, 0, -1))
        self.assertEqual([figures.percentile(values, share) for share in (0.5, 0.95, 0.99, 1)],
                         [50, 95, 99, 100])
        self.assertEqual(figures.percentile([7], 0.99), 7)
        self.assertEqual(figures.percentile([1, 2], 0.5), 1)

    def test_turns_become_medians_and_sums(self):
        turns = [figures.turn(figures.Run(2.0, [1_000_000 * n] * 4, errors=1)) for n in (3, 1, 2)]
        of_turns = figures.of_turns(turns)
        self.assertEqual((of_turns["p50_ms"], of_turns["per_second"]), (2, 2))
        self.assertEqual((of_turns["requests"], of_turns["errors"]), (12, 3))

    def test_digest_sees_rows_not_their_order_or_number_type(self):
        rows = [{"id": 1, "score": 1.5, "active": True}, {"id": 2, "score": 2.0, "active": False}]
        same = [{"id": 2, "score": 2, "active": 0}, {"id": 1.0, "score": 1.5, "active": 1}]
        self.assertEqual(figures.digest(rows), figures.digest(same))
        for other in (rows[:1], rows + rows[:1], [rows[0], rows[1] | {"id": 3}],
                      [rows[0], {"score": 2.0, "id": 2, "active": False}]):
            self.assertNotEqual(figures.digest(rows), figures.digest(other))


class Questions(unittest.TestCase):
    def test_new_literals_are_new(self):
        texts = {questions.new_ten_rows("parquet").select for _ in range(5000)}
        self.assertEqual(len(texts), 5000)

    def test_each_peer_gets_its_table(self):
        dialect = questions.Dialect("/d")
        for kind, table in (("parquet", "parquet.`/d/parquet/small`"),
                            ("delta", "delta.`/d/delta/small`"), ("iceberg", "local.bench.small")):
            self.assertIn(f" FROM {table} ", dialect.spark_sql(questions.ten_rows(kind)))
        self.assertIn(b'"cache": "off"', dialect.service_request(questions.ten_rows("delta")))


class Bounds(unittest.TestCase):
    def judged(self, measured, case):
        return {(verdict.bound.measurement, verdict.bound.theirs): verdict
                for verdict in bounds.judge(measured) if verdict.bound.case == case}

    def test_met_at_the_limit_and_missed_beyond(self):
        for ours, is_met in ((0.4, True), (0.401, False)):
            verdict, = self.judged({"same-parquet": {"service": {"p50_ms": ours},
                                                     "loop": {"p50_ms": 1.0}}}, "same").values()
            self.assertEqual(verdict.is_met, is_met)
        for ours, is_met in ((8.0, True), (7.9, False)):
            verdict, = self.judged({"clients16": {"service": {"per_second": ours},
                                                  "flask": {"per_second": 1.0}}},
                                   "clients16").values()
            self.assertEqual(verdict.is_met, is_met)

    def test_the_mysql_bound_adds_an_empty_answer(self):
        measured = {"mysql": {"service": {"p50_ms": 0.26}, "mysql": {"p50_ms": 0.15}},
                    "mysql-livez": {"livez": {"p50_ms": 0.05}}}
        verdict, = self.judged(measured, "mysql").values()
        self.assertAlmostEqual(verdict.value, 1.3)

    def test_what_was_not_measured_is_not_judged(self):
        self.assertEqual(bounds.judge({"same-parquet": {"service": {"p50_ms": 1.0}}}), [])

    def test_no_memory_beside_some_is_met_and_some_beside_none_missed(self):
        def value(ours, theirs):
            return next(verdict for verdict in bounds.judge(
                {"million": {"service": {"extra_mib": ours}, "flask": {"extra_mib": theirs}}}))
        self.assertTrue(value(0, 10).is_met)
        self.assertFalse(value(10, 0).is_met)


class Report(unittest.TestCase):
    measured = {"same-parquet": {"service": {"p50_ms": 9.0, "requests": 30, "errors": 0},
                                 "loop": {"p50_ms": 10.0, "requests": 30, "errors": 0}}}

    def test_a_missed_bound_is_told(self):
        text = report.markdown(results(self.measured))
        self.assertIn("0 of 1 bounds met", text)
        self.assertIn("| 0.9× | ≤ 0.4× | **missed** |", text)

    def test_a_part_is_called_a_part(self):
        self.assertIn("A part only", report.markdown(results(self.measured, cases=["same"])))
        self.assertIn("peers left out: loop",
                      report.markdown(results(self.measured, peers_left_out=["loop"])))
        self.assertIn("failed: hit (no answer)", report.markdown(
            results(self.measured, failed={"hit": "no answer\nits log"})))
        self.assertNotIn("A part only", report.markdown(results(self.measured)))

    def test_every_bound_can_be_written(self):
        measured = {}
        for bound in bounds.BOUNDS:
            for series in (bound.ours, *bound.theirs):
                where = series if isinstance(series, tuple) else (bound.measurement, series)
                figures_of = measured.setdefault(where[0], {}).setdefault(where[1], {})
                figures_of[bound.figure] = 1.0
        text = report.markdown(results(measured))
        self.assertIn(f"of {len(bounds.BOUNDS)} bounds met", text)


class Chart(unittest.TestCase):
    def test_longer_times_are_longer_bars(self):
        text = chart.svg(results({"same-parquet": {"service": {"p50_ms": 4.0},
                                                   "loop": {"p50_ms": 60.0}}}))
        tree = xml.etree.ElementTree.fromstring(text)
        service, loop = (float(bar.get("width"))
                         for bar in tree.iter("{http://www.w3.org/2000/svg}rect"))
        self.assertLess(service, loop)

    def test_nothing_measured_is_still_a_picture(self):
        xml.etree.ElementTree.fromstring(chart.svg(results({})))


if __name__ == "__main__":
    unittest.main()
