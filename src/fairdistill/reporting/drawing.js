// What the pages of this room share: data, colours, and the drawing of one figure.
const data = JSON.parse(document.getElementById("figures").textContent);
// Okabe and Ito's palette, distinguishable with any colour vision, and a few more; the symbols differ too.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F", "#B2182B", "#5E3C99"];
const SIGNS = ["circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star", "hexagon", "pentagon"];
const SIGNS_3D = ["circle", "square", "diamond", "cross", "x", "circle-open", "square-open", "diamond-open"];
const pick = (list, at) => list[at % list.length];
const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false };
const percent = (value) => (value === null ? null : 100 * value);
// Plotly interprets some HTML in its labels; names are plain text.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

let printing = false;
function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return printing ? { ink: "#000", line: "#bbb", soft: "#333" } : { ink: read("--ink"), line: read("--line"), soft: read("--soft") };
}
function axis(title, extra) {
  const c = colours();
  return { title: { text: title, font: { size: 13 } }, gridcolor: c.line, zerolinecolor: c.line, linecolor: c.line, automargin: true, ...extra };
}
function layout(extra) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colours().ink, size: 13 },
    margin: { l: 55, r: 15, t: 15, b: 50 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, ...extra,
  };
}
function show(id, traces, settings) {
  const place = document.getElementById(id);
  if (place) Plotly.react(place, traces, settings, CONFIG);
}

const LONGEST = 30; // characters of a label beside a heat map; the pointer shows all of them
const brief = (name) => ([...name].length <= LONGEST ? name : `${[...name].slice(0, LONGEST - 1).join("")}…`);
// Labels of every step-th of some categories.
function labels(names, step) {
  const at = names.map((_, place) => place).filter((place) => place % step === 0);
  return { type: "category", showgrid: false, tickmode: "array", tickvals: at, ticktext: at.map((place) => plain(brief(names[place]))) };
}
function heat(id, grid, settings) {
  const place = document.getElementById(id);
  const [rows, columns] = [data.group_names, data.class_names];
  const longest = Math.max(...columns.map((name) => brief(name).length));
  place.style.height = `${Math.max(352, 20 * rows.length + 7 * longest + 90)}px`;
  const step = Math.ceil((16 * columns.length) / Math.max(place.clientWidth, 160));
  const shown = grid.map((line) => line.map(percent));
  const few = grid.length * grid[0].length <= 200;
  show(id, [{
    type: "heatmap", x: data.class_names.map(plain), y: data.group_names.map(plain), z: shown, xgap: 1, ygap: 1,
    text: shown.map((line) => line.map((value) => (value === null ? "" : value.toFixed(settings.digits)))),
    texttemplate: few ? "%{text}" : "", hovertemplate: "%{customdata}: %{z:.1f}<extra></extra>",
    customdata: rows.map((group) => columns.map((label) => plain(`${label}, ${group}`))),
    zmin: settings.low, zmax: settings.high, colorscale: settings.scale, colorbar: { thickness: 12, outlinewidth: 0 },
  }], layout({ xaxis: axis("", labels(columns, step)), yaxis: axis("", { ...labels(rows, 1), autorange: "reversed" }), shapes: settings.shapes || [], margin: { l: 70, r: 10, t: 15, b: 60 } }));
}
function heatOfChange(id, change, harmed) {
  const largest = Math.max(1, ...change.flat().filter((value) => value !== null).map((value) => 100 * Math.abs(value)));
  const shapes = [];
  harmed.forEach((line, group) => line.forEach((worse, label) => {
    if (worse) shapes.push({ type: "rect", x0: label - 0.48, x1: label + 0.48, y0: group - 0.48, y1: group + 0.48, line: { color: colours().ink, width: 3 } });
  }));
  // Red is worse, blue is better, white is no change.
  const scale = [[0, "#B2182B"], [0.25, "#EF8A62"], [0.5, "#F7F7F7"], [0.75, "#67A9CF"], [1, "#2166AC"]];
  heat(id, change, { low: -largest, high: largest, scale, digits: 0, shapes });
}

function start(all) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  addEventListener("beforeprint", () => { printing = true; all(); });
  addEventListener("afterprint", () => { printing = false; all(); });
  all();
  document.documentElement.dataset.ready = "true";
}
