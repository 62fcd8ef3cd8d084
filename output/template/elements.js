// What the page carries, and how text and pictures of it become elements.
const data = JSON.parse(document.getElementById("data").textContent);
const find = selector => document.querySelector(selector);
const SVG = find("template").content.firstElementChild.namespaceURI;
const source = place => `data:${data.format};base64,${data.pictures[place]}`;
const label = metric => metric.replaceAll("_", " ").replace(/psnr|ssim|\bl1/g, word => word.toUpperCase());

// Text becomes text nodes, never markup: names of files may look like tags.
function make(tag, attributes = {}, ...children) {
  const drawn = /^(svg|g|line|circle|text|title)$/.test(tag);
  const element = drawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Words with hyphens, such as options, stay on one line.
const words = text => text.split(/( )/).map(word => word.includes("-") ? make("span", {}, word) : word);
const list = pairs => pairs.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, ...words(text))]);

function format(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  return (Math.abs(value) >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits)).replace("-", "−");
}

// Compares by what `value` gives of two things; what has none comes last.
function by(value, down = false) {
  return (a, b) => {
    const first = value(a) ?? null, second = value(b) ?? null;
    if (first === null || second === null) return (first === null) - (second === null);
    const order = typeof first === "string" ? first.localeCompare(second, "en", {numeric: true}) : first - second;
    return down ? -order : order;
  };
}
