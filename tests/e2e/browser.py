# Pages in headless Chromium: the document after all scripts ran, and how it fits a screen.
import html
import json
import re
import shutil
import subprocess
import sys

import support

BROWSER = shutil.which("chromium")
DESKTOP, PHONE = 1280, 390  # widths in CSS pixels

# A frame can be narrower than the smallest window of the browser.
FRAME = """<body style="margin:0"><iframe src="FILE" style="border:0;width:WIDTHpx;height:900px"></iframe><script>
onload = () => setTimeout(() => {
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  document.body.dataset.seen = JSON.stringify({
    overflow: root.scrollWidth - root.clientWidth,
    background: getComputedStyle(page.body).backgroundColor,
    charts: Object.fromEntries([...page.querySelectorAll("canvas")].map((canvas) => [canvas.id, canvas.clientWidth])) });
}, 500);
</script></body>"""


class Browser(support.Workplace):
    def load(self, path, *options):
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             f"--user-data-dir={self.path('browser')}", "--virtual-time-budget=4000", *options, "--dump-dom", "file://" + path],
            capture_output=True, text=True, timeout=100, check=False)
        self.assertNotIn("CONSOLE", done.stderr)
        return done.stdout

    def open_page(self, file):
        """The page as the browser has it after all scripts ran."""
        return self.load(self.path(file), f"--window-size={DESKTOP},900")

    def look(self, file, width, dark=False):
        """Overflow of the page at that width, its background, the widths of its charts."""
        frame = self.write("frame.html", FRAME.replace("FILE", "file://" + self.path(file)).replace("WIDTH", str(width)))
        page = self.load(frame, "--allow-file-access-from-files", f"--window-size={max(width, 600)},900",
                         f"--blink-settings=preferredColorScheme={0 if dark else 1}")
        return json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', page).group(1)))

    def assert_fits(self, file, width, charts, dark=False):
        """No scrolling to the side, and exactly these charts, each of a readable width."""
        seen = self.look(file, width, dark)
        self.assertEqual(seen["overflow"], 0)
        self.assertEqual(set(seen["charts"]), set(charts))
        for chart, chart_width in seen["charts"].items():
            self.assertTrue(250 < chart_width < width, (chart, chart_width))
        return seen

    def table(self, page, name):
        return re.search(rf'<table id="{name}"[^>]*>(.*?)</table>', page, re.S).group(1)


def main():
    if BROWSER is None:
        print("[SKIP] no chromium")
        sys.exit(0)
    support.main()
