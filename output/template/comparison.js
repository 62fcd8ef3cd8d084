// Whole photos: before and after laid over each other, and a slider between them.
const SIDES = ["before", "after"], DRAG = 4;            // pixels that a pointer must move before it is no click
const photos = () => group().rows.some(row => row.photo);

function layer(row, index) {
  const {places, width, height} = row.photo, side = SIDES[index];
  const image = make("img", {src: source(places[index]), alt: `${row.name}, ${side}`, width, height, draggable: false});
  return make("div", {class: side}, image, make("span", {class: "side"}, side));
}

// What is left of the slider shows the photo as given; where it is, the row keeps. `click`: what a click or Enter does;
// without it a click slides.
function comparison(row, click) {
  const slider = make("input", {type: "range", "aria-label": `${row.name}: before and after`});
  const figure = make("figure", {class: "comparison"}, layer(row, 0), layer(row, 1), slider,
                      make("div", {class: "handle"}));
  const slide = at => {
    slider.value = row.at = at;
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
  slide(row.at ?? 50);
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
