// Prices as they come. When the connection is lost the browser comes again, and says which event it had last.

/** The most prices that are drawn. */
const SHOWN = 60;
const [WIDTH, HEIGHT, MARGIN] = [600, 200, 10];

const at = (id) => document.getElementById(id);
const prices = [];
const ticks = new EventSource("/ticks");

ticks.addEventListener("open", () => { at("state").textContent = "live"; });
ticks.addEventListener("error", () => { at("state").textContent = ticks.readyState === EventSource.CLOSED ? "refused" : "reconnecting…"; });
ticks.addEventListener("missed", () => { prices.length = 0; });
ticks.addEventListener("tick", (event) => {
  prices.push(JSON.parse(event.data).price);
  if (prices.length > SHOWN) prices.shift();
  show();
});

function show() {
  const [before, now] = [prices.at(-2) ?? prices[0], prices.at(-1)];
  at("price").textContent = pounds(now);
  at("change").className = now > before ? "up" : now < before ? "down" : "";
  at("change").textContent = now === before ? "unchanged" : `${now > before ? "▲" : "▼"} ${pounds(Math.abs(now - before))}`;
  document.title = `${pounds(now)} | Fish`;
  draw();
}

function draw() {
  const [least, most] = [Math.min(...prices), Math.max(...prices)];
  const x = (place) => WIDTH - (prices.length - 1 - place) * (WIDTH / (SHOWN - 1));
  const y = (price) => HEIGHT - MARGIN - ((price - least) / (most - least || 1)) * (HEIGHT - 2 * MARGIN);
  const points = prices.map((price, place) => `${x(place).toFixed(1)},${y(price).toFixed(1)}`);
  at("line").setAttribute("points", points.join(" "));
  at("area").setAttribute("d", `M${x(0)},${HEIGHT} L${points.join(" L")} L${WIDTH},${HEIGHT} Z`);
}

function pounds(pence) {
  return `£${(pence / 100).toFixed(2)}`;
}
