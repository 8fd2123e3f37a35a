// The charts, in the page's colours: each asks its address for what it draws, and again when facts have come.
const drawn = [];
const ZONE = "America/New_York";
const form = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, ...options });
const CLOCK = form({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = form({ day: "numeric", month: "short" });
const MONTH = form({ month: "short", year: "numeric" });
const WHOLE = form({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const moment = (time) => new Date(time * 1000);

function tick(time, kind) {
  if (kind <= 1) return MONTH.format(moment(time));
  return kind === 2 ? DAY.format(moment(time)) : CLOCK.format(moment(time));
}

function look() {
  return {
    layout: {
      background: { color: "transparent" }, textColor: colour("soft"), fontSize: 11, attributionLogo: false,
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("line") },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("line") } },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderColor: colour("line"), timeVisible: true, secondsVisible: false, tickMarkFormatter: tick },
    crosshair: { vertLine: { color: colour("faint"), labelBackgroundColor: colour("lift") }, horzLine: { color: colour("faint"), labelBackgroundColor: colour("lift") } },
    localization: { timeFormatter: (time) => `${WHOLE.format(moment(time))} NY` },
  };
}

const money = { type: "custom", minMove: 0.01, formatter: (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 }) };
const share = { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(2).replace("-", "\u2212")} %` };
const plain = { type: "custom", minMove: 0.01, formatter: (value) => value.toFixed(2).replace("-", "\u2212") };

// --- equity ------------------------------------------------------------------------------------

class Equity {
  constructor(element, { LineSeries, AreaSeries, createChart }) {
    this.chart = createChart(element, { ...look(), autoSize: true, handleScale: { mouseWheel: false }, handleScroll: { mouseWheel: false } });
    this.equity = this.chart.addSeries(AreaSeries, { priceFormat: money, lineWidth: 2, priceLineVisible: false }, 0);
    this.drawdown = this.chart.addSeries(AreaSeries, { priceFormat: share, lineWidth: 1, invertFilledArea: true, priceLineVisible: false }, 1);
    this.chart.panes()[0].setStretchFactor(3);
    this.chart.panes()[1].setStretchFactor(1);
    this.last = 0;
    this.recolour();
  }

  address(src) { return this.last ? `${src}${src.includes("?") ? "&" : "?"}after=${this.last}` : src; }

  show(data) {
    const points = data.equity;
    if (this.last) {
      points.forEach((point, place) => { this.equity.update(point); this.drawdown.update(data.drawdown[place]); });
    } else {
      this.equity.setData(points);
      this.drawdown.setData(data.drawdown);
      if (data.capital) this.equity.createPriceLine({ price: data.capital, color: colour("faint"), lineWidth: 1, lineStyle: 2, axisLabelVisible: false, title: "" });
      this.chart.timeScale().fitContent();
    }
    if (points.length) this.last = points.at(-1).time;
    return points.length > 0 || this.last > 0;
  }

  recolour() {
    this.chart.applyOptions(look());
    this.equity.applyOptions({ lineColor: colour("leg-a"), topColor: `${colour("leg-a")}33`, bottomColor: `${colour("leg-a")}05` });
    this.drawdown.applyOptions({ lineColor: colour("loss"), topColor: `${colour("loss")}10`, bottomColor: `${colour("loss")}30` });
  }
}

const KINDS = { equity: Equity };

// --- all of them -------------------------------------------------------------------------------

async function load(each) {
  if (each.busy) { each.again = true; return; }
  each.busy = true;
  try {
    const answer = await fetch(each.chart.address(each.element.dataset.src));
    if (answer.ok) each.element.classList.toggle("empty", !each.chart.show(await answer.json()));
  } catch { /* the stream says that the server is away */ }
  each.busy = false;
  if (each.again) { each.again = false; load(each); }
}

export function drawCharts() {
  if (!globalThis.LightweightCharts) return;
  for (const element of document.querySelectorAll("[data-chart]")) {
    const each = { element, chart: new KINDS[element.dataset.chart](element, globalThis.LightweightCharts) };
    drawn.push(each);
    load(each);
  }
}

export function refreshCharts() { drawn.forEach(load); }

export function recolourCharts() { drawn.forEach((each) => each.chart.recolour()); }
