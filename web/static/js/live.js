// Moves the figures of a page by the server's stream and says how fresh they are.

const root = document.querySelector("[data-live-url]");
const STALE_AFTER_MS = 5000;
let stream = null;
let lastAt = null;
let lastText = "";
let waiting = null;
let tried = null; // the rows we last drew the lists for

function say(name) {
  const state = document.querySelector("[data-link-state]"); // a refresh may have replaced it
  document.body.classList.toggle("stale", name === "stale");
  if (!state || state.dataset.state === name) return;
  state.dataset.state = name;
  const words = { live: "wordLive", reconnecting: "wordReconnecting", stale: "wordStale" }[name];
  state.querySelector("[data-state-text]").textContent = state.dataset[words].replace("{time}", lastText);
}

function write(element, figure) {
  const text = figure.text + (figure.fine ?? "");
  if (element.textContent === text) return;
  if (figure.fine === undefined) element.textContent = text;
  else {
    element.firstChild.nodeValue = figure.text;
    element.lastElementChild.textContent = figure.fine;
  }
  if (figure.sign) element.dataset.sign = figure.sign;
  else delete element.dataset.sign;
  if (figure.value === undefined) return;
  const before = element.dataset.value;
  element.dataset.value = figure.value;
  if (before !== undefined) {
    element.classList.remove("flash-up", "flash-down");
    void element.offsetWidth; // lets the same flash start again
    element.classList.add(Number(figure.value) > Number(before) ? "flash-up" : "flash-down");
  }
}

function show(message) {
  lastAt = performance.now();
  lastText = message.at;
  document.querySelectorAll("[data-live-clock]").forEach((clock) => (clock.textContent = message.at));
  document.querySelectorAll("[data-live]").forEach((element) => {
    const figure = message.figures[element.dataset.live];
    if (figure) write(element, figure);
  });
  const list = document.querySelector("[data-live-rows]");
  if (list && list.dataset.liveRows !== message.rows && tried !== message.rows && !isBusy()) {
    tried = message.rows;
    refresh().catch(() => (tried = null)); // the next figures try again
  }
  say("live");
}

// Somebody is about to press something in a list: do not take it away under him.
function isBusy() {
  return document.activeElement.closest("[data-live-part]") !== null;
}

// Positions opened or closed: take the lists as the server draws them now.
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (isBusy()) throw new Error("a list is in use");
  for (const part of page.querySelectorAll("[data-live-part]")) {
    document.getElementById(part.id)?.replaceWith(document.importNode(part, true));
  }
}

function connect() {
  if (stream || document.hidden) return;
  stream = new EventSource(root.dataset.liveUrl);
  stream.addEventListener("figures", (event) => {
    const message = JSON.parse(event.data);
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => show(message));
  });
  stream.addEventListener("error", () => {
    say("reconnecting");
    if (stream.readyState === EventSource.CLOSED) disconnect(); // refused for good: say stale soon
  });
}

function disconnect() {
  stream?.close();
  stream = null;
}

function watch() {
  if (lastAt !== null && performance.now() - lastAt > STALE_AFTER_MS) {
    say("stale");
    connect();
  }
}

if (root) {
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  setInterval(watch, 1000);
  connect();
}
