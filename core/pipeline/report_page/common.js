// What all pages share: figures as text, tables, tiles, the look of charts.
"use strict";
const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const theme = { ink: styleOf("--ink"), soft: styleOf("--soft"), line: styleOf("--line") };
const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
const palette = isDark ? ["#7aa5ff", "#ff9d66", "#4fc79a", "#c792ea", "#e0a848", "#4dd0e1", "#ff8a80", "#9aa6b6"]
                       : ["#2158c7", "#d0581e", "#14795a", "#8b3fb0", "#a86a00", "#0f7f94", "#b3261e", "#5b6675"];
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());

// -- text ---------------------------------------------------------------------------------------
const isNumber = (value) => typeof value === "number";
const fixed = (value, digits) => isNumber(value) ? value.toFixed(digits) : "–";
const percent = (value, digits = 2) => isNumber(value) ? (100 * value).toFixed(digits) + " %" : "–";
const times = (value) => isNumber(value) ? (value >= 100 ? value.toFixed(0) : value.toFixed(2)) + "×" : "–";
const points = (value) => isNumber(value) ? (value > 0 ? "+" : value < 0 ? "−" : "±") + Math.abs(100 * value).toFixed(2) : "–";
const interval = (low, high) => isNumber(low) && isNumber(high) ? "[" + points(low) + ", " + points(high) + "]" : "–";
function scaled(value, units, step) {
  if (!isNumber(value)) return "–";
  let unit = 0;
  while (value >= step && unit < units.length - 1) { value /= step; unit += 1; }
  return (unit === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3)) + units[unit];
}
const count = (value) => scaled(value, ["", " k", " M", " G", " T", " P"], 1000);
const bytes = (value) => scaled(value, [" B", " kB", " MB", " GB"], 1000);
const significant = (value) => isNumber(value) ? String(Number(value.toPrecision(4))) : "–";
const duration = (value) => isNumber(value) ? (value < 100 ? value.toFixed(1) + " s" : (value / 60).toFixed(1) + " min") : "–";

const isRound = (value) => /^[125]\.000e/.test(value.toExponential(3));

// -- regression ---------------------------------------------------------------------------------
/// Rows of a regression have an error and R² where others have an accuracy: R² is their score, so that the rest of a
/// page reads one name; what it is called, and texts that say so (data-regression), change with it.
let scoreName = "accuracy";
function readScores(rows) {
  if (!rows.some((row) => "error" in row)) return false;
  scoreName = "R²";
  for (const row of rows.filter((each) => "error" in each)) {
    row.accuracy = row.r2;
    if ("test_r2" in row) row.test_accuracy = row.test_r2;
    for (const exit of row.exits || []) exit.accuracy = exit.r2;
    for (const epoch of row.curves || []) epoch.train_accuracy = epoch.train_r2;
  }
  for (const place of document.querySelectorAll("[data-regression]")) place.textContent = place.dataset.regression;
  return true;
}
const scoreTitle = () => scoreName === "accuracy" ? "Accuracy" : scoreName;

// -- elements -----------------------------------------------------------------------------------
function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}
const at = (id) => document.getElementById(id);
const hide = (id) => at(id).remove();
function fillTable(id, columns, entries, classOf) {
  const head = element("tr");
  for (const column of columns) {
    const cell = element("th", column.title, column.text || column.wrap ? "text" : "");
    if (column.origin) cell.append(element("span", column.origin, "origin"));
    head.append(cell);
  }
  const body = element("tbody");
  entries.forEach((entry, index) => {
    const line = element("tr", undefined, classOf ? classOf(entry, index) : "");
    for (const column of columns) {
      const place = column.wrap ? "text wrap" : column.text ? "text" : "";
      line.append(element("td", column.value(entry, index), (place + " " + (column.mark ? column.mark(entry, index) : "")).trim()));
    }
    body.append(line);
  });
  const top = element("thead");
  top.append(head);
  at(id).append(top, body);
}
function tile(what, value, note, className) {
  const made = element("div", undefined, "tile");
  made.append(element("span", what, "what"), element("b", value), element("span", note, "note " + (className || "soft")));
  at("headline").append(made);
}
function showFindings(diagnostics) {
  const serious = diagnostics.filter((entry) => entry.severity === "error" || entry.severity === "warning");
  if (serious.length === 0) return hide("findings");
  for (const entry of serious) {
    const box = element("div", undefined, "finding " + (entry.severity === "error" ? "bad" : "warn"));
    box.append(element("b", entry.severity + " "), element("code", entry.code + " "), element("span", entry.message));
    for (const note of entry.notes || []) box.append(element("small", note.message));
    if (entry.hint) box.append(element("small", "hint: " + entry.hint));
    at("finding-list").append(box);
  }
}

// -- charts -------------------------------------------------------------------------------------
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.color = theme.soft;
Chart.defaults.borderColor = theme.line;
window.addEventListener("beforeprint", () => Object.values(Chart.instances).forEach((chart) => chart.resize()));

/// The points that no other beats in both: more accuracy for fewer bit operations.
function paretoFront(points) {
  const byCost = [...points].sort((a, b) => a.x - b.x || b.y - a.y);
  let best = -Infinity;
  return byCost.filter((point) => point.y > best && ((best = point.y), true));
}
/// The roundest values of a logarithmic axis that have room for a label of `width` pixels.
function roomyTicks(axis, width) {
  const kept = [], apart = Math.log(axis.max / axis.min) * width / Math.max(width, axis.width);
  for (const digits of [[1], [5, 2], [3], [1.5, 7, 4], [6, 8, 2.5, 1.2]])
    for (const digit of digits)
      for (let power = 1e-2; power <= axis.max; power *= 10) {
        const value = digit * power;
        if (value >= axis.min && value <= axis.max && kept.every((other) => Math.abs(Math.log(value / other)) >= apart)) kept.push(value);
      }
  axis.ticks = kept.sort((a, b) => a - b).map((value) => ({ value }));
}
const bitopsAxis = (costs) => ({
  type: "logarithmic", reverse: true, min: Math.min(...costs) / 1.6, max: Math.max(...costs) * 1.6,
  title: { display: true, text: "BitOps per sample (computed, log scale)" },
  afterBuildTicks: (axis) => roomyTicks(axis, 56), ticks: { maxRotation: 0, autoSkip: false, callback: (value) => count(value) } });
const ratioAxis = (ratios) => ({
  type: "logarithmic", min: Math.min(...ratios) / 1.15, max: Math.max(...ratios) * 1.15, afterBuildTicks: (axis) => roomyTicks(axis, 46),
  title: { display: true, text: "times fewer BitOps than the baseline (log scale)" },
  ticks: { maxRotation: 0, autoSkip: false, callback: (value) => Number(value.toPrecision(3)) + "×" } });
function accuracyAxis(values) {
  const low = Math.min(...values), high = Math.max(...values), pad = Math.max(0.5, (high - low) * 0.25);
  const step = high - low + 2 * pad > 8 ? 2 : 1;
  return { min: Math.max(low < 0 ? -Infinity : 0, step * Math.floor((low - pad) / step)), max: step * Math.ceil((high + pad) / step),
           title: { display: true, text: scoreName + " in % (measured)" },
           ticks: { callback: (value) => value > 100 ? "" : Number(value.toFixed(1)) } };
}
