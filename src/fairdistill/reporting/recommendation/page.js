const SHAPES = { deployed: "star", head: "circle", line: "circle-open", correction: "triangle-up", student: "square" };
const HUES = { deployed: 1, head: 0, line: 5, correction: 4, student: 2 }; // places in COLOURS

function front() {
  if (!document.getElementById("front")) return;
  const at = (points) => ({ x: points.map((each) => percent(each.balanced_accuracy)), y: points.map((each) => percent(each.deo_a)) });
  const best = data.points.filter((each) => each.on_front).sort((one, other) => one.balanced_accuracy - other.balanced_accuracy);
  const traces = [{ type: "scatter", mode: "lines", name: "front", ...at(best), line: { color: colours().soft, width: 1.5, dash: "dash" }, hoverinfo: "skip" }];
  for (const family of ["line", "head", "student", "correction", "deployed"]) {
    const points = data.points.filter((each) => each.family === family);
    if (!points.length) continue;
    traces.push({
      type: "scatter", mode: "markers", name: data.families[family], ...at(points), text: points.map((each) => plain(each.label)),
      marker: { symbol: SHAPES[family], size: { line: 5, deployed: 15 }[family] || 10, color: COLOURS[HUES[family]] },
      hovertemplate: "%{text}<br>subgroups equally %{x:.1f}, DEO_A %{y:.1f}<extra></extra>",
    });
  }
  const picked = data.points.filter((each) => each.chosen);
  if (picked.length) {
    traces.push({ type: "scatter", mode: "markers", name: "picked by the rule", ...at(picked), hoverinfo: "skip", marker: { symbol: "circle-open", size: 19, color: colours().ink, line: { width: 2 } } });
  }
  const named = data.points.filter((each) => each.family === "deployed" || each.chosen);
  const annotations = named.map((each) => ({
    x: percent(each.balanced_accuracy), y: percent(each.deo_a), ax: 0, ay: each.chosen ? 30 : -30, standoff: 9, arrowhead: 0, arrowcolor: colours().ink, font: { color: colours().ink },
    text: each.family === "deployed" ? "your model" : `${plain(each.label)}`,
  }));
  const highest = Math.max(...data.points.map((each) => percent(each.deo_a)), 1);
  show("front", traces, layout({
    xaxis: axis("Accuracy, subgroups equally, percent"), yaxis: axis("DEO_A, percent", { range: [-0.12 * highest, 1.12 * highest], zeroline: true }), annotations,
  }));
}

function subgroups() {
  const place = document.getElementById("each-subgroup");
  if (!place) return heats();
  const lines = [...data.lines].filter((line) => line.before !== null).sort((one, other) => one.before - other.before).reverse(); // the first is drawn lowest
  place.style.height = `${Math.max(180, 22 * lines.length + 110)}px`;
  const y = lines.map((line) => plain(`${line.class} (${line.group})`));
  const trace = (name, key, marker) => ({
    type: "scatter", mode: "markers", name, x: lines.map((line) => percent(line[key])), y, marker,
    hovertemplate: "%{y}: %{x:.1f}<extra></extra>",
  });
  const traces = [trace("your model", "before", { symbol: "circle-open", size: 10, color: COLOURS[1], line: { width: 2 } })];
  const both = lines.some((line) => line.after !== null);
  if (both) traces.push(trace(plain(data.picked || "candidate"), "after", { symbol: "diamond", size: 10, color: COLOURS[0] }));
  const shapes = !both ? [] : lines.map((line, at) => ({
    type: "line", layer: "below", x0: percent(line.before), x1: percent(line.after), y0: at, y1: at, line: { color: colours().soft, width: 2 },
  }));
  show("each-subgroup", traces, layout({
    xaxis: axis("Accuracy, percent"), yaxis: axis("", { type: "category", dtick: 1, showgrid: true }), shapes, margin: { l: 20, r: 15, t: 15, b: 50 },
  }));
}
function heats() {
  const grid = (read) => data.group_names.map((_, group) => data.class_names.map((_, label) => read(data.lines[group * data.class_names.length + label])));
  const changed = data.lines.some((line) => line.after !== null);
  const shown = grid((line) => (changed ? line.after : line.before));
  const low = 10 * Math.floor(10 * Math.min(0.9, ...shown.flat().filter((value) => value !== null)));
  heat("cell-accuracy", shown, { low, high: 100, scale: "Cividis", digits: 0 });
  if (!changed) return;
  heatOfChange("cell-change", grid((line) => (line.change ? line.change.value : null)), grid((line) => Boolean(line.change && line.change.harmed)));
}

const button = document.getElementById("copy");
if (button) {
  const status = document.getElementById("copied");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const command = document.getElementById("command");
    try {
      await navigator.clipboard.writeText(command.textContent);
      status.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(command); // the browser allows no access to the clipboard
      status.textContent = "Selected: copy it with your keyboard.";
    }
  });
}
start(() => {
  front();
  subgroups();
});
