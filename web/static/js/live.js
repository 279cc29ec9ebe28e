// Moves the figures of a page by the server's stream and says how fresh they are.

const root = document.querySelector("[data-live-url]");
const state = document.querySelector("[data-link-state]");
const clock = document.querySelector("[data-live-clock]");
const STALE_AFTER_MS = 5000;
let stream = null;
let lastAt = null;
let lastText = "";
let waiting = null;

function say(name) {
  document.body.classList.toggle("stale", name === "stale");
  if (!state || state.dataset.state === name) return;
  state.dataset.state = name;
  const words = { live: "wordLive", reconnecting: "wordReconnecting", stale: "wordStale" }[name];
  state.querySelector("[data-state-text]").textContent = state.dataset[words].replace("{time}", lastText);
}

function write(element, figure) {
  if (element.textContent === figure.text) return;
  const before = element.textContent;
  element.textContent = figure.text;
  if (figure.sign) element.dataset.sign = figure.sign;
  else delete element.dataset.sign;
  if (figure.value !== undefined && before !== "") {
    const rises = Number(figure.value) > Number(element.dataset.value ?? figure.value);
    element.classList.remove("flash-up", "flash-down");
    void element.offsetWidth; // lets the same flash start again
    element.classList.add(rises ? "flash-up" : "flash-down");
    element.dataset.value = figure.value;
  }
}

function show(message) {
  lastAt = performance.now();
  lastText = message.at;
  if (clock) clock.textContent = message.at;
  document.querySelectorAll("[data-live]").forEach((element) => {
    const figure = message.figures[element.dataset.live];
    if (figure) write(element, figure);
  });
  const list = document.querySelector("[data-live-rows]");
  if (list && message.rows !== undefined && list.dataset.liveRows !== message.rows) {
    list.dataset.liveRows = message.rows;
    refresh(list).catch(() => say("stale"));
  }
  say("live");
}

// Positions opened or closed: take the list as the server draws it now.
async function refresh(list) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-live-part]")) {
    const here = document.getElementById(part.id);
    if (here && !here.contains(document.activeElement)) here.replaceWith(document.importNode(part, true));
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
