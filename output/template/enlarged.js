// The enlarged view of one row: its photo, or its pictures with a slider through its search.
const enlarged = find("dialog");
let shown = 0;                                          // the place of that row among those that are found

function enlarge(index) {
  show(index);
  enlarged.showModal();
}

function show(index) {
  shown = (index + rows.length) % rows.length;
  const row = rows[shown];
  find("#enlarged").textContent = row.name;
  find("#place").textContent = `${shown + 1} of ${rows.length}`;
  find("#leaf").hidden = rows.length < 2;
  find("#stage").replaceChildren(...(row.photo ? [comparison(row)] : [crops(row), ...searchSlider(row)]));
  showStep();
}

function searchSlider(row) {
  if (!row.steps.length || !stops.length) return [];
  const slider = make("input", {type: "range", min: 0, max: stops.length, "aria-label": "iteration of this face"});
  const output = make("output", {});
  const move = at => {
    output.textContent = nameStep(at);
    slider.setAttribute("aria-valuetext", nameStep(at));
  };
  slider.value = row.step ?? state.step;
  slider.oninput = () => {
    row.step = Number(slider.value);
    move(row.step);
    showStep();
  };
  move(slider.value);
  return [make("div", {class: "bar"}, slider, output)];
}

// Back on the page, what was looked at last is in sight.
function leave() {
  state.page = Math.floor(shown / PAGE);
  find("#stage").replaceChildren();
  showFaces();
  document.querySelectorAll("#rows h3 .name")[shown % PAGE].focus();
}

find("#back").onclick = () => show(shown - 1);
find("#onward").onclick = () => show(shown + 1);
enlarged.onclose = leave;
enlarged.onclick = event => { if (event.target === enlarged) enlarged.close(); };
enlarged.onkeydown = event => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (step && rows.length > 1 && event.target.type !== "range") show(shown + step);
};
