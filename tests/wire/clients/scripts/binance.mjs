import { USDMClient, WebsocketAPIClient, WebsocketClient } from "binance";
import { finish, key, secret, sockets, step, symbol, until, url } from "./steps.mjs";

const client = new USDMClient({ api_key: key, api_secret: secret, baseUrl: url });
const silent = { trace() {}, info() {}, error() {} };
const heard = [];
const told = new WebsocketClient({ api_key: key, api_secret: secret, wsUrl: sockets, restOptions: { baseUrl: url } }, silent);
const shown = new WebsocketClient({ wsUrl: sockets }, silent);
const trades = [];
shown.on("message", (message) => trades.push(message));
told.on("message", (message) => heard.push(message));

await step("time", async () => typeof (await client.getServerTime()), "number");
await step("markets", async () => {
  const info = await client.getExchangeInfo();
  const row = info.symbols.find((each) => each.symbol === symbol);
  return [row.status, row.filters.find((each) => each.filterType === "PRICE_FILTER").tickSize];
}, ["TRADING", "0.1"]);
await step("book", async () => {
  const book = await client.getOrderBook({ symbol, limit: 5 });
  return [book.bids, book.asks];
}, [[["49999.0", "20.000"]], [["50001.0", "20.000"]]]);
await step("mark price", async () => (await client.getMarkPrice({ symbol })).markPrice, "50000.0");
await step("premium candles", async () => (await client.getPremiumIndexKlines({ symbol, interval: "1m" })).length > 0, true);
await step("balance", async () => (await client.getBalanceV3()).find((row) => row.asset === "USDT").balance, "10000");
await step("account", async () => (await client.getAccountInformationV3()).totalWalletBalance, "10000");
await step("commission", async () => (await client.getAccountCommissionRate({ symbol })).takerCommissionRate, "0.00055");
await step("leverage", async () => (await client.setLeverage({ symbol, leverage: 5 })).leverage, 5);
await step("market stream", async () => {
  shown.subscribe(`${symbol.toLowerCase()}@bookTicker`, "usdmPublic");
  await until(() => trades.some((message) => message.e === "bookTicker"), () => trades);
  const { b, a } = trades.find((message) => message.e === "bookTicker");
  return [b, a];
}, ["49999.0", "50001.0"]);
await step("user stream", async () => {
  let isOpen = false;
  told.on("open", () => { isOpen = true; });
  told.on("exception", (error) => heard.push(error));
  await told.subscribeUsdFuturesUserDataStream();
  await until(() => isOpen, () => heard);
  return isOpen;
}, true);
let resting;
await step("place", async () => {
  resting = await client.submitNewOrder({ symbol, side: "BUY", type: "LIMIT", quantity: "0.01", price: "40000", timeInForce: "GTC" });
  return [resting.status, resting.price];
}, ["NEW", "40000.0"]);
await step("amend", async () => (await client.modifyOrder({ symbol, side: "BUY", orderId: resting.orderId, quantity: "0.02", price: "41000" })).origQty, "0.020");
await step("open orders", async () => (await client.getAllOpenOrders({ symbol })).map((row) => row.price), ["41000.0"]);
await step("cancel", async () => (await client.cancelOrder({ symbol, orderId: resting.orderId })).status, "CANCELED");
await step("till a date", async () => {
  const goodTillDate = Date.now() + 3_600_000;
  const made = await client.submitNewOrder({ symbol, side: "BUY", type: "LIMIT", quantity: "0.01", price: "40000", timeInForce: "GTD", goodTillDate });
  await client.cancelAllOpenOrders({ symbol });
  return [made.timeInForce, made.goodTillDate - Math.floor(goodTillDate / 1_000) * 1_000];
}, ["GTD", 0]);
await step("market order", async () => {
  const made = await client.submitNewOrder({ symbol, side: "BUY", type: "MARKET", quantity: "0.01", newOrderRespType: "RESULT" });
  return [made.status, made.avgPrice, made.executedQty];
}, ["FILLED", "50001", "0.010"]);
await step("position", async () => (await client.getPositionsV3({ symbol })).map((row) => [row.positionAmt, row.entryPrice]), [["0.010", "50001"]]);
await step("fills", async () => (await client.getAccountTrades({ symbol })).map((row) => [row.price, row.commission]), [["50001.0", "0.2750055"]]);
await step("a stop", async () => {
  const made = await client.submitNewAlgoOrder({ algoType: "CONDITIONAL", symbol, side: "SELL", type: "STOP_MARKET", quantity: "0.01", triggerPrice: "45000" });
  const open = await client.getOpenAlgoOrders({ symbol });
  await client.cancelAlgoOrder({ algoId: made.algoId });
  return [made.algoStatus, open.length];
}, ["NEW", 1]);
await step("an error", async () => client.cancelOrder({ symbol, orderId: 999 }).catch((error) => error.code), -2011);
await step("told of orders", async () => {
  const orders = () => heard.filter((message) => message.e === "ORDER_TRADE_UPDATE").map((message) => message.o);
  await until(() => orders().some((order) => order.X === "FILLED"), () => heard);
  return orders().filter((order) => order.i === resting.orderId).map((order) => order.x);
}, ["NEW", "AMENDMENT", "CANCELED"]);
await step("told of money", async () => heard.filter((message) => message.e === "ACCOUNT_UPDATE").at(-1).a.B[0].wb, "9999.7249945");
await step("order over a socket", async () => {
  const api = new WebsocketAPIClient({ api_key: key, api_secret: secret, wsUrl: `${sockets}/ws-fapi/v1`, attachEventListeners: false }, silent);
  const made = await api.submitNewFuturesOrder("usdm", { symbol, side: "SELL", type: "MARKET", quantity: "0.01", newOrderRespType: "RESULT", timestamp: Date.now() });
  return [made.status, made.result.status];
}, [200, "FILLED"]);
finish();
