"""Tables (Markdown) and plots (SVG) of an exploration, from its explore.json.

  python3 docs/results/tools/exploration_tables.py OUTPUT_OF_EXPLORE/explore.json PICTURE_PREFIX

Prints the tables; writes PICTURE_PREFIX-pairs.svg and PICTURE_PREFIX-orders.svg.
"""
import json
import math
import sys

SHORT = {"student": "D", "channel": "P", "qat": "Q", "confidence": "E"}


def letters(order):
    return " ".join(SHORT.get(label, label) for label in order)


def points(value):
    return "" if value is None else f"{100 * value:+.2f}"


def pair_table(document):
    print("| first | then | difference, pp | 95 % interval | seed by seed, pp | |")
    print("|---|---|---|---|---|---|")
    for pair in document["pairs"]:
        seeds = ", ".join(points(value) for value in pair["differences"])
        verdict = "**decided**" if pair["decided"] else "undecided"
        print(f"| {pair['before']} | {pair['after']} | {points(pair['difference'])} | {points(pair['low'])} to "
              f"{points(pair['high'])} | {seeds} | {verdict} |")


def order_table(document):
    print("| rank | order | score, % | 95 % interval | below the best, pp | at the end: BitOpsCR | accuracy, % |")
    print("|---|---|---|---|---|---|---|")
    for order in document["orders"]:
        if len(order["order"]) < len(document["techniques"]) or order["score"] is None:
            continue
        below = "" if order["rank"] == 1 else f"{100 * -abs(order['difference_to_best']):.2f}"
        print(f"| {order['rank']} | {letters(order['order'])} | {100 * order['score']:.2f} | {100 * order['low']:.2f} to "
              f"{100 * order['high']:.2f} | {below} | {order['bitops_cr']:.0f} | {100 * order['accuracy']:.2f} |")


def precedence_table(document):
    print("| first | then | mean of the 12 orders with, less the 12 without, pp | 95 % interval | |")
    print("|---|---|---|---|---|")
    for row in document["precedences"]:
        print(f"| {row['before']} | {row['after']} | {points(row['difference'])} | {points(row['low'])} to "
              f"{points(row['high'])} | {'**decided**' if row['decided'] else 'undecided'} |")


def insertion_table(document):
    print("| first | then | between them | pair alone, pp | with it, pp | 95 % interval | verdict |")
    print("|---|---|---|---|---|---|---|")
    for row in document["insertions"]:
        print(f"| {row['before']} | {row['after']} | {row['between']} | {points(row['pair_difference'])} | "
              f"{points(row['difference'])} | {points(row['low'])} to {points(row['high'])} | {row['verdict']} |")


class Picture:
    """A plot with linear axes; the page is white in light and dark, as the colours need it."""
    width, height, left, right, top, bottom = 720, 420, 170, 20, 20, 50

    def __init__(self, low_x, high_x, low_y, high_y, height=420):
        self.height = height
        self.range = (low_x, high_x, low_y, high_y)
        self.parts = []

    def x(self, value):
        low, high = self.range[:2]
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def y(self, value):
        low, high = self.range[2:]
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)

    def line(self, x1, y1, x2, y2, colour="#888", width=1):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def dot(self, x, y, colour, radius=4, title=""):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"><title>{title}</title></circle>')

    def text(self, x, y, words, anchor="middle", size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{words}</text>')

    def save(self, path, words):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                       f'font-family="sans-serif" role="img" aria-label="{words}">\n'
                       f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def forest(rows, path, words):
    """Estimates with intervals, one a row: (label, value, low, high, decided), in pp."""
    edge = max(max(abs(low), abs(high)) for _, _, low, high, _ in rows) * 1.05
    picture = Picture(-edge, edge, 0, len(rows), height=26 * len(rows) + 70)
    picture.line(picture.x(0), picture.top, picture.x(0), picture.height - picture.bottom)
    step = 10 ** math.floor(math.log10(edge))
    step = step if edge / step > 2 else step / 2
    for tick in range(-int(edge / step), int(edge / step) + 1):
        picture.text(picture.x(tick * step), picture.height - picture.bottom + 18, f"{tick * step:g}")
    picture.text((picture.left + picture.width - picture.right) / 2, picture.height - 10, words)
    for index, (label, value, low, high, decided) in enumerate(rows):
        y = picture.y(len(rows) - index - 0.5)
        colour = "#0b6e4f" if decided else "#9a9a9a"
        picture.line(picture.x(low), y, picture.x(high), y, colour, 2)
        picture.dot(picture.x(value), y, colour, title=f"{label}: {value:+.2f} pp")
        picture.text(picture.left - 12, y + 4, label, "end")
    picture.save(path, words)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    for title, table in (("pairs", pair_table), ("orders", order_table), ("precedences", precedence_table),
                         ("insertions", insertion_table)):
        if document[title]:
            print(f"\n### {title}\n")
            table(document)
    forest([(f"{pair['before']} → {pair['after']}", *(100 * pair[key] for key in ("difference", "low", "high")),
             pair["decided"]) for pair in document["pairs"] if pair["difference"] is not None],
           sys.argv[2] + "-pairs.svg", "difference at equal BitOps, percentage points, 95 % interval over seeds")
    complete = [order for order in document["orders"]
                if len(order["order"]) == len(document["techniques"]) and order["score"] is not None]
    mean = sum(order["score"] for order in complete) / max(len(complete), 1)
    if complete:
        forest([(letters(order["order"]), *(100 * (order[key] - mean) for key in ("score", "low", "high")),
                 order["rank"] == 1) for order in complete],
               sys.argv[2] + "-orders.svg", "score less the mean of all orders, percentage points, 95 % interval over seeds")


if __name__ == "__main__":
    main()
