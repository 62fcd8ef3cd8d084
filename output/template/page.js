// What is shown, and the start.
const selects = document.querySelectorAll("select");    // two, which agree
const masks = [...new Set([...data.summary, ...data.groups].map(item => item.mask))];
const state = {mask: masks[0], sort: null, down: false, page: 0, step: 0};

// Settings as pairs of text, those of an inner record after its name.
function flatten(value, name = "") {
  if (Array.isArray(value)) return [[name, value.map(item => flatten(item).map(pair => pair[1]).join(" ")).join(", ")]];
  if (value === null || typeof value !== "object") return [[name, String(value ?? "–")]];
  return Object.entries(value).flatMap(([key, item]) => flatten(item, name ? `${name} ${key}` : key));
}

function choose(mask) {
  play(false);
  state.mask = mask;
  stops = [...new Set(group().rows.flatMap(row => row.steps.map(([step]) => step)))].sort((a, b) => a - b);
  [state.page, state.step, find("#step").max] = [0, stops.length, stops.length];
  find("#search").hidden = !stops.length;
  find("#guide").hidden = !photos().length;
  find("#tools h2").textContent = photos().length ? "Photos" : "Faces";
  find("#legend").hidden = !group().rows.flatMap(row => Object.values(row.scores))
    .some(score => typeof score.hole_ssim === "number");
  for (const select of selects) select.value = mask;
  if (data.summary.length) showResults();
  showFaces();
}

for (const word of document.querySelectorAll(".word")) word.textContent = data.groups_of;
find("#figures").append(...data.figures.map(([text, place]) =>
  make("figure", {}, make("figcaption", {}, text), make("img", {src: source(place), alt: text}))));
document.title = find("#title").textContent = data.title;
const settings = flatten(data.settings ?? {});
find("dl").append(...settings.flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, value)]));
for (const [part, content] of [["#settings", settings], ["#figures", data.figures], ["#results", data.summary], ["#faces", data.groups]]) {
  find(part).hidden = !content.length;
}
for (const select of selects) {
  select.append(...masks.map(mask => make("option", {value: mask}, mask)));
  select.disabled = masks.length < 2;
  select.onchange = () => choose(select.value);
}
[find("#all").hidden, find("#all input").onchange] = [masks.length < 2, showTable];
[find("#previous").onclick, find("#next").onclick] = [() => turn(-1), () => turn(1)];
find("#step").oninput = () => { play(false); state.step = Number(find("#step").value); showStep(); };
find("#play").onclick = () => play(player === null);
choose(masks[0]);
