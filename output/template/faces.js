// The faces: a card each, turned over page by page, and the slider that leads them through their search.
const PAGE = 24, SEARCHED = ["latent", "completed"];    // the columns that the slider leads through the search
const SCORES = {hole_psnr: " dB", hole_ssim: ""};       // that stand under the pictures, with their units
const group = () => data.groups.find(item => item.mask === state.mask) ?? {columns: [], rows: []};
const result = row => row.pictures[SEARCHED.find(column => column in row.pictures)];
const hasScore = (row, column, metric) => typeof row.scores[column]?.[metric] === "number";
let rows = [], orders = [];                             // those that are found, sorted; the ways to sort them
let stops = [], moving = [], player = null;     // iterations the slider stops at, what it moves, the timer that does

function picture(row, column) {
  const place = row.pictures[column];
  const caption = make("figcaption", {title: column}, column);
  if (place === undefined) return make("figure", {}, caption, make("div", {class: "absent"}));
  const image = make("img", {src: source(place), alt: `${row.name}, ${column}`});
  const parts = Object.entries(SCORES).filter(([metric]) => hasScore(row, column, metric));
  const numbers = make("div", {class: "score", ...(parts.length ? {title: "PSNR and SSIM in the hole"} : {})},
                       parts.map(([metric, suffix]) => format(row.scores[column][metric]) + suffix).join(" · "));
  if (SEARCHED.includes(column) && row.steps.length) moving.push({row, image, numbers});
  return make("figure", {}, caption, image, numbers);
}

function crops(row) {
  return make("div", {class: "pictures"}, ...group().columns.map(column => picture(row, column)));
}

// What was cut out of a photo stands beside it, or below if that is more than a face and its completion.
function card(row) {
  const name = make("button", {type: "button", class: "name", title: "enlarge"}, row.name);
  const heading = [make("h3", {}, name, ...(row.note ? [make("span", {class: "note"}, row.note)] : []))];
  const faces = [row, ...row.further].map(crops), open = () => enlarge(rows.indexOf(row));
  name.onclick = open;
  if (row.remarks.length) {
    heading.push(make("ul", {class: "remarks"}, ...row.remarks.map(remark => make("li", {}, remark))));
  }
  const whole = row.photo ? [comparison(row, open)] : [];
  if (!row.photo) for (const face of faces) face.onclick = open;
  const place = !row.photo ? "face" : row.further.length || group().columns.length > 3 ? "photo" : "photo beside";
  return make("article", {class: place}, ...heading, ...whole, ...faces);
}

function showFaces() {
  const first = state.page * PAGE, last = Math.min(first + PAGE, rows.length), all = group().rows.length;
  const width = photos() ? 380 : Math.max(group().columns.length, 2) * 102 - 6;
  moving = [];
  find("#rows").style.setProperty("--card", `${width}px`);
  find("#rows").replaceChildren(...rows.slice(first, last).map(card));
  const shown = last > first + 1 ? `${first + 1}–${last}` : last;
  find("#position").textContent = rows.length ? `${shown} of ${rows.length}` : `none of ${all}`;
  [find("#previous").disabled, find("#next").disabled] = [first === 0, last >= rows.length];
  showStep();
}

// The ways to sort: as the rows come, by name, and by every score that there is.
function offerOrders() {
  const all = group().rows, scored = group().columns.filter(column => all.some(row => hasScore(row, column, "hole_ssim")));
  const scores = scored.flatMap(column => Object.keys(SCORES).flatMap(metric => ["best", "worst"].map(end => ({
    text: `${scored.length > 1 ? `${column}: ` : ""}${label(metric).replace("hole ", "")}, ${end} first`,
    compare: by(row => row.scores[column]?.[metric], end === "best")}))));
  const kept = find("#order").selectedOptions[0]?.textContent;
  orders = [{text: "as given", compare: () => 0}, {text: "name", compare: by(row => row.name)}, ...scores];
  find("#order").replaceChildren(...orders.map(({text}, index) => make("option", {value: index}, text)));
  find("#order").selectedIndex = Math.max(0, orders.findIndex(({text}) => text === kept));
  find("#legend").hidden = !scored.length;
}

function arrange() {
  const {compare} = orders[find("#order").selectedIndex], wanted = find("#query").value.trim().toLowerCase();
  rows = group().rows.filter(row => row.name.toLowerCase().includes(wanted)).sort(compare);
  state.page = 0;
  showFaces();
}

// Each face is where its own slider in the enlarged view left it, or where the slider of all is.
function showStep() {
  find("#step").value = state.step;
  find("#iteration").textContent = nameStep(state.step);
  find("#step").setAttribute("aria-valuetext", nameStep(state.step));
  for (const {row, image, numbers} of moving) {
    const at = row.step ?? state.step, end = at >= stops.length;
    const [, place] = row.steps.findLast(([step]) => step <= stops[at]) ?? row.steps[0];
    image.src = source(end ? result(row) : place);
    numbers.style.visibility = end ? "visible" : "hidden";      // the scores are the result's
  }
}

const nameStep = at => at >= stops.length ? "result" : `iteration ${stops[at]}`;

// Only where a picture differs from the result is there something to see.
function findStops() {
  const differing = group().rows.flatMap(row => row.steps.filter(([, place]) => place !== result(row)));
  stops = [...new Set(differing.map(([step]) => step))].sort((a, b) => a - b);
}

function moveAll(step) {
  state.step = step;
  for (const row of group().rows) for (const face of [row, ...row.further]) delete face.step;
  showStep();
}

function turn(pages) {
  state.page += pages;
  showFaces();
  find("#faces").scrollIntoView();
}

function play(on) {
  clearInterval(player);
  player = null;
  find("#play").textContent = on ? "Pause" : "Play";
  if (!on) return;
  if (state.step >= stops.length) moveAll(0);
  player = setInterval(() => {
    moveAll(state.step + 1);
    if (state.step >= stops.length) play(false);
  }, Math.max(60, Math.min(400, 4000 / stops.length)));
}
