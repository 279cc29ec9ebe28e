// Shows a running exchange: asks the operator API once a second and draws what it answers.
"use strict";

const FAULTS = ["latency", "lost_request", "lost_answer", "server_error", "rate_limit", "maintenance",
  "stream_drop", "stream_duplicate", "stream_delay", "stream_reorder", "stream_silence", "stream_close"];
const DELAYED = ["latency", "stream_delay"];
const LIQUIDATIONS = { LiquidationStarted: "begun", PositionLiquidated: "closed", BankruptcyTakeover: "taken over", Deleveraged: "deleveraged" };
const PERIOD_MS = 1000;
const ROWS_MOST = 30;
const ACCOUNTS_MOST = 200;
const EVENTS_AT_ONCE = 5000;
const PERCENT = 1e6; // of a chance in rate units

const element = (id) => document.getElementById(id);
const seen = { event: 0, liquidations: [] };

class Refused extends Error {}

async function ask(path, method = "GET", body = undefined) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { "X-Operator-Key": element("key").value },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer; trying again.");
  }
  const value = await answer.json();
  if (answer.status === 401) throw new Refused("This is not the operator key of this server.");
  if (!answer.ok) throw new Error(value.message);
  return value;
}

function say(text, isWrong = false) {
  element("status").textContent = text;
  element("status").classList.toggle("wrong", isWrong);
}

function line(cells, numbers = []) {
  const row = document.createElement("tr");
  cells.forEach((cell, place) => {
    const box = document.createElement("td");
    if (cell instanceof Node) box.append(cell);
    else box.textContent = cell;
    if (numbers.includes(place)) box.classList.add("number");
    if (cell === "buy" || cell === "sell") box.classList.add(cell);
    row.append(box);
  });
  return row;
}

function fill(id, rows, numbers) {
  element(id).replaceChildren(...rows.map((cells) => line(cells, numbers)));
  const none = element(`${id}-none`);
  if (none) none.hidden = rows.length > 0;
}

function fillLevels(id, levels, largest) {
  const rows = levels.map(([price, quantity]) => {
    const row = line([price, quantity], [1]);
    row.style.setProperty("--share", `${(100 * Number(quantity)) / largest}%`);
    return row;
  });
  element(id).replaceChildren(...rows);
}

const clock = (at) => new Date(at / 1000).toISOString().slice(11, 23);

function offer(symbols) {
  const list = element("symbol");
  for (const symbol of symbols.slice(list.options.length)) list.add(new Option(symbol, symbol));
}

async function drawMarket() {
  const market = await ask(`market?symbol=${encodeURIComponent(element("symbol").value)}`);
  for (const name of ["last", "mark", "index"]) element(name).textContent = market[name] || "none";
  const largest = Math.max(...[...market.asks, ...market.bids].map((level) => Number(level[1])), 1e-18);
  fillLevels("asks", market.asks.slice().reverse(), largest);
  fillLevels("bids", market.bids, largest);
  const isEmpty = !market.asks.length && !market.bids.length;
  element("middle").textContent = isEmpty ? "The book is empty." : `mark ${market.mark || "none"}`;
  fill("trades", market.trades.map((t) => [clock(t.at), t.side, t.price, t.quantity]), [2, 3]);
}

async function drawEvents(latest) {
  seen.event = Math.max(seen.event, latest - 4 * EVENTS_AT_ONCE);
  while (seen.event < latest) {
    const events = await ask(`events?after=${seen.event}&limit=${EVENTS_AT_ONCE}`);
    if (!events.length) break;
    for (const event of events) {
      seen.event = event.number;
      if (event.event in LIQUIDATIONS) seen.liquidations.unshift(event);
    }
  }
  seen.liquidations.length = Math.min(seen.liquidations.length, ROWS_MOST);
  fill("liquidations", seen.liquidations.map((e) => [clock(e.at), e.account, e.symbol, e.contracts, LIQUIDATIONS[e.event]]), [3]);
}

