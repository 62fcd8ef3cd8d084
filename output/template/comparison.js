// Whole photos: before and after laid over each other, a slider between them, and the enlarged view.
const SIDES = ["before", "after"], DRAG = 4;            // pixels that a pointer must move before it is no click
const photos = () => group().rows.filter(row => row.photo);
const enlarged = find("dialog");
let shown = 0;                                          // place of the enlarged photo among all

function layer(row, index) {
  const {places, width, height} = row.photo, side = SIDES[index];
  const image = make("img", {src: source(places[index]), alt: `${row.name}, ${side}`, width, height, draggable: false});
  return make("div", {class: side}, image, make("span", {class: "side"}, side));
}

// What is left of the slider shows the photo as given. `click`: what a click or Enter does; without it a click slides.
function comparison(row, at, click) {
  const slider = make("input", {type: "range", "aria-label": `${row.name}: before and after`});
  const figure = make("figure", {class: "comparison"}, layer(row, 0), layer(row, 1), slider,
                      make("div", {class: "handle"}));
  const slide = at => {
    slider.value = at;
    slider.setAttribute("aria-valuetext", `before up to ${slider.value} %`);
    figure.style.setProperty("--at", `${at}%`);
  };
  figure.style.setProperty("--aspect", row.photo.width / row.photo.height);
  slider.oninput = () => slide(slider.value);
  slider.onkeydown = event => {
    if (event.key !== "Enter" || event.repeat || !click) return;
    event.preventDefault();                             // or it would press the button that is focused next
    click();
  };
  slide(at);
  followPointer(figure, slide, click ?? slide);
  return figure;
}

// A drag slides wherever it begins; touch still scrolls the page up and down.
function followPointer(figure, slide, click) {
  let start = null, dragged = false;
  const place = event => {
    const {left, width} = figure.getBoundingClientRect();
    return Math.max(0, Math.min(100, 100 * (event.clientX - left) / width));
  };
  figure.onpointerdown = event => {
    if (event.button) return;
    [start, dragged] = [event.clientX, false];
    figure.setPointerCapture(event.pointerId);
  };
  figure.onpointermove = event => {
    if (start === null) return;
    dragged ||= Math.abs(event.clientX - start) >= DRAG;
    if (dragged) slide(place(event));
  };
  figure.onpointerup = figure.onpointercancel = () => { start = null; };
  figure.onclick = event => { if (!dragged) click(place(event)); };
}

function enlarge(row) {
  show(photos().indexOf(row), 50);
  enlarged.showModal();
}

function show(index, at) {
  const row = photos().at(index % photos().length);
  shown = photos().indexOf(row);
  find("#photo").textContent = row.name;
  find("#place").textContent = `${shown + 1} of ${photos().length}`;
  find("#leaf").hidden = photos().length < 2;
  find("#stage").replaceChildren(comparison(row, at));
}

function leaf(by) {
  show(shown + by, find("#stage input").value);
}

// Back on the page, the photo that was looked at last is in sight.
function leave() {
  state.page = Math.floor(group().rows.indexOf(photos()[shown]) / PAGE);
  showFaces();
  find(`#rows [data-photo="${shown}"] input`).focus();
}

find("#back").onclick = () => leaf(-1);
find("#onward").onclick = () => leaf(1);
enlarged.onclose = leave;
enlarged.onclick = event => { if (event.target === enlarged) enlarged.close(); };
enlarged.onkeydown = event => {
  const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (by && photos().length > 1 && event.target.type !== "range") leaf(by);
};
