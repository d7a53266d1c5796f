# The report of a run in a real browser: no console error, and what the ledger says is to be seen.
# A script of its own: without Chromium it is skipped as a whole.
import json
import re

import browser
import support
from browser import DESKTOP, PHONE
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

CHARTS = ("front-chart", "reduction-chart", "exit-chart", "loss-chart", "train-accuracy-chart")


class RunReport(browser.Browser):
    def test_report_of_a_whole_run_shows_every_stage_and_chart(self):
        config = self.write("tiny.toml", HEAD + STUDENT + CHANNEL + QAT + CONFIDENCE)
        rows = run_json("run", config, "--output", self.path("out"))["rows"]
        page = self.open_page("out/report.html")
        for row in rows:
            self.assertIn(f">{row['stage']}<", self.table(page, "ledger-table"))
        self.assertIn(">finished<", page)
        self.assertIn("rule set", page)
        self.assertRegex(page, r'id="sentence"[^>]*>student, then channel, then qat, then confidence made')
        self.assertIn("32 → 4", self.table(page, "layer-table"))
        self.assertIn("stem.conv", self.table(page, "layer-table"))
        steps = self.table(page, "step-table")
        self.assertEqual(len(re.findall("<tr", steps)), 1 + 4)  # the baseline is no step
        self.assertIn(f">{rows[2]['bitops'] / rows[3]['bitops']:.2f}×<", steps)
        self.assertIn("topress run config.toml", page)
        self.assertIn("[technique.student]", page)
        for width in (DESKTOP, PHONE):
            self.assert_fits("out/report.html", width, CHARTS)
        run("report", self.path("out"), self.path("out"), "--comparison", self.path("both.html"))
        self.assertIn("ends as the most accurate and the cheapest", self.open_page("both.html"))
        self.assert_fits("both.html", DESKTOP, ("path-chart",))
        self.recalibrated_and_contradicted()

    def recalibrated_and_contradicted(self):
        """What only some runs have, put into the documents of this one."""
        with open(self.path("out/ledger.json"), encoding="utf-8") as file:
            ledger = json.load(file)
        ledger["rows"][3]["recalibrated"] = ["confidence"]
        self.write("out/ledger.json", json.dumps(ledger))
        with open(self.path("out/plan.json"), encoding="utf-8") as file:
            plan = json.load(file)
        plan["contradicted_rules"] = [{"rule": plan["edges"][0], "measured": {
            "before": "qat", "after": "student", "difference": 0.0123, "interval": [0.01, 0.015], "measured_on": "made-up data"}}]
        plan["violated"] = plan["edges"][:1]
        self.write("out/plan.json", json.dumps(plan))
        run("report", self.path("out"))
        page = self.open_page("out/report.html")
        self.assertIn("The thresholds of confidence were chosen again after qat.", page)
        self.assertIn("qat before student gained +1.23 pp [+1.00, +1.50] on made-up data", page)
        self.assertIn("The order goes against “" + plan["edges"][0]["before"], page)

    def test_report_of_a_failed_run_says_so(self):
        config = self.write("fails.toml", HEAD.replace('path = "data"', 'path = "<b>none</b>"'))
        run("run", config, "--output", self.path("failed"), status=1)
        page = self.open_page("failed/report.html")
        self.assertIn(">failed<", page)
        self.assertIn("data/not-found", page)
        self.assertNotIn('id="ledger-table"', page)


if __name__ == "__main__":
    browser.main()
