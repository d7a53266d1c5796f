// What the page of an exploration draws: the tournament, the ranked orders, every run over its cost.
"use strict";
const data = JSON.parse(at("data").textContent);
const list = (value) => Array.isArray(value) ? value : [];
const pairs = list(data.pairs), orders = list(data.orders), branches = list(data.branches), insertions = list(data.insertions);
const tournament = data.tournament || null, plannedOrder = list(data.plan_order);
const labelsInPlan = plannedOrder.length > 0 ? plannedOrder : list(data.techniques).map((entry) => entry.label);

// -- what is compared ---------------------------------------------------------------------------
const arrows = (order) => list(order).join(" → ");
const sameOrder = (a, b) => list(a).length === list(b).length && list(a).every((label, index) => label === b[index]);
const negative = (value) => isNumber(value) ? -value : value;
const ranked = orders.filter((order) => isNumber(order.score)).sort((a, b) => b.score - a.score);
const best = ranked[0], worst = ranked[ranked.length - 1];
const rulesRow = ranked.find((order) => sameOrder(order.order, plannedOrder));
const hasIntervals = ranked.some((order) => order !== best && isNumber(order.difference_high));
/// The interval of its difference to the best covers zero, or there is none.
const isTied = (order) => order === best || !(isNumber(order.difference_high) && order.difference_high < 0);
const tied = ranked.filter(isTied);
/// The same pair told so that the difference is a gain.
const asGain = (entry) => entry.difference < 0 ? { ...entry, before: entry.after, after: entry.before, difference: -entry.difference, low: negative(entry.high), high: negative(entry.low) } : entry;
const resultText = (entry) => !isNumber(entry.difference) ? "no figure yet" : entry.decided ? "▲ decided" : "○ undecided";
const resultMark = (entry) => entry.executes === false ? "bad" : entry.decided ? "good" : "";

