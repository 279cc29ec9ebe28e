// Shows a running exchange: asks the operator API once a second and draws what it answers.
"use strict";

const FAULTS = ["latency", "lost_request", "lost_answer", "server_error", "rate_limit", "maintenance",
  "stream_drop", "stream_duplicate", "stream_delay", "stream_reorder", "stream_silence", "stream_close"];
const DELAYED = ["latency", "stream_delay"];
const LIQUIDATIONS = ["LiquidationStarted", "PositionLiquidated", "BankruptcyTakeover", "Deleveraged"];
const PERIOD_MS = 1000;
const ROWS_MOST = 30;

const element = (id) => document.getElementById(id);
const seen = { event: 0, liquidations: [] };

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, {
    method,
    headers: { "X-Operator-Key": element("key").value },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.message);
  return value;
}

function fill(id, rows) {
  const lines = rows.map((cells) => {
    const line = document.createElement("tr");
    for (const cell of cells) {
      const place = document.createElement("td");
      place.textContent = cell;
      if (cell === "buy" || cell === "sell") place.className = cell;
      line.append(place);
    }
    return line;
  });
  element(id).tBodies[0].replaceChildren(...lines);
}

const clock = (at) => new Date(at / 1000).toISOString().slice(11, 23);

function offer(symbols) {
  const list = element("symbol");
  for (const symbol of symbols.slice(list.options.length)) list.add(new Option(symbol, symbol));
}

async function drawMarket() {
  const market = await ask(`market?symbol=${encodeURIComponent(element("symbol").value)}`);
  fill("book", [...market.asks.slice().reverse(), [`mark ${market.mark}`, `index ${market.index}`], ...market.bids]);
  fill("trades", market.trades.map((t) => [clock(t.at), t.side, t.price, t.quantity]));
}

async function drawEvents() {
  const events = await ask(`events?after=${seen.event}&limit=5000`);
  for (const event of events) {
    seen.event = event.number;
    if (LIQUIDATIONS.includes(event.event)) seen.liquidations.unshift(event);
  }
  seen.liquidations.length = Math.min(seen.liquidations.length, ROWS_MOST);
  fill("liquidations", seen.liquidations.map((e) => [clock(e.at), e.account, e.symbol, e.contracts, e.event]));
}

async function draw() {
  const status = await ask("status");
  offer(status.instruments);
  const speed = status.speed === null ? "" : `, speed ${status.speed}`;
  element("status").textContent = `${new Date(status.now / 1000).toISOString()}${speed}, ${status.events} events, hash ${status.event_hash.slice(0, 12)}`;
  element("faults").textContent = status.wire_faults.rules.map((rule) => `${rule.fault} ${(rule.chance ?? 1e8) / 1e6} %`).join(", ") || "None.";
  if (status.instruments.length) await drawMarket();
  await drawEvents();
  const plans = await ask("plans");
  fill("plans", plans.slice(0, ROWS_MOST).map((p) => [p.account, p.symbol, p.side, p.quantity, p.trigger, p.by]));
  const accounts = await ask("accounts");
  fill("accounts", accounts.slice(0, 200).map((a) => [a.account, a.label, a.kind, a.contract, a.spot, a.equity, a.positions]));
}

async function repeat() {
  if (element("key").value && !document.hidden) {
    try {
      await draw();
    } catch (error) {
      element("status").textContent = error.message;
    }
  }
  setTimeout(repeat, PERIOD_MS);
}

async function switchOn(event) {
  event.preventDefault();
  const status = await ask("status");
  const fault = element("kind").value;
  const rule = { fault, chance: Math.round(Number(element("chance").value) * 1e6) };
  if (DELAYED.includes(fault)) rule.delay_us_max = Math.max(1, Number(element("delay").value) * 1000);
  await ask("faults/wire", "PUT", { rules: [...status.wire_faults.rules, rule] });
}

element("kind").append(...FAULTS.map((name) => new Option(name, name)));
element("entry").addEventListener("submit", (event) => event.preventDefault());
element("fault").addEventListener("submit", switchOn);
element("calm").addEventListener("click", () => ask("faults/wire", "PUT", { rules: [] }));
repeat();
