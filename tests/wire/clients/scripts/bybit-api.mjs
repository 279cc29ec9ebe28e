import { RestClientV5, WebsocketClient } from "bybit-api";
import { finish, key, secret, sockets, step, symbol, until, url } from "./steps.mjs";

const client = new RestClientV5({ key, secret, baseUrl: url });
const category = "linear";
const silent = { trace() {}, info() {}, error() {} };
const listed = (answer) => {
  if (answer.retCode !== 0) throw new Error(`${answer.retCode} ${answer.retMsg}`);
  return answer.result;
};
const place = async (terms) => listed(await client.submitOrder({ category, symbol, ...terms }));

const heard = { order: [], execution: [], position: [], wallet: [], book: [] };
const told = new WebsocketClient({ key, secret, market: "v5", wsUrl: `${sockets}/v5/private` }, silent);
told.on("update", (message) => heard[message.topic]?.push(...message.data));
told.on("exception", (error) => console.error(error));
const shown = new WebsocketClient({ market: "v5", wsUrl: `${sockets}/v5/public/linear` }, silent);
shown.on("update", (message) => heard.book.push(message));

await step("time", async () => (await client.getServerTime()).retCode, 0);
await step("markets", async () => {
  const [row] = listed(await client.getInstrumentsInfo({ category, symbol })).list;
  return [row.symbol, row.priceFilter.tickSize, row.lotSizeFilter.qtyStep, row.status];
}, [symbol, "0.1", "0.001", "Trading"]);
await step("ticker", async () => {
  const [row] = listed(await client.getTickers({ category, symbol })).list;
  return [row.bid1Price, row.ask1Price, row.markPrice];
}, ["49999", "50001", "50000"].map((price) => `${price}.0`));
await step("book", async () => {
  const book = listed(await client.getOrderbook({ category, symbol, limit: 1 }));
  return [book.b, book.a];
}, [[["49999.0", "20"]], [["50001.0", "20"]]]);
await step("candles", async () => listed(await client.getPremiumIndexPriceKline({ category, symbol, interval: "1" })).symbol, symbol);
await step("balance", async () => {
  const [wallet] = listed(await client.getWalletBalance({ accountType: "UNIFIED" })).list;
  return wallet.totalWalletBalance;
}, "10000");
await step("fee rate", async () => listed(await client.getFeeRate({ category, symbol })).list[0].takerFeeRate, "0.00055");
await step("leverage", async () => (await client.setLeverage({ category, symbol, buyLeverage: "5", sellLeverage: "5" })).retCode, 0);
await step("streams", async () => {
  await told.subscribeV5(["order", "execution", "position", "wallet"], "linear", true);
  await shown.subscribeV5(`orderbook.50.${symbol}`, "linear");
  await until(() => heard.book.length > 0, () => heard);
  return heard.book[0].type;
}, "snapshot");
let resting;
await step("place", async () => {
  resting = await place({ side: "Buy", orderType: "Limit", qty: "0.01", price: "40000", timeInForce: "GTC", orderLinkId: "resting" });
  return resting.orderLinkId;
}, "resting");
await step("amend", async () => listed(await client.amendOrder({ category, symbol, orderLinkId: "resting", price: "41000", qty: "0.02" })).orderId, resting?.orderId);
await step("open orders", async () => listed(await client.getActiveOrders({ category, symbol })).list.map((row) => [row.orderLinkId, row.price, row.qty]), [["resting", "41000.0", "0.02"]]);
await step("cancel", async () => listed(await client.cancelOrder({ category, symbol, orderLinkId: "resting" })).orderId, resting?.orderId);
await step("batch", async () => {
  const order = { symbol, side: "Buy", orderType: "Limit", qty: "0.01", price: "39000", timeInForce: "PostOnly" };
  const made = await client.batchSubmitOrders("linear", [order, { ...order, qty: "0.0001" }]);
  await client.cancelAllOrders({ category, symbol });
  return made.retExtInfo.list.map((row) => row.code === 0);
}, [true, false]);
await step("market order", async () => (await place({ side: "Buy", orderType: "Market", qty: "0.01" })).orderId.length, 36);
await step("position", async () => {
  const [row] = listed(await client.getPositionInfo({ category, symbol })).list;
  return [row.side, row.size, row.avgPrice, row.leverage];
}, ["Buy", "0.01", "50001", "5"]);
await step("fills", async () => listed(await client.getExecutionList({ category, symbol })).list.map((row) => [row.execPrice, row.execQty, row.execFee]), [["50001.0", "0.01", "0.2750055"]]);
await step("stop", async () => (await client.setTradingStop({ category, symbol, positionIdx: 0, tpslMode: "Full", stopLoss: "45000" })).retCode, 0);
await step("order history", async () => listed(await client.getHistoricOrders({ category, symbol, orderLinkId: "resting" })).list[0].orderStatus, "Cancelled");
await step("transactions", async () => listed(await client.getTransactionLog({ category, currency: "USDT" })).list[0].type, "TRADE");
await step("an error", async () => (await client.cancelOrder({ category, symbol, orderLinkId: "nothing" })).retCode, 110001);
await step("told of orders", async () => {
  await until(() => heard.order.some((row) => row.orderStatus === "Filled"), () => heard.order);
  return heard.order.filter((row) => row.orderLinkId === "resting").map((row) => row.orderStatus);
}, ["New", "New", "Cancelled"]);
await step("told of fills", async () => heard.execution.map((row) => [row.execPrice, row.execQty]), [["50001.0", "0.01"]]);
await step("told of the position", async () => [heard.position[0].size, heard.position[0].side], ["0.01", "Buy"]);
await step("told of the wallet", async () => heard.wallet.at(-1).coin[0].walletBalance, "9999.7249945");
finish();
