// What the scripts of all clients have in common: a step asks, and compares the answer with what must come.

export const url = process.env.EXCHANGE_URL;
export const sockets = url.replace("http", "ws");
export const key = process.env.EXCHANGE_KEY;
export const secret = process.env.EXCHANGE_SECRET;
export const symbol = "BTCUSDT";
const found = {};

/** Compare what `ask` resolves to with `want`; a step that fails does not keep the others from running. */
export async function step(name, ask, want) {
  try {
    const got = await ask();
    found[name] = JSON.stringify(got) === JSON.stringify(want) ? "ok" : { got, want };
  } catch (error) {
    const said = error?.message || error?.body?.retMsg || JSON.stringify(error);
    found[name] = { error: String(said).slice(0, 500), want };
  }
}

/** Print what was found, and end: sockets that some clients keep open do not hold us up. */
export function finish() {
  console.log(JSON.stringify(found));
  process.exit(0);
}

/** Resolve when `holds` does; reject with what there is after five seconds. */
export async function until(holds, told) {
  for (let waited = 0; waited < 5000; waited += 20) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`did not come: ${JSON.stringify(told()).slice(0, 400)}`);
}
