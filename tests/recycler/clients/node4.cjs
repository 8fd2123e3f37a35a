// Alpaca's JavaScript client 4: REST is redirected with fetchApi, streams with url. Says what it hears, one line of JSON each.
const { Alpaca, streaming } = require("alpaca-4");

const [http, symbol, bars] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const ws = http.replace("http", "ws");
const say = (what, value) => console.log(JSON.stringify({ what, value }));
const fail = (error) => { say("error", String(error && error.message || error)); process.exit(1); };
process.on("unhandledRejection", fail);

const credentials = { keyId: "key", secret: "secret" };
const here = (asked, init) => {
  const url = new URL(typeof asked === "string" || asked instanceof URL ? asked : asked.url);
  url.protocol = "http:";
  url.host = new URL(http).host;
  return fetch(url, init);
};
const alpaca = new Alpaca({ ...credentials, retry: false, rateLimit: false, fetchApi: here });
const stocks = new streaming.StockDataStream({ credentials, url: `${ws}/v2/iex` });
const trades = new streaming.TradingStream({ credentials, url: `${ws}/stream` });
let heard = 0;
let ready = 0;

async function onceReady() {
  ready += 1;
  if (ready < 2) return;
  const account = await alpaca.trading.account.getAccount();
  say("cash", account.cash);
  const order = await alpaca.trading.orders.market({ symbol, qty: 1, side: "buy", clientOrderId: "node-4" });
  say("order", order.clientOrderId);
  const asset = await alpaca.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: symbol });
  say("asset", asset.symbol);
  say("ready", true);
}

stocks.onConnect(() => stocks.subscribeForBars([symbol]));
stocks.onError(fail);
stocks.onBar((bar) => {
  heard += 1;
  if (heard <= bars) say("bar", [bar.symbol, bar.close, bar.volume, bar.timestamp]);
  if (heard === bars) finish().catch(fail);
});
stocks.onSubscription?.(() => {});
trades.onError(fail);
trades.onConnect(() => { trades.subscribeTradeUpdates?.(); trades.subscribe?.(["trade_updates"]); setTimeout(() => onceReady().catch(fail), 300); });
(trades.onTradeUpdate || trades.onOrderUpdate).call(trades, (update) => say("update", [update.event, update.order.clientOrderId ?? update.order.client_order_id]));
setTimeout(() => onceReady().catch(fail), 1000);

async function finish() {
  const positions = await alpaca.trading.positions.getAllOpenPositions();
  say("positions", positions.map((p) => [p.symbol, String(p.qty)]));
  const history = await alpaca.marketData.getStockBarsFor(symbol, { start: new Date("2023-01-04T14:30:00Z"), end: new Date("2023-01-04T14:32:00Z"), timeframe: "1Min" });
  say("history", history.map((bar) => bar.close));
  const clock = await alpaca.trading.clock.legacyClock?.() ?? {};
  say("clock", clock.isOpen ?? null);
  say("done", true);
  process.exit(0);
}

stocks.connect();
trades.connect();
