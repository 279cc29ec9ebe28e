import Binance from "node-binance-api";
import { finish, key, secret, step, symbol, url } from "./steps.mjs";

const client = new Binance({
  APIKEY: key,
  APISECRET: secret,
  family: 4,
  urls: {
    base: `${url}/api/`,
    sapi: `${url}/sapi/`,
    fapi: `${url}/fapi/`,
  },
});

await step("markets", async () => (await client.futuresExchangeInfo()).symbols.map((row) => row.symbol), [symbol, "ETHUSDT"]);
await step("prices", async () => (await client.futuresPrices())[symbol], "50000.0");
await step("book", async () => (await client.futuresDepth(symbol)).asks, [{ price: "50001.0", quantity: "20.000" }]);
await step("balance", async () => (await client.futuresBalance()).find((row) => row.asset === "USDT").balance, "10000");
await step("leverage", async () => (await client.futuresLeverage(symbol, 5)).leverage, 5);
let resting;
await step("place", async () => {
  resting = await client.futuresBuy(symbol, 0.01, 40000);
  return [resting.status, resting.price];
}, ["NEW", "40000.0"]);
await step("open orders", async () => (await client.futuresOpenOrders(symbol)).map((row) => row.orderId), [resting?.orderId]);
await step("cancel", async () => (await client.futuresCancel(symbol, resting.orderId)).status, "CANCELED");
await step("market order", async () => {
  const made = await client.futuresMarketBuy(symbol, 0.01, { newOrderRespType: "RESULT" });
  return [made.status, made.avgPrice];
}, ["FILLED", "50001"]);
await step("position", async () => (await client.futuresPositionRisk({ symbol })).map((row) => row.positionAmt), ["0.010"]);
await step("fills", async () => (await client.futuresUserTrades(symbol)).map((row) => row.commission), ["0.2750055"]);
await step("an error", async () => client.futuresCancel(symbol, 999).catch((error) => JSON.parse(error.message).code), -2011);
// its streams cannot be told where to go: their addresses are written into it
finish();
