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

const dollars = (places) => ({ type: "custom", minMove: 10 ** -places, formatter: (value) => value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }) });
const WHOLE_DOLLARS = dollars(0), CENTS = dollars(2);
const NARROW = 20;
const share = { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(2).replace("-", "\u2212")} %` };
const plain = { type: "custom", minMove: 0.01, formatter: (value) => value.toFixed(2).replace("-", "\u2212") };

// --- equity ------------------------------------------------------------------------------------

class Equity {
  constructor(element, { LineSeries, AreaSeries, createChart }) {
    this.chart = createChart(element, { ...look(), autoSize: true, handleScale: { mouseWheel: false }, handleScroll: { mouseWheel: false } });
    this.equity = this.chart.addSeries(AreaSeries, { priceFormat: WHOLE_DOLLARS, lineWidth: 2, priceLineVisible: false }, 0);
    this.drawdown = this.chart.addSeries(AreaSeries, { priceFormat: share, lineWidth: 1, invertFilledArea: true, priceLineVisible: false }, 1);
    this.chart.panes()[0].setStretchFactor(3);
    this.chart.panes()[1].setStretchFactor(1);
    this.last = 0;
    this.count = 0;
    this.low = Infinity;
    this.high = -Infinity;
    this.recolour();
  }

  address(src) { return this.last ? `${src}${src.includes("?") ? "&" : "?"}after=${this.last}` : src; }

  show(data) {
    const points = data.equity;
    this.measure(points);
    if (this.last) {
      points.forEach((point, place) => { this.equity.update(point); this.drawdown.update(data.drawdown[place]); });
    } else {
      this.equity.setData(points);
      this.drawdown.setData(data.drawdown);
      if (data.capital) this.equity.createPriceLine({ price: data.capital, color: colour("faint"), lineWidth: 1, lineStyle: 2, axisLabelVisible: false, title: "" });
      this.chart.timeScale().fitContent();
    }
    this.count += points.length;
    if (points.length) this.last = points.at(-1).time;
    return points.length > 0 || this.last > 0;
  }

  measure(points) {
    for (const { value } of points) { this.low = Math.min(this.low, value); this.high = Math.max(this.high, value); }
    const span = this.high - this.low;
    this.equity.applyOptions({ priceFormat: span > 0 && span < NARROW ? CENTS : WHOLE_DOLLARS });
  }

  recolour() {
    this.chart.applyOptions(look());
    this.equity.applyOptions({ lineColor: colour("leg-a"), topColor: `${colour("leg-a")}33`, bottomColor: `${colour("leg-a")}05` });
    this.drawdown.applyOptions({ lineColor: colour("loss"), topColor: `${colour("loss")}10`, bottomColor: `${colour("loss")}30` });
  }
}

// --- spread ------------------------------------------------------------------------------------

// The room between two edges, filled: what the model expected.
class Band {
  constructor() { this.data = null; this.options = null; }
  renderer() { return this; }
  update(data, options) { this.data = data; this.options = options; }
  priceValueBuilder(point) { return [point.low, point.high]; }
  isWhitespace(point) { return point.low === undefined; }
  defaultOptions() { return { ...globalThis.LightweightCharts.customSeriesDefaultOptions, fill: "#8884" }; }
  draw(target, toY) {
    const range = this.data?.visibleRange;
    if (!range) return;
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio: wide, verticalPixelRatio: high }) => {
      context.fillStyle = this.options.fill;
      for (const run of runs(this.data.bars, range, this.data.barSpacing)) {
        context.beginPath();
        run.forEach((bar, place) => context[place ? "lineTo" : "moveTo"](bar.x * wide, toY(bar.originalData.high) * high));
        run.reverse().forEach((bar) => context.lineTo(bar.x * wide, toY(bar.originalData.low) * high));
        context.closePath();
        context.fill();
      }
    });
  }
}

function runs(bars, range, spacing) {
  const found = [];
  for (let place = Math.max(0, range.from - 1); place < Math.min(bars.length, range.to + 1); place += 1) {
    const last = found.at(-1);
    if (last && bars[place].x - last.at(-1).x < spacing * 1.5) last.push(bars[place]);
    else found.push([bars[place]]);
  }
  return found;
}

class Spread {
  constructor(element, { LineSeries, createChart, createSeriesMarkers }) {
    this.chart = createChart(element, { ...look(), autoSize: true, handleScale: { mouseWheel: false }, handleScroll: { mouseWheel: false } });
    const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
    this.band = this.chart.addCustomSeries(new Band(), { priceFormat: plain, ...quiet }, 0);
    this.z = this.chart.addSeries(LineSeries, { priceFormat: plain, lineWidth: 2, priceLineVisible: false }, 0);
    this.stop = this.chart.addSeries(LineSeries, { priceFormat: plain, lineWidth: 1, lineStyle: 2, ...quiet }, 0);
    this.a = this.chart.addSeries(LineSeries, { priceFormat: share, lineWidth: 1, priceLineVisible: false }, 1);
    this.b = this.chart.addSeries(LineSeries, { priceFormat: share, lineWidth: 1, priceLineVisible: false }, 1);
    this.marks = createSeriesMarkers(this.z, []);
    this.chart.panes()[0].setStretchFactor(3);
    this.chart.panes()[1].setStretchFactor(1);
    this.z.priceScale().applyOptions({ scaleMargins: { top: 0.1, bottom: 0.1 } });
    this.levels = [];
    this.count = 0;
    this.recolour();
  }

  address(src) { return src; }

  show(data) {
    const fresh = !this.data;
    this.data = data;
    this.z.setData(data.z);
    this.band.setData(data.band);
    this.stop.setData(data.stop);
    this.a.setData(data.a);
    this.b.setData(data.b);
    if (fresh) {
      const { enter, stop } = data.levels;
      const lines = [[enter, "soft", 2], [-enter, "soft", 2], [stop, "loss", 1], [-stop, "loss", 1], [0, "faint", 0]];
      this.levels = lines.map(([price, ink, lineStyle]) => ({ ink, line: this.z.createPriceLine({ price, color: colour(ink), lineWidth: 1, lineStyle, axisLabelVisible: false, title: "" }) }));
      this.z.applyOptions({ autoscaleInfoProvider: (own) => { const info = own(); if (info?.priceRange) { info.priceRange.minValue = Math.min(info.priceRange.minValue, -enter * 1.1); info.priceRange.maxValue = Math.max(info.priceRange.maxValue, enter * 1.1); } return info; } });
      this.chart.timeScale().fitContent();
    }
    this.a.applyOptions({ title: data.names[0] });
    this.b.applyOptions({ title: data.names[1] });
    this.mark();
    this.count = data.z.length;
    return data.z.length > 0;
  }

  mark() {
    const look = {
      long: { position: "belowBar", shape: "arrowUp", ink: "leg-a" }, short: { position: "aboveBar", shape: "arrowDown", ink: "leg-a" },
      exit: { position: "aboveBar", shape: "circle", ink: "gain" }, stop: { position: "aboveBar", shape: "square", ink: "loss" },
    };
    this.marks.setMarkers((this.data?.marks ?? []).map(({ time, kind, text, up, won }) => {
      const { position, shape, ink } = look[kind];
      return { time, shape, text, color: colour(won === undefined ? ink : won ? "gain" : "loss"), position: up === false ? "belowBar" : position };
    }));
  }

  recolour() {
    this.chart.applyOptions(look());
    this.z.applyOptions({ color: colour("ink") });
    this.band.applyOptions({ fill: `${colour("band")}38` });
    this.stop.applyOptions({ color: colour("loss") });
    this.a.applyOptions({ color: colour("leg-a") });
    this.b.applyOptions({ color: colour("leg-b") });
    this.levels.forEach(({ ink, line }) => line.applyOptions({ color: colour(ink) }));
    this.mark();
  }
}

const KINDS = { equity: Equity, spread: Spread };

// --- all of them -------------------------------------------------------------------------------

async function load(each) {
  if (each.busy) { each.again = true; return; }
  each.busy = true;
  try {
    const answer = await fetch(each.chart.address(each.element.dataset.src));
    if (answer.ok) {
      each.element.classList.toggle("empty", !each.chart.show(await answer.json()));
      each.element.dataset.drawn = each.chart.count;
    }
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
