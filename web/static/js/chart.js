// Draws equity with lightweight-charts in place of the server's drawing.

const box = document.querySelector("[data-chart-library]");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const take = (name) => style.getPropertyValue(name).trim();
  return {
    text: take("--muted"),
    line: take("--line"),
    accent: take("--accent"),
    up: take("--up"),
    down: take("--down"),
    surface: take("--surface"),
  };
}

const fade = (colour, share) =>
  `rgba(${[1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)).join(", ")}, ${share})`;

function apply(chart, equity, profit) {
  const c = colours();
  chart.applyOptions({
    layout: { background: { color: c.surface }, textColor: c.text },
    grid: { vertLines: { color: c.line }, horzLines: { color: c.line } },
    rightPriceScale: { borderColor: c.line },
    timeScale: { borderColor: c.line },
  });
  equity.applyOptions({ lineColor: c.accent, topColor: fade(c.accent, 0.28), bottomColor: fade(c.accent, 0.02) });
  profit.applyOptions({
    topLineColor: c.up,
    topFillColor1: fade(c.up, 0.28),
    topFillColor2: fade(c.up, 0.04),
    bottomLineColor: c.down,
    bottomFillColor1: fade(c.down, 0.04),
    bottomFillColor2: fade(c.down, 0.28),
  });
}

const digits = new Intl.NumberFormat(document.documentElement.lang, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const SECONDS_SHOWN_WITHIN = 3600;

const points = (data, column) => data.at.map((time, index) => ({ time, value: Number(data[column][index]) }));

async function draw() {
  const [library, answer] = await Promise.all([
    import(box.dataset.chartLibrary),
    fetch(box.dataset.chartData),
  ]);
  if (!answer.ok) throw new Error(`the chart's data answered ${answer.status}`);
  const data = await answer.json();
  const isShort = data.at.at(-1) - data.at[0] < SECONDS_SHOWN_WITHIN;
  const canvas = document.createElement("div");
  canvas.className = "chart-canvas";
  box.append(canvas);
  const chart = library.createChart(canvas, {
    autoSize: true,
    layout: { fontFamily: getComputedStyle(document.body).fontFamily, attributionLogo: false }, // the page has the link
    timeScale: { timeVisible: true, secondsVisible: isShort, minBarSpacing: 0.05 },
    localization: { locale: document.documentElement.lang, priceFormatter: (price) => digits.format(price) },
  });
  const equity = chart.addSeries(library.AreaSeries, { lineWidth: 2 });
  const profit = chart.addSeries(library.BaselineSeries, { baseValue: { type: "price", price: 0 }, lineWidth: 2, visible: false });
  equity.setData(points(data, "equity"));
  profit.setData(points(data, "profit"));
  apply(chart, equity, profit);
  chart.timeScale().fitContent();
  box.dataset.drawn = "yes";
  choose(chart, equity, profit);
  const again = () => apply(chart, equity, profit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.documentElement.dataset.ready = "chart";
}

function choose(chart, equity, profit) {
  const buttons = document.querySelectorAll("[data-series]");
  buttons.forEach((button) => {
    button.addEventListener("click", () => {
      equity.applyOptions({ visible: button.dataset.series === "equity" });
      profit.applyOptions({ visible: button.dataset.series === "profit" });
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      chart.timeScale().fitContent();
    });
  });
  if (buttons.length) buttons[0].parentElement.hidden = false;
}

if (box) {
  new IntersectionObserver((entries, observer) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      // the server's drawing stays when this fails
      draw().catch((error) => console.warn("the chart could not be drawn:", error.message));
    }
  }).observe(box);
}
