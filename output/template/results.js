// The summary: a table that can be sorted, and a plot a metric.

// How a metric is judged: its goodness grows with what the function gives.
const DIRECTIONS = [
  [/seam/, value => -Math.abs(value), "closer to 0 is better"],
  [/psnr|ssim/, value => value, "higher is better"],
  [/l1|identity|frechet|kernel|wasserstein|seconds/, value => -value, "lower is better"],
  [/./, null, ""]];                                     // a metric that this page does not know
const direction = metric => DIRECTIONS.find(([pattern]) => pattern.test(metric));
const unit = metric => /psnr/.test(metric) ? "dB" : /seconds/.test(metric) ? "s" : "";

const metrics = [...new Set(data.summary.flatMap(row => Object.keys(row.metrics)))];
const columns = ["mask", "method", "n"].map(name => ({name, value: row => row[name]})).concat(
  metrics.map(metric => ({name: metric, metric, value: row => row.metrics[metric]?.[0] ?? null})));

function compare(a, b) {
  const first = state.sort.value(a), second = state.sort.value(b);
  if (first === null || second === null) return (first === null) - (second === null);
  const order = typeof first === "string" ? first.localeCompare(second, "en", {numeric: true}) : first - second;
  return state.down ? -order : order;
}

const sorted = rows => state.sort ? [...rows].sort(compare) : rows;
const isInterval = (low, high) => typeof low === "number" && typeof high === "number";
const ofMask = mask => data.summary.filter(row => row.mask === mask);

// The first click puts the best on top, the next one turns the order round.
function sortBy(column) {
  state.down = state.sort === column ? !state.down : /psnr|ssim/.test(column.metric);
  state.sort = column;
  showResults();
  find("th:not([aria-sort=none]) button").focus();
}

function isBest(row, column) {
  const judge = column.metric && direction(column.metric)[1], value = column.value(row);
  if (!judge || value === null) return false;
  const rivals = ofMask(row.mask).map(column.value).filter(other => other !== null);
  return rivals.length > 1 && rivals.every(other => judge(other) <= judge(value));
}

function cell(row, column) {
  const value = column.value(row), [, low, high] = row.metrics[column.metric] ?? [];
  const td = make("td", {class: column.name}, make("span", {}, column.metric ? format(value) : value));
  if (isBest(row, column)) td.firstChild.className = "best";
  if (isInterval(low, high)) td.append(make("small", {}, `[${format(low)}, ${format(high)}]`));
  return td;
}

function heading(column) {
  const order = column !== state.sort ? "none" : state.down ? "descending" : "ascending";
  const button = make("button", {type: "button"}, label(column.name));
  button.onclick = () => sortBy(column);
  return make("th", {scope: "col", "aria-sort": order, class: column.name}, button);
}

function showTable() {
  const all = find("#all input").checked, rows = sorted(all ? data.summary : ofMask(state.mask));
  const shown = all ? columns : columns.slice(1);
  find("thead tr").replaceChildren(...shown.map(heading));
  find("tbody").replaceChildren(...rows.map(row => make("tr", {}, ...shown.map(column => cell(row, column)))));
}

function ticks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * .999);
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({length: count}, (_, i) => (Math.ceil(low / step) + i) * step)
    .map(at => [at, at.toFixed(digits).replace("-", "−")]);
}

function plot(metric, rows) {
  const points = rows.map(row => [row, ...(row.metrics[metric] ?? [null])]).filter(point => point[1] !== null);
  if (!points.length) return [];
  const values = points.flatMap(point => point.slice(1)).filter(value => typeof value === "number");
  const least = Math.min(...values), most = Math.max(...values);
  const margin = (most - least) * .06 || Math.abs(most) * .1 || 1, low = least - margin, high = most + margin;
  const left = 12 + 6.2 * Math.min(24, Math.max(...rows.map(row => row.method.length)));
  const x = value => left + (value - low) / (high - low) * (264 - left), bottom = 8 + 20 * points.length;
  const words = [unit(metric), direction(metric)[2]].filter(Boolean).join(", ");
  const svg = make("svg", {viewBox: `0 0 272 ${bottom + 36}`, role: "img", "aria-label": `${label(metric)}, ${words}`},
    ...ticks(low, high).flatMap(([at, text]) => [
      make("line", {x1: x(at), x2: x(at), y1: 4, y2: bottom}),
      make("text", {x: x(at), y: bottom + 14, "text-anchor": "middle"}, text)]),
    make("text", {x: (left + 264) / 2, y: bottom + 30, "text-anchor": "middle"}, words),
    ...points.map((point, index) => mark(point, 14 + 20 * index, x, left)));
  return [make("figure", {}, make("figcaption", {}, label(metric)), svg)];
}

function mark([row, mean, low, high], y, x, left) {
  const searched = SEARCHED.includes(row.method) ? "searched" : "", interval = isInterval(low, high);
  const range = interval ? ` (${format(low)} to ${format(high)})` : "";
  const dot = make("g", {}, make("title", {}, `${row.method}: ${format(mean)}${range}, n = ${row.n}`),
    make("text", {x: left - 8, y: y + 4, "text-anchor": "end", class: `name ${searched}`}, row.method),
    make("circle", {cx: x(mean), cy: y, r: 4, class: searched}));
  if (interval) dot.append(make("line", {x1: x(low), x2: x(high), y1: y, y2: y, class: `whisker ${searched}`}));
  return dot;
}

function showResults() {
  showTable();
  find("#plots").replaceChildren(...metrics.flatMap(metric => plot(metric, sorted(ofMask(state.mask)))));
}
