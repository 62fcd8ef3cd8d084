// The faces: a card each, turned over page by page, and the slider that leads them through their search.
const PAGE = 24, SEARCHED = ["latent", "completed"];    // the columns that the slider leads through the search
const group = () => data.groups.find(item => item.mask === state.mask) ?? {columns: [], rows: []};
let stops = [], moving = [], player = null;     // iterations the slider stops at, what it moves, the timer that does

function picture(row, column) {
  const place = row.pictures[column], score = row.scores[column] ?? {};
  const caption = make("figcaption", {title: column}, column);
  if (place === undefined) return make("figure", {}, caption, make("div", {class: "absent"}));
  const image = make("img", {src: source(place), alt: `${row.name}, ${column}`});
  const parts = [["hole_psnr", " dB"], ["hole_ssim", ""]].filter(([key]) => typeof score[key] === "number");
  const numbers = make("div", {class: "score", title: "PSNR and SSIM in the hole"},
                       parts.map(([key, suffix]) => format(score[key], 3) + suffix).join(" · "));
  if (SEARCHED.includes(column) && row.steps.length) moving.push({row, image, numbers, result: place});
  return make("figure", {}, caption, image, numbers);
}

function crops(row) {
  return make("div", {class: "pictures"}, ...group().columns.map(column => picture(row, column)));
}

// What was cut out of a photo stands beside it, or below if that is more than a face and its completion.
function card(row) {
  const note = row.note ? [make("span", {class: "note"}, row.note)] : [];
  const faces = [row, ...row.further].map(crops);
  const heading = [make("h3", {}, row.name, ...note)];
  if (row.remarks.length) {
    heading.push(make("ul", {class: "remarks"}, ...row.remarks.map(remark => make("li", {}, remark))));
  }
  if (!row.photo) return make("article", {}, ...heading, ...faces);
  const whole = comparison(row, 50, () => enlarge(row));
  const place = row.further.length || group().columns.length > 3 ? "photo" : "photo beside";
  return make("article", {class: place, "data-photo": photos().indexOf(row)}, ...heading, whole, ...faces);
}

function showFaces() {
  const {rows, columns} = group(), first = state.page * PAGE, last = Math.min(first + PAGE, rows.length);
  moving = [];
  find("#rows").style.setProperty("--card", `${photos().length ? 380 : Math.max(columns.length, 2) * 102 - 6}px`);
  find("#rows").replaceChildren(...rows.slice(first, last).map(card));
  find("#position").textContent = rows.length ? `${first + 1}–${last} of ${rows.length}` : "no faces";
  [find("#previous").disabled, find("#next").disabled] = [first === 0, last >= rows.length];
  showStep();
}

function showStep() {
  const end = state.step >= stops.length, step = stops[state.step];
  find("#step").value = state.step;
  find("#iteration").textContent = end ? "result" : `iteration ${step}`;
  find("#step").setAttribute("aria-valuetext", find("#iteration").textContent);
  for (const {row, image, numbers, result} of moving) {
    const [, place] = row.steps.findLast(([at]) => at <= step) ?? row.steps[0];
    image.src = source(end ? result : place);
    numbers.style.visibility = end ? "visible" : "hidden";      // the scores are the result's
  }
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
  if (state.step >= stops.length) { state.step = 0; showStep(); }
  player = setInterval(() => {
    state.step += 1;
    showStep();
    if (state.step >= stops.length) play(false);
  }, Math.max(60, Math.min(400, 4000 / stops.length)));
}
