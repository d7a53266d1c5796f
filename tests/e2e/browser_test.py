# The report in a real browser: no console error, and what the ledger says is to be seen.
# A script of its own: without Chromium it is skipped as a whole.
import re
import shutil
import subprocess
import sys

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

BROWSER = shutil.which("chromium")
PHONE, DESKTOP = (390, 844), (1280, 900)
CHARTS = ("front-chart", "reduction-chart", "exit-chart", "loss-chart", "train-accuracy-chart")


class Browser(support.Workplace):
    def open_page(self, file, size=DESKTOP):
        """The page as the browser has it after all scripts ran."""
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             f"--user-data-dir={self.path('browser')}", "--virtual-time-budget=4000",
             f"--window-size={size[0]},{size[1]}", "--dump-dom", "file://" + self.path(file)],
            capture_output=True, text=True, timeout=100, check=False)
        self.assertNotIn("CONSOLE", done.stderr)
        return done.stdout

    def width_of(self, page, canvas):
        return int(re.search(rf'<canvas id="{canvas}"[^>]*width="(\d+)"', page).group(1))

    def test_report_of_a_whole_run_shows_every_stage_and_chart(self):
        config = self.write("tiny.toml", HEAD + STUDENT + CHANNEL + QAT + CONFIDENCE)
        rows = run_json("run", config, "--output", self.path("out"))["rows"]
        page = self.open_page("out/report.html")
        table = re.search(r'<table id="ledger-table">(.*?)</table>', page, re.S).group(1)
        for row in rows:
            self.assertIn(f">{row['stage']}<", table)
        self.assertIn(">finished<", page)
        self.assertIn("rule set", page)
        for chart in CHARTS:
            self.assertGreater(self.width_of(page, chart), 300)
        self.assertRegex(page, r'id="sentence"[^>]*>student, then channel, then qat, then confidence made')
        layers = re.search(r'<table id="layer-table">(.*?)</table>', page, re.S).group(1)
        self.assertIn("32 → 4", layers)
        self.assertIn("stem.conv", layers)
        small = self.open_page("out/report.html", PHONE)
        for chart in CHARTS:  # charts fit: no wider than the screen
            self.assertLessEqual(self.width_of(small, chart), 500)
        run("report", self.path("out"), self.path("out"), "--comparison", self.path("both.html"))
        both = self.open_page("both.html")
        self.assertGreater(self.width_of(both, "path-chart"), 300)
        self.assertIn("ends as the most accurate and the cheapest", both)

    def test_report_of_a_failed_run_says_so(self):
        config = self.write("fails.toml", HEAD.replace('path = "data"', 'path = "<b>none</b>"'))
        run("run", config, "--output", self.path("failed"), status=1)
        page = self.open_page("failed/report.html")
        self.assertIn(">failed<", page)
        self.assertIn("data/not-found", page)
        self.assertNotIn('id="ledger-table"', page)


if __name__ == "__main__":
    if BROWSER is None:
        print("[SKIP] no chromium")
        sys.exit(0)
    support.main()