function drawFaults(rules, struck) {
  fill("faults", rules.map((rule, place) => {
    const off = document.createElement("button");
    off.type = "button";
    off.textContent = "Off";
    off.setAttribute("aria-label", `Switch ${rule.fault} off`);
    off.addEventListener("click", () => act(() => ask("faults/wire", "PUT", { rules: rules.filter((_, other) => other !== place) })));
    const delay = rule.delay_us_max ? `${rule.delay_us_max / 1000} ms` : "";
    const where = [...(rule.paths ?? ["everywhere"]), ...(rule.accounts ?? []).map((number) => `account ${number}`)].join(", ");
    return [off, rule.fault, `${(rule.chance ?? 100 * PERCENT) / PERCENT} %`, delay, struck[place], where];
  }), [2, 3, 4]);
}

async function draw() {
  const status = await ask("status");
  element("watched").hidden = false;
  element("entry").hidden = true;
  offer(status.instruments);
  element("now").textContent = new Date(status.now / 1000).toISOString().slice(0, 19).replace("T", " ");
  element("speed").textContent = status.speed === null ? "set by the test" : status.speed === 0 ? "frozen" : `${status.speed} ×`;
  element("events").textContent = status.events;
  element("hash").textContent = status.event_hash.slice(0, 12);
  if (document.activeElement !== element("limits")) element("limits").checked = status.limits;
  if (status.instruments.length) await drawMarket();
  await drawEvents(status.events);
  const faults = await ask("faults/wire");
  drawFaults(faults.plan.rules ?? [], faults.struck);
  const plans = await ask("plans");
  fill("plans", plans.slice(0, ROWS_MOST).map((p) => [p.account, p.symbol, p.side, p.quantity === "0" ? "all" : p.quantity, p.trigger, p.by]), [3, 4]);
  const accounts = await ask("accounts");
  fill("accounts", accounts.slice(0, ACCOUNTS_MOST).map((a) => [a.account, a.label, a.kind, a.contract, a.spot, a.equity, a.positions]), [3, 4, 5, 6]);
  say(accounts.length > ACCOUNTS_MOST ? `Watching. The first ${ACCOUNTS_MOST} of ${accounts.length} accounts are shown.` : "Watching.");
}

async function look() {
  try {
    await draw();
  } catch (error) {
    say(error.message, true);
    if (error instanceof Refused) {
      element("entry").hidden = false;
      element("watched").hidden = true;
      element("key").value = "";
    }
  }
}

async function repeat() {
  if (element("key").value && !document.hidden) await look();
  setTimeout(repeat, PERIOD_MS);
}

async function act(work) {
  try {
    await work();
    await draw();
  } catch (error) {
    say(error.message, true);
  }
}

async function switchOn() {
  const { plan } = await ask("faults/wire");
  const fault = element("kind").value;
  const rule = { fault, chance: Math.round(Number(element("chance").value) * PERCENT) };
  if (DELAYED.includes(fault)) rule.delay_us_max = Math.round(Number(element("delay").value) * 1000);
  const paths = element("paths").value.split(/[\s,]+/).filter(Boolean);
  if (paths.length) rule.paths = paths;
  await ask("faults/wire", "PUT", { rules: [...(plan.rules ?? []), rule] });
}

function showDelay() {
  element("delay").disabled = !DELAYED.includes(element("kind").value);
}

element("kind").append(...FAULTS.map((name) => new Option(name, name)));
element("kind").addEventListener("change", showDelay);
showDelay();
element("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  look();
});
element("fault").addEventListener("submit", (event) => {
  event.preventDefault();
  act(switchOn);
});
element("calm").addEventListener("click", () => act(() => ask("faults/wire", "PUT", { rules: [] })));
element("limits").addEventListener("change", () => act(() => ask("limits", "PUT", { is_on: element("limits").checked })));
element("symbol").addEventListener("change", look);
for (const button of document.querySelectorAll("[data-speed]")) {
  button.addEventListener("click", () => act(() => ask("time", "POST", { speed: Number(button.dataset.speed) })));
}
for (const button of document.querySelectorAll("[data-hours]")) {
  button.addEventListener("click", () => act(() => ask("time", "POST", { advance_us: Number(button.dataset.hours) * 3600e6 })));
}
repeat();
