# The report of an exploration in a real browser, from made-up numbers: whole, interrupted, one seed, just begun.
# A script of its own: without Chromium it is skipped as a whole.
import json
import os
import re

import browser
import exploration_fixture
from browser import DESKTOP, PHONE
from support import run_json

CHARTS = ("order-chart", "front-chart")


class ExplorationReport(browser.Browser):
    def report(self, name, document):
        os.makedirs(self.path(name))
        self.write(f"{name}/explore.json", json.dumps(document))
        self.assertEqual(run_json("report", self.path(name))["kind"], "exploration")
        return self.open_page(f"{name}/report.html")

    def rows(self, page, name):
        """The texts of the cells of a table's body, in order of rows."""
        body = re.search(r"<tbody>(.*)</tbody>", self.table(page, name), re.S).group(1)
        return [re.findall(r"<td[^>]*>([^<]*)</td>", line) for line in body.split("</tr>") if "<td" in line]

    def test_everything_of_a_finished_exploration_is_shown(self):
        document = exploration_fixture.whole()
        page = self.report("whole", document)
        decided = document["tournament"]["decided"]
        self.assertIn(f"The data put {', then '.join(document['tournament']['order'])}; {decided} of 6 pairs are decided; "
                      f"of 24 whole orders {' → '.join(document['orders'][0]['order'])} is best", page)
        tied = sum(order["difference_high"] >= 0 for order in document["orders"])
        self.assertIn(f"among the {tied} that cannot be told from the best", page)
        orders = self.rows(page, "order-table")
        self.assertEqual([cells[1] for cells in orders], [" → ".join(order["order"]) for order in document["orders"]])
        self.assertEqual(sum(cells[6] == "▼ worse" for cells in orders), 24 - tied)
        self.assertEqual(orders[5][2], f"{100 * document['orders'][5]['score']:.2f} %")
        matrix = self.table(page, "matrix")
        for sign, number in (("▲", decided), ("▼", decided), ("○", 2 * (6 - decided))):  # each pair twice
            self.assertEqual(matrix.count(f"<b>{sign} "), number)
        self.assertEqual(len(self.rows(page, "pair-table")), 6)
        self.assertEqual(len(self.rows(page, "insertion-table")), 12)
        self.assertEqual(len(self.rows(page, "precedence-table")), 6)
        self.assertEqual(len(self.rows(page, "run-table")), len(document["branches"]))
        self.assertEqual(len(re.findall(r'class="edge (?:un)?decided"', page)), 6)
        self.assertIn("64 stage runs a round instead of 120", page)
        self.assertIn("topress explore made-up.toml --pairs --insertions --permutations", page)
        self.assertIn("# made-up &lt;/script&gt;", page)
        self.assertNotIn('id="failures"', page)

    def test_pages_fit_desktop_and_phone_in_light_and_dark(self):
        self.report("fits", exploration_fixture.whole())
        grounds = {self.assert_fits("fits/report.html", width, CHARTS, dark)["background"]
                   for width, dark in ((DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True))}
        self.assertEqual(len(grounds), 2)

    def test_an_interrupted_exploration_says_what_is_missing_and_what_failed(self):
        document = exploration_fixture.interrupted()
        page = self.report("interrupted", document)
        self.assertIn("Interrupted; so far: the data put", page)
        self.assertIn("they contradict each other in a circle", page)
        self.assertIn("student → channel → qat → student; no order can follow them all", page)
        self.assertEqual(page.count('class="edge violated"'), 1)
        matrix = self.table(page, "matrix")
        self.assertEqual(matrix.count("✕ cannot execute"), 2)
        self.assertEqual(matrix.count("no figure yet"), 2)
        failed = {tuple(branch["order"]) for branch in document["branches"] if branch["state"] == "failed"}
        self.assertEqual({cells[0] for cells in self.rows(page, "failure-table")}, {" → ".join(order) for order in failed})
        self.assertIn("a made-up failure of &lt;b&gt;this&lt;/b&gt; order", page)
        self.assertEqual(self.rows(page, "rule-table")[0][0], "student before qat")
        self.assertNotIn('id="orders"', page)
        for width in (DESKTOP, PHONE):
            self.assert_fits("interrupted/report.html", width, ("front-chart",))

    def test_one_seed_decides_nothing_and_orders_without_a_score_come_last(self):
        page = self.report("one", exploration_fixture.one_seed())
        self.assertIn("Of 22 whole orders", page)
        self.assertIn("(one seed: nothing is decided)", page)
        orders = self.rows(page, "order-table")
        self.assertEqual([cells[6] for cells in orders[-3:]], ["one seed", "✕ cannot execute", "✕ cannot execute"])
        self.assertNotIn('id="pairs"', page)
        self.assert_fits("one/report.html", PHONE, CHARTS)

    def test_an_exploration_that_has_just_begun_has_a_page(self):
        page = self.report("begun", exploration_fixture.empty())
        self.assertIn("So far: nothing can be compared yet: 0 of 1 runs are finished.", page)
        self.assert_fits("begun/report.html", PHONE, ())

    def test_only_what_is_of_one_kind_is_compared(self):
        for name in ("first", "second"):
            self.report(name, exploration_fixture.empty())
        both = run_json("report", self.path("first"), self.path("second"))
        self.assertEqual(both["reports"], [self.path("first/report.html"), self.path("second/report.html")])
        self.assertNotIn("comparison", both)
        os.makedirs(self.path("run"))
        self.write("run/ledger.json", json.dumps({"rows": []}))
        os.remove(self.path("first/report.html"))
        for arguments in (("first", "run"), ("run", "first")):
            refused = run_json("report", *map(self.path, arguments), status=1)
            self.assertEqual(refused["diagnostics"][0]["code"], "report/cannot-compare")
        refused = run_json("report", self.path("first"), "--comparison", self.path("page.html"), status=1)
        self.assertEqual(refused["diagnostics"][0]["code"], "report/cannot-compare")
        self.assertFalse(os.path.exists(self.path("first/report.html")))

    def test_a_file_that_is_no_exploration_is_refused(self):
        os.makedirs(self.path("broken"))
        for text in ("[1, 2", "[]", '{"kind": "run"}', "{}"):
            self.write("broken/explore.json", text)
            refused = run_json("report", self.path("broken"), status=1)
            self.assertEqual(refused["diagnostics"][0]["code"], "report/no-exploration")


if __name__ == "__main__":
    browser.main()
