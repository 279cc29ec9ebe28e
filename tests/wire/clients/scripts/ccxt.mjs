import ccxt from "ccxt";
import { finish, key, secret, sockets, step, until, url } from "./steps.mjs";

const unified = "BTC/USDT:USDT";

/** Point every address of a client at the served exchange. */
function point(client) {
  const here = (value) => {
    if (typeof value === "string") {
      const [, scheme, path] = /^(https?|wss?):\/\/[^/]+(.*)$/.exec(value) ?? [];
      return scheme === undefined ? value : (scheme.startsWith("ws") ? sockets : url) + path;
    }
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, here(each)]));
  };
  for (const name of ["api", "test", "demo", "demotrading"]) {
    if (client.urls[name]) client.urls[name] = here(client.urls[name]);
  }
  return client;
}

for (const [name, taker] of [["bybit", ccxt.pro.bybit], ["binanceusdm", ccxt.pro.binanceusdm]]) {
  const options = { fetchMarkets: { types: ["linear"] } };
  const client = point(new taker({ apiKey: process.env[`EXCHANGE_KEY_${name.toUpperCase()}`] ?? key, secret: process.env[`EXCHANGE_SECRET_${name.toUpperCase()}`] ?? secret, enableRateLimit: false, options }));
  await client.loadHttpProxyAgent(); // it wants one for sockets without encryption
  const is = (what) => `${name}: ${what}`;
  await step(is("markets"), async () => {
    const market = (await client.loadMarkets())[unified];
    return [market.precision.price, market.precision.amount, market.linear];
  }, [0.1, 0.001, true]);
  await step(is("balance"), async () => (await client.fetchBalance()).USDT.total, 10000);
  await step(is("ticker"), async () => { const book = await client.fetchOrderBook(unified); return [book.bids[0][0], book.asks[0][0]]; }, [49999, 50001]);
  let fills;
  await step(is("streams"), async () => {
    const book = await client.watchOrderBook(unified);
    fills = client.watchMyTrades(unified);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return book.bids[0][0];
  }, 49999);
  let resting;
  await step(is("place"), async () => {
    resting = await client.createOrder(unified, "limit", "buy", 0.01, 40000);
    return (await client.fetchOpenOrders(unified)).map((order) => [order.price, order.amount]);
  }, [[40000, 0.01]]);
  await step(is("amend"), async () => {
    await client.editOrder(resting.id, unified, "limit", "buy", 0.02, 41000);
    return (await client.fetchOpenOrders(unified)).map((order) => [order.price, order.amount]);
  }, [[41000, 0.02]]);
  await step(is("cancel"), async () => {
    await client.cancelOrder(resting.id, unified);
    return (await client.fetchOpenOrders(unified)).length;
  }, 0);
  await step(is("market order"), async () => {
    await client.createOrder(unified, "market", "buy", 0.01);
    const [position] = await client.fetchPositions([unified]);
    return [position.contracts, position.side, position.entryPrice];
  }, [0.01, "long", 50001]);
  await step(is("fills"), async () => (await client.fetchMyTrades(unified)).map((fill) => [fill.price, fill.amount, fill.fee.cost]), [[50001, 0.01, 0.2750055]]);
  await step(is("told of fills"), async () => {
    let told;
    fills.then((each) => { told = each; });
    await until(() => told !== undefined, () => told);
    return told.map((fill) => [fill.price, fill.amount]);
  }, [[50001, 0.01]]);
  await step(is("an error"), async () => client.cancelOrder("00000000-0000-0000-0000-000000000000", unified).catch((error) => error.constructor.name), name === "bybit" ? "OrderNotFound" : "BadRequest");
}
finish();
