# An explore.json of made-up numbers, in the form of `topress explore`: tests of its report need no training.
import itertools
import math
import random

LABELS = ("student", "channel", "qat", "confidence")
TECHNIQUES = {"student": "distillation.student", "channel": "pruning.channel", "qat": "quantization.qat",
              "confidence": "early_exit.confidence"}
SETTINGS, SEEDS = {"mild": 60.0, "strong": 160.0}, (1, 2, 3)
GAIN = {("student", "channel"): 0.012, ("student", "qat"): 0.021, ("student", "confidence"): 0.016,
        ("channel", "qat"): 0.009, ("channel", "confidence"): 0.011, ("confidence", "qat"): 0.001}
STUDENT_T = {2: 12.706, 3: 4.303}


def worth(order):
    """Accuracy that the order is made to have on top of the worst one."""
    return sum(GAIN.get(pair, 0) for pair in itertools.combinations(order, 2))


def estimate(values):
    """Mean and 95 % interval; one value has none."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None, None
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    half = STUDENT_T[len(values)] * deviation / math.sqrt(len(values))
    return mean, mean - half, mean + half


def difference(values):
    mean, low, high = estimate(values)
    decided = low is not None and (low > 0 or high < 0)
    return {"difference": mean, "low": low, "high": high}, decided


class Exploration:
    """Every order has a score a seed; what is compared is computed from them as the program does."""

    def __init__(self, seed=7):
        self.random = random.Random(seed)
        self.scores = {}

    def score(self, order, seed):
        if (order, seed) not in self.scores:
            self.scores[order, seed] = 0.80 + 0.004 * seed + 0.6 * worth(order) + self.random.gauss(0, 0.0012)
        return self.scores[order, seed]

    def differences(self, order, other):
        return [self.score(order, seed) - self.score(other, seed) for seed in SEEDS]

    def branch(self, setting, seed, order, state="finished"):
        made = {"setting": setting, "seed": seed, "order": list(order), "state": state, "error": None}
        for figure in ("accuracy", "test_accuracy", "macs", "bitops", "bitops_cr", "cr", "stored_bytes"):
            made[figure] = None
        ratio = SETTINGS[setting] ** (len(order) / 4) * math.exp(self.random.gauss(0, 0.06) - 4 * worth(order))
        if state == "finished":
            made |= {"accuracy": self.score(order, seed) + (0.012 if setting == "mild" else -0.022), "bitops_cr": ratio,
                     "bitops": 5.2e9 / ratio, "macs": 5e6 / math.sqrt(ratio), "cr": ratio / 5, "stored_bytes": 2e6 / ratio}
        if state == "failed":
            made["error"] = {"code": "run/made-up", "message": "a made-up failure of <b>this</b> order"}
        return made | {"seconds": 31.5 if state != "pending" else 0}

    def pairs(self):
        made = []
        for before, after in itertools.combinations(LABELS, 2):
            found, decided = difference(self.differences((before, after), (after, before)))
            if found["difference"] < 0:
                before, after = after, before
                found, decided = difference(self.differences((before, after), (after, before)))
            made.append({"before": before, "after": after, "before_technique": TECHNIQUES[before],
                         "after_technique": TECHNIQUES[after], **found, "seeds": 3, "decided": decided,
                         "differences": self.differences((before, after), (after, before)),
                         "executes": True, "error": None})
        return made

    def orders(self, seeds=SEEDS):
        whole = list(itertools.permutations(LABELS))
        mean = {order: estimate([self.score(order, seed) for seed in seeds]) for order in whole}
        whole.sort(key=lambda order: -mean[order][0])
        made = []
        for rank, order in enumerate(whole, 1):
            to_best = estimate(self.differences(order, whole[0])[:len(seeds)])
            made.append({"order": list(order), "score": mean[order][0], "low": mean[order][1], "high": mean[order][2],
                         "seeds": len(seeds), "scores": [self.score(order, seed) for seed in seeds], "rank": rank,
                         "bitops_cr": 98.0 - rank, "accuracy": mean[order][0] - 0.005, "difference_to_best": to_best[0],
                         "difference_low": to_best[1], "difference_high": to_best[2], "executes": True, "error": None})
        return made

    def precedences(self):
        made = []
        for before, after in itertools.combinations(LABELS, 2):
            sides = {True: [], False: []}
            for order in itertools.permutations(LABELS):
                sides[order.index(before) < order.index(after)].append(order)
            gains = [sum(self.score(o, seed) for o in sides[True]) / 12 - sum(self.score(o, seed) for o in sides[False]) / 12
                     for seed in SEEDS]
            if sum(gains) < 0:
                before, after, gains = after, before, [-gain for gain in gains]
            found, decided = difference(gains)
            made.append({"before": before, "after": after, **found, "decided": decided})
        return made

    def insertions(self, pairs):
        made = []
        for pair in pairs:
            for between in (label for label in LABELS if label not in (pair["before"], pair["after"])):
                order = (pair["before"], between, pair["after"])
                found, decided = difference(self.differences(order, order[::-1]))
                verdict = "undecided" if not decided else "holds" if found["difference"] > 0 else "broken"
                made.append({"before": order[0], "between": between, "after": order[2],
                             "pair_difference": pair["difference"], **found, "verdict": verdict})
        return made


def head(modes, state):
    return {"schema": 1, "command": "explore", "status": "ok", "diagnostics": [], "kind": "exploration", "modes": modes,
            "state": state, "config_file": "made-up.toml", "config_text": "schema = 1  # made-up </script>\n",
            "command_line": "topress explore made-up.toml " + " ".join("--" + mode for mode in modes),
            "version": "0.1.0", "torch_version": "2.11.0", "device": "cpu", "threads": 1, "jobs": 2,
            "dataset": "made-up", "network": "resnet14", "budget": "made-up numbers, nothing was trained",
            "techniques": [{"label": label, "technique": TECHNIQUES[label], "epochs": 2} for label in LABELS],
            "finish": "finish", "seeds": list(SEEDS), "settings": list(SETTINGS), "plan_order": list(LABELS),
            "baselines": [{"setting": setting, "seed": seed, "accuracy": 0.9 + 0.001 * seed, "bitops": 5.2e9, "macs": 5e6}
                          for setting in SETTINGS for seed in SEEDS],
            "counts": {}, "seconds": 4012.3, "pairs": [], "tournament": None, "orders": [], "precedences": [], "insertions": [],
            "contradicted_rules": [], "agrees": None, "branches": []}


def counted(document):
    """With the counts that its branches make: shared beginnings are run once."""
    orders = {tuple(branch["order"]) for branch in document["branches"]}
    shared = {order[:length] for order in orders for length in range(1, len(order) + 1)}
    rounds = len({(branch["setting"], branch["seed"]) for branch in document["branches"]})
    planned = (len(shared) + len(orders)) * rounds
    failed = sum(branch["state"] == "failed" for branch in document["branches"])
    document["counts"] = {"stage_runs": len(shared), "finish_runs": len(orders), "rounds": rounds, "planned": planned,
                          "computed": planned - planned // 4, "from_cache": planned // 4, "failed": failed}
    return document


def whole():
    """Everything asked for and finished: 4 techniques, 24 orders, 2 settings, 3 seeds."""
    made, document = Exploration(), head(["pairs", "insertions", "permutations"], "finished")
    pairs = made.pairs()
    decided = sum(pair["decided"] for pair in pairs)
    document |= {
        "pairs": pairs, "orders": made.orders(), "precedences": made.precedences(), "insertions": made.insertions(pairs),
        "tournament": {"order": sorted(LABELS, key=lambda label: sum(pair["after"] == label for pair in pairs)),
                       "cycle": [], "violated": [], "decided": decided, "undecided": 6 - decided},
        "branches": [made.branch(setting, seed, order) for setting in SETTINGS for seed in SEEDS
                     for length in (2, 4) for order in itertools.permutations(LABELS, length)]}
    document["agrees"] = document["tournament"]["order"] == document["plan_order"]
    return counted(document)


def interrupted():
    """Pairs that run in a circle, one that cannot execute, one without figures; a third of the runs failed or is missing."""
    made, document = Exploration(), head(["pairs"], "interrupted")
    pairs = made.pairs()
    pairs[1] |= {"before": "qat", "after": "student"}
    pairs[4] |= {"difference": None, "low": None, "high": None, "seeds": 0, "differences": [], "decided": False,
                 "executes": False, "error": "channel after confidence: made-up"}
    pairs[5] |= {"difference": None, "low": None, "high": None, "seeds": 0, "differences": [], "decided": False}
    states = itertools.cycle(("finished", "finished", "finished", "failed", "pending", "running"))
    document |= {
        "pairs": pairs,
        "tournament": {"order": list(LABELS), "cycle": ["student", "channel", "qat"], "decided": 4, "undecided": 2,
                       "violated": [{"before": "qat", "after": "student", "difference": pairs[1]["difference"], "decided": True}]},
        "contradicted_rules": [{"before": "student", "after": "qat", "declared_by": "rule set order-of-compression",
                                "reason": "a made-up reason", "difference": pairs[1]["difference"]}],
        "agrees": True, "diagnostics": [{"code": "explore/cannot-execute", "severity": "warning", "message": "made-up",
                                         "hint": "", "notes": [{"message": "a note"}]}],
        "branches": [made.branch(setting, seed, order, next(states)) for setting in SETTINGS for seed in SEEDS
                     for order in itertools.permutations(LABELS, 2)]}
    return counted(document)


def one_seed():
    """Permutations alone, of one seed and no setting: no intervals; two orders cannot execute."""
    made, document = Exploration(), head(["permutations"], "finished")
    document |= {"orders": made.orders((1,)), "seeds": [1], "settings": [""],
                 "branches": [made.branch("mild", 1, order) | {"setting": ""} for order in itertools.permutations(LABELS)]}
    for order in document["orders"][-2:]:
        order |= {"score": None, "scores": [], "rank": None, "accuracy": None, "bitops_cr": None, "difference_to_best": None,
                  "executes": False, "error": "made-up"}
    return counted(document)


def empty():
    """An exploration that has only just begun."""
    made, document = Exploration(), head(["pairs", "permutations"], "running")
    document |= {"baselines": [], "seconds": 0, "branches": [made.branch("mild", 1, LABELS, "pending")]}
    counted(document)["counts"] |= {"computed": 0, "from_cache": 0}
    return document
