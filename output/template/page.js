// What is shown, and the start.
const selects = document.querySelectorAll(".masks");    // two, which agree
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
  findStops();
  offerOrders();
  state.step = find("#step").max = stops.length;
  find("#search").hidden = !stops.length;
  find("#guide").textContent = photos() ? "Drag across a photo to see it before and after; a click or Enter enlarges it."
    : "A click on a picture, or Enter on its name, enlarges it.";
  find("#tools h2").textContent = photos() ? "Photos" : "Faces";
  for (const select of selects) select.value = mask;
  if (data.summary.length) showResults();
  arrange();
}

for (const word of document.querySelectorAll(".word")) word.textContent = data.groups_of;
find("#figures").append(...data.figures.map(([text, place]) =>
  make("figure", {}, make("figcaption", {}, text), make("img", {src: source(place), alt: text}))));
document.title = find("#title").textContent = data.title;
const settings = flatten(data.settings ?? {});
find("#facts").append(...list(data.facts));
find("#settings dl").append(...list(settings));
find("#failures dl").append(...list(data.failures));
find("#failures summary").textContent = `${data.failures.length} failed`;
find("#failures").open = data.failures.length <= PAGE;
find("#warning").textContent = data.warning;
for (const [part, content] of [["#facts", data.facts], ["#settings", settings], ["#failures", data.failures],
                               ["#figures", data.figures], ["#results", data.summary], ["#faces", data.groups]]) {
  find(part).hidden = !content.length;
}
for (const select of selects) {
  select.append(...masks.map(mask => make("option", {value: mask}, mask)));
  select.disabled = masks.length < 2;
  select.setAttribute("aria-label", data.groups_of);    // where its word is hidden
  select.onchange = () => choose(select.value);
}
[find("#all").hidden, find("#all input").onchange] = [masks.length < 2, showTable];
[find("#previous").onclick, find("#next").onclick] = [() => turn(-1), () => turn(1)];
[find("#order").onchange, find("#query").oninput] = [arrange, arrange];
find("#step").oninput = () => { play(false); moveAll(Number(find("#step").value)); };
find("#play").onclick = () => play(player === null);
new ResizeObserver(() => find("#rows").style.setProperty("--bar", `${find("#tools").offsetHeight}px`)).observe(find("#tools"));
offerMetrics();
choose(masks[0]);
