import { DerivativesTradingUsdsFutures } from "@binance/derivatives-trading-usds-futures";
import { finish, key, secret, sockets, step, symbol, until, url } from "./steps.mjs";

const client = new DerivativesTradingUsdsFutures({
  configurationRestAPI: { apiKey: key, apiSecret: secret, basePath: url },
  configurationWebsocketAPI: { apiKey: key, apiSecret: secret, wsURL: `${sockets}/ws-fapi/v1` },
  configurationWebsocketStreams: { wsURL: sockets },
});
const rest = client.restAPI;
const data = async (answer) => (await answer).data();

await step("time", async () => (await data(rest.checkServerTime())).serverTime > 0, true);
await step("markets", async () => (await data(rest.exchangeInformation())).symbols.map((row) => row.symbol), [symbol, "ETHUSDT"]);
await step("book", async () => (await data(rest.orderBook({ symbol, limit: 5 }))).asks, [["50001.0", "20.000"]]);
await step("balance", async () => (await data(rest.futuresAccountBalanceV3())).find((row) => row.asset === "USDT").balance, "10000");
await step("leverage", async () => (await data(rest.changeInitialLeverage({ symbol, leverage: 5 }))).leverage, 5);
const heard = [];
await step("user stream", async () => {
  const { listenKey } = await data(rest.startUserDataStream());
  const connection = await client.websocketStreams.connect();
  connection.userData(listenKey).on("message", (message) => heard.push(message));
  return listenKey.length;
}, 64);
const quotes = [];
await step("market stream", async () => {
  const connection = await client.websocketStreams.connect();
  connection.individualSymbolBookTickerStreams({ symbol: symbol.toLowerCase() }).on("message", (message) => quotes.push(message));
  await until(() => quotes.length > 0, () => quotes);
  return quotes[0].b;
}, "49999.0");
let resting;
await step("place", async () => {
  resting = await data(rest.newOrder({ symbol, side: "BUY", type: "LIMIT", quantity: 0.01, price: 40000, timeInForce: "GTC" }));
  return [resting.status, resting.price];
}, ["NEW", "40000.0"]);
await step("amend", async () => (await data(rest.modifyOrder({ symbol, side: "BUY", orderId: resting.orderId, quantity: 0.02, price: 41000 }))).origQty, "0.020");
await step("cancel", async () => (await data(rest.cancelOrder({ symbol, orderId: resting.orderId }))).status, "CANCELED");
await step("market order", async () => {
  const made = await data(rest.newOrder({ symbol, side: "BUY", type: "MARKET", quantity: 0.01, newOrderRespType: "RESULT" }));
  return [made.status, made.avgPrice];
}, ["FILLED", "50001"]);
await step("position", async () => (await data(rest.positionInformationV3({ symbol }))).map((row) => row.positionAmt), ["0.010"]);
await step("fills", async () => (await data(rest.accountTradeList({ symbol }))).map((row) => row.commission), ["0.2750055"]);
await step("an error", async () => rest.cancelOrder({ symbol, orderId: 999 }).catch((error) => [error.name, error.message]), ["BadRequestError", "Unknown order sent."]);
await step("told", async () => {
  await until(() => heard.some((message) => message.o?.X === "FILLED"), () => heard);
  return heard.map((message) => message.o?.x ?? message.e);
}, ["NEW", "AMENDMENT", "CANCELED", "NEW", "TRADE_LITE", "ACCOUNT_UPDATE", "TRADE"]);
await step("order over a socket", async () => {
  const connection = await client.websocketAPI.connect();
  const made = await connection.newOrder({ symbol, side: "SELL", type: "MARKET", quantity: 0.01, newOrderRespType: "RESULT" });
  return made.data.status;
}, "FILLED");
finish();
