function chosen(what) {
  const select = document.querySelector(`select[data-for="${what}"]`);
  return select ? Number(select.value) : 0;
}

function tradeOff() {
  const rows = data.rows.filter((row) => row.deo_a.value !== null);
  const traces = rows.map((row, at) => ({
    type: "scatter", mode: "markers", name: plain(row.label), x: [percent(row.accuracy.value)], y: [percent(row.deo_a.value)],
    marker: { size: 11, color: pick(COLOURS, at), symbol: pick(SIGNS, at) },
    error_x: ends(row.accuracy, at), error_y: ends(row.deo_a, at),
    hovertemplate: `${plain(row.label)}<br>accuracy %{x:.1f}, DEO_A %{y:.1f}<extra></extra>`,
  }));
  const floors = rows.map((row) => row.deo_a);
  const shapes = floors.length === 0 ? [] : [{
    type: "rect", xref: "paper", x0: 0, x1: 1, layer: "below", line: { width: 0 }, fillcolor: "rgba(127,127,127,0.22)",
    y0: percent(Math.min(...floors.map((each) => each.floor_low))), y1: percent(Math.max(...floors.map((each) => each.floor_high))),
  }];
  const notes = floors.length === 0 ? [] : [{
    xref: "paper", x: 0.01, xanchor: "left", y: shapes[0].y0, yanchor: "bottom", text: "by chance alone", showarrow: false, font: { color: colours().soft },
  }];
  show("trade-off", traces, layout({
    xaxis: axis("Accuracy, percent"), yaxis: axis("DEO_A, percent", { rangemode: "tozero" }), shapes, annotations: notes,
  }));
}
function ends(value, at) {
  return {
    type: "data", symmetric: false, array: [percent(value.high - value.value)], arrayminus: [percent(value.value - value.low)],
    color: pick(COLOURS, at), thickness: 1.2, width: 3,
  };
}

function cells() {
  const row = data.rows[chosen("cells")];
  const every = data.rows.flatMap((each) => each.cells.flat()).filter((value) => value !== null);
  const low = 10 * Math.floor(10 * Math.min(1, ...every)); // one scale for all methods
  heat("cell-accuracy", row.cells, { low: Math.min(low, 90), high: 100, scale: "Cividis", digits: 0 });
  const place = document.getElementById("cell-change");
  place.closest("figure").hidden = row.change === null;
  if (row.change === null) return;
  heatOfChange("cell-change", row.change, row.harmed);
}

function curves() {
  for (const [id, key, title] of [["curve-accuracy", "accuracy", "Accuracy, percent"], ["curve-deo", "deo_a", "DEO_A, percent"]]) {
    const traces = data.rows.flatMap((row, at) => row.curves.map((run, which) => ({
      type: "scatter", mode: "lines", name: plain(row.label), legendgroup: String(at), showlegend: which === 0, x: run.step, y: run[key].map(percent),
      line: { color: pick(COLOURS, at), width: 1.6, dash: pick(["solid", "dash", "dot", "dashdot"], Math.floor(at / COLOURS.length)) },
      hovertemplate: `${plain(row.label)}, seed ${run.seed}<br>step %{x}: %{y:.1f}<extra></extra>`,
    })));
    show(id, traces, layout({ xaxis: axis("Step", { rangemode: "tozero" }), yaxis: axis(title, { rangemode: "tozero" }) }));
  }
}

const EYE = { x: 1.15, y: 1.15, z: 0.55 };
function pictures() {
  if (!data.pictures.length) return;
  const picture = data.pictures[chosen("pictures")];
  document.getElementById("picture-n").textContent = picture.n.toLocaleString("en");
  for (const who of ["student", "teacher"]) {
    for (const figure of document.querySelectorAll(`.pictures .${who}`)) figure.hidden = picture[who] === null;
    if (picture[who] === null) continue;
    for (const [by, codes, names] of [["class", picture.labels, data.class_names], ["group", picture.groups, data.group_names]]) {
      const flat = picture[who].length === 2;
      const traces = names.map((name, at) => {
        const rows = codes.flatMap((code, row) => (code === at ? [row] : []));
        const [x, y, z] = picture[who].map((line) => rows.map((row) => line[row]));
        const marker = { size: flat ? 5 : 2.6, color: pick(COLOURS, at), opacity: 0.8, symbol: flat ? pick(SIGNS, at) : pick(SIGNS_3D, at) };
        const common = { mode: "markers", name: plain(name), marker, hovertemplate: `${plain(name)}<extra></extra>` };
        return flat ? { type: "scattergl", x, y, ...common } : { type: "scatter3d", x, y, z, ...common };
      });
      const bare = { showticklabels: false, title: { text: "" }, gridcolor: colours().line, zerolinecolor: colours().line, showspikes: false, showbackground: false };
      const room = flat ? { xaxis: axis("", bare), yaxis: axis("", bare) } : { scene: { xaxis: bare, yaxis: bare, zaxis: bare, camera: { eye: { ...EYE } }, aspectmode: "cube" } };
      show(`${who}-${by}`, traces, layout({ ...room, margin: { l: 0, r: 0, t: 0, b: 0 }, legend: { orientation: "h", y: 0, itemsizing: "constant" } }));
    }
  }
}
function turn(angle) {
  const [x, y] = [EYE.x, EYE.y];
  EYE.x = x * Math.cos(angle) - y * Math.sin(angle);
  EYE.y = x * Math.sin(angle) + y * Math.cos(angle);
  for (const place of document.querySelectorAll(".pictures .plot")) {
    if (place.data && place.data[0] && place.data[0].type === "scatter3d") Plotly.relayout(place, { "scene.camera.eye": { ...EYE } });
  }
}

function all() {
  tradeOff();
  cells();
  curves();
  pictures();
}
for (const select of document.querySelectorAll("select.choose")) {
  select.addEventListener("change", select.dataset.for === "cells" ? cells : pictures);
}
for (const button of document.querySelectorAll("button[data-turn]")) {
  button.addEventListener("click", () => turn(Number(button.dataset.turn)));
}
start(all);
