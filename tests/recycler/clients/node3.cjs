// Alpaca's JavaScript client 3: it insists on wss for market data. Says what it hears, one line of JSON each.
const Alpaca = require("alpaca-3");

const [http, symbol, bars] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const say = (what, value) => console.log(JSON.stringify({ what, value }));
const fail = (error) => { say("error", String(error && error.message || error)); process.exit(1); };

const alpaca = new Alpaca({
  keyId: "key", secretKey: "secret", paper: true, feed: "iex",
  baseUrl: http, dataBaseUrl: http, dataStreamUrl: http,
});
const stocks = alpaca.data_stream_v2;
const trades = alpaca.trade_ws;
let heard = 0;
let ready = 0;

async function onceReady() {
  ready += 1;
  if (ready < 2) return;
  const account = await alpaca.getAccount();
  say("cash", account.cash);
  const order = await alpaca.createOrder({ symbol, qty: 1, side: "buy", type: "market", time_in_force: "day", client_order_id: "node-3" });
  say("order", order.client_order_id);
  const assets = await alpaca.getAsset(symbol);
  say("asset", assets.symbol);
  say("ready", true);
}

stocks.onConnect(() => stocks.subscribeForBars([symbol]));
stocks.onError(fail);
stocks.onStockBar((bar) => {
  heard += 1;
  if (heard <= bars) say("bar", [bar.Symbol, bar.ClosePrice, bar.Volume, bar.Timestamp]);
  if (heard === bars) finish().catch(fail);
});
stocks.onStateChange((state) => { if (state === "authenticated") onceReady().catch(fail); });

trades.onConnect(() => trades.subscribe(["trade_updates"]));
trades.onError(fail);
trades.onOrderUpdate((update) => say("update", [update.event, update.order.client_order_id]));
trades.onStateChange((state) => { if (state === "authenticated" || state === "connected") { if (!trades.counted) { trades.counted = true; onceReady().catch(fail); } } });

async function finish() {
  const positions = await alpaca.getPositions();
  say("positions", positions.map((p) => [p.symbol, p.qty]));
  const page = alpaca.getBarsV2(symbol, { start: "2023-01-04T14:30:00Z", end: "2023-01-04T14:32:00Z", timeframe: "1Min" });
  const history = [];
  for await (const bar of page) history.push(bar.ClosePrice);
  say("history", history);
  const clock = await alpaca.getClock();
  say("clock", clock.is_open);
  say("done", true);
  process.exit(0);
}

stocks.connect();
trades.connect();
