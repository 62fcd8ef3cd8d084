// The summary: a table that can be sorted, and a plot a metric; the reader chooses the metrics.
const ARROWS = {higher: "↑", lower: "↓", "nearer 0": "→\u00a00"};
const FIRST = ["hole_psnr", "hole_ssim", "identity", "face_frechet"];
const WIDTH = 300, LETTER = 6.4, LONGEST = 26;          // of a plot, a letter in it, and letters of a name
const unit = metric => /psnr/.test(metric) ? "dB" : /seconds/.test(metric) ? "s" : "";
const withArrow = metric => [label(metric), ARROWS[data.better[metric]]].filter(Boolean).join("\u00a0");

const metrics = [...new Set(data.summary.flatMap(row => Object.keys(row.metrics)))];
const chosen = new Set(FIRST.some(name => metrics.includes(name)) ? FIRST : metrics);
const isChosen = metric => chosen.has(metric);
const columns = ["mask", "method", "n"].map(name => ({name, text: name, value: row => row[name]})).concat(
  metrics.map(name => ({name, metric: name, text: withArrow(name), value: row => row.metrics[name]?.[0]})));

const sorted = rows => state.sort ? [...rows].sort(by(state.sort.value, state.down)) : rows;
const isInterval = (low, high) => typeof low === "number" && typeof high === "number";
const ofMask = mask => data.summary.filter(row => row.mask === mask);

// The first click puts the best on top, the next one turns the order round.
function sortBy(column) {
  state.down = state.sort === column ? !state.down : data.better[column.metric] === "higher";
  state.sort = column;
  showResults();
  find("th:not([aria-sort=none]) button").focus();
}

function cell(row, column) {
  const value = column.value(row), [, low, high] = row.metrics[column.metric] ?? [];
  const td = make("td", {class: column.name}, make("span", {}, column.metric ? format(value) : value));
  if (row.best?.includes(column.metric)) td.firstChild.className = "best";
  if (isInterval(low, high)) td.append(make("small", {}, `[${format(low)}, ${format(high)}]`));
  return td;
}

function heading(column) {
  const order = column !== state.sort ? "none" : state.down ? "descending" : "ascending";
  const button = make("button", {type: "button"}, column.text);
  button.onclick = () => sortBy(column);
  return make("th", {scope: "col", "aria-sort": order, class: column.name}, button);
}

function showTable() {
  const all = find("#all input").checked, rows = sorted(all ? data.summary : ofMask(state.mask));
  const shown = columns.filter(({name, metric}) => metric ? isChosen(metric) : all || name !== "mask");
  find("thead tr").replaceChildren(...shown.map(heading));
  find("tbody").replaceChildren(...rows.map(row => make("tr", {}, ...shown.map(column => cell(row, column)))));
}

// At least three round numbers from low to high, by the largest step that gives so many.
function ticks(low, high) {
  let power = Math.ceil(Math.log10(high - low)), factors = [5, 2, 1], step, count;
  do {
    if (!factors.length) [power, factors] = [power - 1, [5, 2, 1]];
    step = factors.shift() * 10 ** power;
    count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  } while (count < 3);
  const digits = Math.max(0, -power);
  return Array.from({length: count}, (_, i) => (Math.ceil(low / step) + i) * step)
    .map(at => [at, at.toFixed(digits).replace("-", "−")]);
}

function plot(metric, rows) {
  const points = rows.map(row => [row, ...(row.metrics[metric] ?? [null])]).filter(point => point[1] !== null);
  if (!points.length) return [];
  const values = points.flatMap(point => point.slice(1)).filter(value => typeof value === "number");
  const least = Math.min(...values), most = Math.max(...values);
  const margin = (most - least) * .06 || Math.abs(most) * .1 || 1, low = least - margin, high = most + margin;
  const left = 14 + LETTER * Math.min(LONGEST, Math.max(...rows.map(row => row.method.length))), right = WIDTH - 24;
  const x = value => left + (value - low) / (high - low) * (right - left), bottom = 8 + 20 * points.length;
  const words = [unit(metric), data.better[metric] && `${data.better[metric]} is better`].filter(Boolean).join(", ");
  const axis = ticks(low, high), wide = LETTER * (1 + Math.max(...axis.map(([, text]) => text.length)));
  const every = Math.ceil(wide * axis.length / (right - left));         // of how many ticks one has its number
  const svg = make("svg", {viewBox: `0 0 ${WIDTH} ${bottom + 36}`, role: "img", "aria-label": `${label(metric)}, ${words}`},
    ...axis.flatMap(([at, text], index) => [
      make("line", {x1: x(at), x2: x(at), y1: 4, y2: bottom}),
      make("text", {x: x(at), y: bottom + 14, "text-anchor": "middle", class: "tick"}, index % every ? "" : text)]),
    make("text", {x: (left + right) / 2, y: bottom + 30, "text-anchor": "middle"}, words),
    ...points.map((point, index) => mark(point, 14 + 20 * index, x, left)));
  return [make("figure", {}, make("figcaption", {}, withArrow(metric)), svg)];
}

function mark([row, mean, low, high], y, x, left) {
  const searched = SEARCHED.includes(row.method) ? "searched" : "", interval = isInterval(low, high);
  const range = interval ? ` (${format(low)} to ${format(high)})` : "";
  const name = row.method.length > LONGEST ? `${row.method.slice(0, LONGEST - 1)}…` : row.method;
  const dot = make("g", {}, make("title", {}, `${row.method}: ${format(mean)}${range}, n = ${row.n}`),
    make("text", {x: left - 8, y: y + 4, "text-anchor": "end", class: `name ${searched}`}, name),
    make("circle", {cx: x(mean), cy: y, r: 4, class: searched}));
  if (interval) dot.append(make("line", {x1: x(low), x2: x(high), y1: y, y2: y, class: `whisker ${searched}`}));
  return dot;
}

function showResults() {
  const shown = metrics.filter(isChosen);
  showTable();
  find("#choice summary").textContent = `Columns: ${shown.length} of ${metrics.length}`;
  find("#warning").hidden = !data.warning || !shown.some(metric => /frechet|kernel|wasserstein/.test(metric));
  find("#plots").replaceChildren(...shown.flatMap(metric => plot(metric, sorted(ofMask(state.mask)))));
}

function chooseMetric(metric, on) {
  if (on) chosen.add(metric); else chosen.delete(metric);
  showResults();
}

// A box for every metric, and one for all of them.
function offerMetrics() {
  const boxes = metrics.map(metric => make("input", {type: "checkbox", value: metric}));
  for (const box of boxes) {
    box.checked = isChosen(box.value);
    box.onchange = () => chooseMetric(box.value, box.checked);
  }
  const all = make("input", {type: "checkbox"});
  all.onchange = () => {
    for (const box of boxes) {
      box.checked = all.checked || FIRST.includes(box.value);
      chooseMetric(box.value, box.checked);
    }
  };
  find("#choice div").append(make("label", {}, all, "all"),
                             ...boxes.map(box => make("label", {}, box, withArrow(box.value))));
}