// -- the tournament -----------------------------------------------------------------------------
function shape(parent, tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}
function arrowHeads(svg) {
  const defs = shape(svg, "defs", {});
  for (const kind of ["decided", "undecided", "violated"]) {
    const marker = shape(defs, "marker", { id: "head-" + kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9,
      markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" });
    shape(marker, "path", { d: "M0 0 L8 4 L0 8 z", class: "head " + kind });
  }
}
/// Along a line where there is room, else from top to bottom; arrows of the order bulge to one side, those against it to the other.
function drawTournament() {
  const names = tournament.order, box = at("tournament-drawing");
  const wide = box.clientWidth >= 130 * names.length;
  const step = wide ? Math.min(210, box.clientWidth / names.length) : 62, half = { x: 52, y: 15 };
  const bulgeOf = (distance, forward) => forward && distance === 1 ? 0 : wide ? 14 + 27 * distance : Math.min(14 + 24 * distance, forward ? 110 : 40);
  const edges = pairs.filter((pair) => isNumber(pair.difference)).map((pair) => ({ pair, from: names.indexOf(pair.before), to: names.indexOf(pair.after) }))
    .filter((edge) => edge.from >= 0 && edge.to >= 0).map((edge) => ({ ...edge, forward: edge.from < edge.to, bulge: bulgeOf(Math.abs(edge.to - edge.from), edge.from < edge.to) }));
  const room = (forward) => Math.max(0, ...edges.filter((edge) => edge.forward === forward).map((edge) => edge.bulge));
  const length = step * names.length, before = room(false) + half.y + 14, after = room(true) + half.y + 14;
  const cross = wide ? after : half.x + 8 + (room(false) > 0 ? room(false) + 24 : 0);
  const width = wide ? length : cross + half.x + room(true) + 40, height = wide ? before + after : length;
  const svg = shape(box, "svg", { viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": "order from the pairs: " + arrows(names) });
  arrowHeads(svg);
  const centre = (index) => wide ? { x: (index + 0.5) * step, y: cross } : { x: cross, y: (index + 0.5) * step };
  for (const edge of edges) drawEdge(svg, edge, centre, half, wide, names.length <= 6);
  names.forEach((name, index) => {
    const place = centre(index);
    shape(svg, "rect", { x: place.x - half.x, y: place.y - half.y, width: 2 * half.x, height: 2 * half.y, rx: 15, class: "node" });
    const label = name.length > 13 ? name.slice(0, 12) + "…" : name;
    shape(shape(svg, "text", { x: place.x, y: place.y + 4, "text-anchor": "middle", class: "name" }, (index + 1) + " " + label), "title", {}, name);
  });
}
function drawEdge(svg, edge, centre, half, wide, labelled) {
  const kind = !edge.forward ? "violated" : edge.pair.decided ? "decided" : "undecided";
  const from = centre(edge.from), to = centre(edge.to), sign = (edge.forward ? 1 : -1);
  const start = { ...from }, end = { ...to }, apex = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  let path;
  if (edge.bulge === 0) {
    const main = wide ? "x" : "y";
    start[main] += half[main]; end[main] -= half[main] + 1;
    path = "M" + start.x + " " + start.y + " L" + end.x + " " + end.y;
    if (wide) apex.y -= 6; else apex.x += 26;
  } else {
    const shift = (edge.to > edge.from ? 1 : -1) * (wide ? 14 : 6);
    if (wide) { start.y -= sign * half.y; end.y -= sign * (half.y + 1); start.x += shift; end.x -= shift; apex.y -= sign * (half.y + edge.bulge); }
    else { start.x += sign * half.x; end.x += sign * (half.x + 1); start.y += shift; end.y -= shift; apex.x += sign * (half.x + edge.bulge); }
    const control = { x: 2 * apex.x - (start.x + end.x) / 2, y: 2 * apex.y - (start.y + end.y) / 2 };
    path = "M" + start.x + " " + start.y + " Q" + control.x + " " + control.y + " " + end.x + " " + end.y;
    if (wide) apex.y += 4;
  }
  const line = shape(svg, "path", { d: path, class: "edge " + kind, "marker-end": `url(#head-${kind})` });
  shape(line, "title", {}, edge.pair.before + " before " + edge.pair.after + ": " + points(edge.pair.difference) + " pp, " + (edge.pair.decided ? "decided" : "undecided"));
  if (labelled) shape(svg, "text", { x: apex.x, y: apex.y, "text-anchor": "middle", class: "gain" }, points(edge.pair.difference));
}

// -- the ranked orders --------------------------------------------------------------------------
const isSuggested = (order) => tournament !== null && sameOrder(order.order, tournament.order);
const rolesOf = (order) => (order === best ? "◆" : "") + (order === rulesRow ? "▲" : "") + (isSuggested(order) ? "■" : "");
const isMarked = (order) => rolesOf(order) !== "";
const shownOrders = ranked.length <= 60 ? ranked : ranked.filter((order, index) => index < 40 || isMarked(order));
/// The shortest beginnings that tell the labels apart.
function shortNames() {
  const tellsApart = (label, length) => labelsInPlan.every((other) => other === label || !other.startsWith(label.slice(0, length)));
  return new Map(labelsInPlan.map((label) => {
    let length = 1;
    while (length < label.length && !tellsApart(label, length)) length += 1;
    return [label, label.slice(0, length)];
  }));
}
/// A line from low to high under each point; an end without a bar goes on outside.
const whiskers = {
  id: "whiskers",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea, scales } = chart;
    ctx.save();
    ctx.lineWidth = 1.5;
    chart.data.datasets.forEach((set) => set.data.filter((point) => isNumber(point.low)).forEach((point) => {
      const y = scales.y.getPixelForValue(point.y), ends = [scales.x.getPixelForValue(point.low), scales.x.getPixelForValue(point.high)];
      ctx.strokeStyle = set.borderColor;
      ctx.beginPath();
      ctx.moveTo(Math.max(ends[0], chartArea.left), y);
      ctx.lineTo(Math.min(ends[1], chartArea.right), y);
      for (const end of ends.filter((x) => x >= chartArea.left && x <= chartArea.right)) { ctx.moveTo(end, y - 4); ctx.lineTo(end, y + 4); }
      ctx.stroke();
    }));
    ctx.restore();
  },
};
function scoreRange() {
  const seen = shownOrders.flatMap((order) => [order.score, ...list(order.scores)]).filter(isNumber);
  const low = Math.min(...seen), high = Math.max(...seen), span = Math.max(high - low, 0.002);
  const ends = (key) => shownOrders.map((order) => order[key]).filter(isNumber);
  const least = Math.min(low - 0.05 * span, Math.max(low - span, Math.min(low, ...ends("low"))));
  const most = Math.max(high + 0.05 * span, Math.min(high + span, Math.max(high, ...ends("high"))));
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((size) => 100 * (most - least) <= 12 * size) || 20;
  return { min: Math.max(0, step * Math.floor(100 * least / step)), max: Math.min(100, step * Math.ceil(100 * most / step)) };
}
function drawOrders() {
  const narrow = at("order-box").clientWidth < 720, short = shortNames();
  const name = (order) => (order.rank ?? "–") + " " + rolesOf(order) + "  " + (narrow ? order.order.map((label) => short.get(label) || label).join(" ") : arrows(order.order));
  at("short-names").textContent = narrow ? [...short].map(([label, start]) => start + " = " + label).join(", ") + "." : "";
  at("order-box").style.height = shownOrders.length * 21 + 150 + "px";
  const entries = shownOrders.map((order, index) => ({ order, point: { x: 100 * order.score, y: index + 1, low: isNumber(order.low) ? 100 * order.low : null, high: 100 * order.high } }));
  const roleOf = (order) => order === best ? "best" : order === rulesRow ? "rules" : isMarked(order) ? "pairs" : isTied(order) ? "tied" : "worse";
  const set = (label, role, color, pointStyle, radius, filled) => ({ label, borderColor: color, backgroundColor: filled ? color : styleOf("--paper"), pointStyle, radius, hoverRadius: radius + 1, borderWidth: 2,
    data: entries.filter((entry) => roleOf(entry.order) === role).map((entry) => ({ ...entry.point, order: entry.order })) });
  const sets = [set("best", "best", palette[2], "rectRot", 8, true), set("order of the rules", "rules", palette[1], "triangle", 7, true), set("order from the pairs", "pairs", palette[3], "rect", 6, true),
    set(hasIntervals ? "not told from the best" : "other orders", "tied", palette[0], "circle", 5, true), set("worse than the best", "worse", palette[0], "circle", 5, false),
    { label: "single seeds", borderColor: theme.soft, backgroundColor: theme.soft, pointStyle: "line", rotation: 90, radius: 4, borderWidth: 1.5,
      data: entries.filter((entry) => list(entry.order.scores).length > 1).flatMap((entry) => entry.order.scores.filter(isNumber).map((score) => ({ x: 100 * score, y: entry.point.y, order: entry.order }))) }];
  new Chart(at("order-chart"), {
    type: "scatter",
    plugins: [whiskers],
    data: { datasets: sets.filter((entry) => entry.data.length > 0) },
    options: {
      plugins: { legend: { position: "top", labels: { usePointStyle: true } }, tooltip: { callbacks: { label: (item) => arrows(item.raw.order.order) + ": " + item.parsed.x.toFixed(2) + " %" } } },
      scales: { x: { ...scoreRange(), title: { display: true, text: "mean accuracy at equal BitOps in % (measured)" }, ticks: { maxRotation: 0, maxTicksLimit: narrow ? 5 : 11, callback: (value) => Number(value.toFixed(2)) } },
                y: { reverse: true, min: 0.3, max: shownOrders.length + 0.7, grid: { display: false }, afterBuildTicks: (axis) => { axis.ticks = entries.map((entry) => ({ value: entry.point.y })); },
                     ticks: { autoSkip: false, color: theme.ink, crossAlign: "far", callback: (value) => entries[value - 1] ? name(entries[value - 1].order) : "" } } },
    },
  });
}

// -- every run over its cost --------------------------------------------------------------------
function showFronts() {
  const finished = branches.filter((branch) => branch.state === "finished" && isNumber(branch.accuracy) && branch.bitops_cr > 0);
  if (finished.length === 0) return hide("fronts");
  const whole = Math.max(...finished.map((branch) => branch.order.length));
  const partial = finished.some((branch) => branch.order.length < whole);
  at("front-text").textContent = "One mark for each order, setting and seed: to the right is cheaper. Colour and form tell which technique came first" +
    (partial ? "; hollow: orders of fewer techniques" : "") + ". Dashed: what no other run beats in both.";
  const point = (branch) => ({ x: branch.bitops_cr, y: 100 * branch.accuracy, branch });
  const forms = ["circle", "triangle", "rect", "rectRot", "star", "crossRot"];
  const firsts = labelsInPlan.filter((label) => finished.some((branch) => branch.order[0] === label));
  const sets = firsts.map((label) => {
    const own = finished.filter((branch) => branch.order[0] === label).sort((a, b) => b.order.length - a.order.length), index = labelsInPlan.indexOf(label), color = palette[index % palette.length];
    return { label: label + " first", data: own.map(point), borderColor: color, pointStyle: forms[index % forms.length], radius: 4.5, borderWidth: 1.5,
             backgroundColor: own.map((branch) => branch.order.length < whole ? "transparent" : color + "b0") };
  });
  const ringOf = (label, order, color, pointStyle) => order ? [{ label, data: finished.filter((branch) => sameOrder(branch.order, order)).map(point), borderColor: color, backgroundColor: "transparent",
    pointStyle, radius: 9, hoverRadius: 10, borderWidth: 2 }] : [];
  const costs = finished.map((branch) => branch.bitops_cr), all = finished.map(point);
  const front = paretoFront(all.map((entry) => ({ ...entry, x: -entry.x }))).map((entry) => ({ ...entry, x: -entry.x })).reverse();
  new Chart(at("front-chart"), {
    type: "scatter",
    data: { datasets: [...sets, ...ringOf("best order", best && best.order, theme.ink, "circle"),
      ...(rulesRow && rulesRow !== best ? ringOf("order of the rules", plannedOrder, palette[1], "rectRounded") : []),
      { label: "Pareto front", data: front, showLine: true, stepped: "after", borderColor: theme.soft, backgroundColor: "transparent", borderDash: [6, 4], borderWidth: 1.5, radius: 0, hoverRadius: 0, pointStyle: "line" }] },
    options: {
      plugins: { legend: { position: "top", labels: { usePointStyle: true, boxWidth: 18 } }, tooltip: { callbacks: { label: (item) =>
        arrows(item.raw.branch.order) + (item.raw.branch.setting ? ", " + item.raw.branch.setting : "") + ", seed " + item.raw.branch.seed + ": " +
        item.parsed.y.toFixed(2) + " %, " + times(item.parsed.x) } } },
      scales: { x: ratioAxis(costs), y: accuracyAxis(all.map((entry) => entry.y)) },
    },
  });
}
