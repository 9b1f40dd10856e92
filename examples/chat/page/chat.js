// A chat. What others say is text wherever it goes: nothing here makes markup of it.

/** The most lines that are kept on the page. */
const LINES = 500;
/** Milliseconds before the connection is tried again: the first time, and at most. */
const [SOONEST, LATEST] = [500, 15_000];
/** The code by which the server says that it does not understand us: coming again is of no use then. */
const INVALID_PAYLOAD = 1007;

const at = (id) => document.getElementById(id);
const [join, say, said, people] = ["join", "say", "said", "people"].map(at);
const wide = matchMedia("(min-width: 48rem)");

/** Who we are and where; null in the lobby. */
let visit = null;
/** The socket, be it open or not yet. */
let socket = null;
/** Whether the server has let us in over it. */
let isIn = false;
let attempts = 0;
let timer = 0;

function connect() {
  clearTimeout(timer);
  show(attempts ? "waiting" : "connecting", attempts ? "reconnecting…" : "connecting…");
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const ours = socket = new WebSocket(`${scheme}//${location.host}/rooms/${visit.room}`);
  // What an older socket has still to say is not for us any more.
  ours.onopen = () => ours === socket && ours.send(JSON.stringify({ type: "join", name: visit.name }));
  ours.onmessage = (event) => ours === socket && hear(JSON.parse(event.data));
  ours.onclose = (event) => ours === socket && lost(event);
}

function lost(event) {
  socket = null;
  setIn(false);
  if (event.code === INVALID_PAYLOAD) return leave("The server did not understand this page.");
  again();
}

/** Comes again after a while, which is longer each time, and not the same for everybody. */
function again() {
  const wait = Math.min(SOONEST * 2 ** attempts++, LATEST) * (0.75 + Math.random() / 2);
  show("waiting", navigator.onLine ? "reconnecting…" : "offline");
  clearTimeout(timer);
  timer = setTimeout(connect, wait);
}

const heard = {
  welcome({ name, people: there }) {
    visit.name = name;
    if (attempts) notice("You are back.");
    attempts = 0;
    setIn(true);
    people.replaceChildren();
    there.forEach(arrive);
    count();
  },
  joined({ name }) {
    arrive(name);
    count();
    if (name !== visit.name) notice(`${name} came in.`);
  },
  left({ name }) {
    for (const one of [...people.children]) if (one.textContent === name) one.remove();
    count();
    notice(`${name} left.`);
  },
  said({ name, text }) {
    message(name, text);
  },
  error({ detail }) {
    if (isIn) return mistake(detail);
    // Who was here a moment ago may still be there for the server.
    if (!attempts) return leave(detail);
    const lostOne = socket;
    socket = null;
    lostOne.close();
    again();
  },
};

function hear(told) {
  heard[told.type]?.(told);
}

function setIn(value) {
  isIn = value;
  say.querySelector("button").disabled = !value;
  if (value) show("open", "connected");
}

function show(state, text) {
  at("state").dataset.state = state;
  at("state").textContent = text;
}

function arrive(name) {
  if ([...people.children].some((one) => one.textContent === name)) return;
  people.append(element("li", "", name));
}

function count() {
  const here = people.children.length;
  at("count").textContent = here === 1 ? "You are alone here" : `${here} people here`;
}

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

function message(name, text) {
  const line = element("li", "message", "");
  const last = said.lastElementChild;
  line.classList.toggle("own", name === visit.name);
  line.classList.toggle("again", last?.dataset.name === name);
  line.dataset.name = name;
  line.style.setProperty("--hue", hue(name));
  const time = element("time", "", new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  const words = element("p", "", text);
  words.append(time);
  line.append(element("span", "name", name), words);
  add(line);
}

function notice(text) {
  add(element("li", "notice", text));
}

/** Adds a line, and shows it unless somebody reads further up. */
function add(line) {
  const isAtEnd = said.scrollHeight - said.scrollTop - said.clientHeight < 80;
  said.append(line);
  while (said.children.length > LINES) said.firstElementChild.remove();
  if (isAtEnd || line.classList.contains("own")) said.scrollTop = said.scrollHeight;
}

function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}

function mistake(text) {
  at("mistake").hidden = !text;
  at("mistake").textContent = text;
}

function enter(name, room) {
  visit = { name, room };
  attempts = 0;
  said.replaceChildren();
  people.replaceChildren();
  at("refused").hidden = true;
  at("room").textContent = `#${room}`;
  document.title = `#${room} | Chat`;
  at("around").open = wide.matches;
  at("lobby").hidden = true;
  at("talk").hidden = false;
  mistake("");
  setIn(false);
  connect();
  say.elements.text.focus();
}

/** Goes back to the lobby, and says why if it was not wanted. */
function leave(why) {
  clearTimeout(timer);
  const left = socket;
  socket = visit = null;
  left?.close();
  setIn(false);
  show("idle", "");
  document.title = at("room").textContent = "Chat";
  at("talk").hidden = true;
  at("lobby").hidden = false;
  at("refused").hidden = !why;
  at("refused").textContent = why ?? "";
}

join.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, room } = join.elements;
  history.replaceState(null, "", `#${room.value}`);
  enter(name.value, room.value);
});

say.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = say.elements.text;
  if (!isIn || !field.value.trim()) return;
  socket.send(JSON.stringify({ type: "say", text: field.value }));
  field.value = "";
  mistake("");
  field.focus();
});

// Enter sends, Shift and Enter begins a line; while letters are put together (as in Japanese) it is theirs.
say.elements.text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say.requestSubmit();
});

at("leave").addEventListener("click", () => leave());
wide.addEventListener("change", () => { at("around").open = wide.matches; });
addEventListener("online", () => { if (visit && !socket) connect(); });
addEventListener("hashchange", follow);
follow();

/** The address says which room: the lobby offers it, and who is in another goes there. */
function follow() {
  const room = location.hash.slice(1);
  if (!/^[a-z0-9-]{1,32}$/.test(room)) return;
  join.elements.room.value = room;
  if (!visit || visit.room === room) return;
  const { name } = visit;
  leave();
  enter(name, room);
}
